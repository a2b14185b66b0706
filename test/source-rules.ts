import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path/posix'

/** Path from the root of the checkout, with `/` → text. */
export type Sources = ReadonlyMap<string, string>

/** The rooms of `src`, from left to right: each may import those that stand before it. */
export const rooms: readonly string[] = [
  ...['client', 'domain'],
  ...['lake', 'control', 'voice'],
  ...['features', 'outcomes'],
  ...['model', 'impact', 'simulation', 'engage', 'jobs', 'api', 'cli'],
]

/** What `training` may import. */
const learnedFrom = rooms.slice(0, rooms.indexOf('model') + 1)
/** Who alone may read what happened after a cutoff. */
const afterCutoff = ['impact', 'training', 'bench']
/** Who alone may import `training`. */
const trainers = ['cli', 'bench']
/** Where the environment, the clock and randomness come in. */
const entryPoints = ['cli', 'bin', 'bench']

const mostLines = 300
/** Written by a generator. */
const generated = ['src/client/openapi.ts']
const vagueNames = /(^|[-_.])(utils?|helpers?|managers?|common|misc)([-_.]|$)/

/** All files below some folders that have one of the endings. */
export function readSources(
  root: string,
  folders: readonly string[],
  endings: readonly string[] = ['.ts', '.tsx', '.mjs'],
): Map<string, string> {
  const paths = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
      join(folder, name.replaceAll('\\', '/')),
    ),
  )
  const wanted = paths.filter((path) => endings.some((ending) => path.endsWith(ending))).sort()
  return new Map(wanted.map((path) => [path, readFileSync(join(root, path), 'utf8')]))
}

/** File → the files of the project that it imports, types included. */
export function importGraph(sources: Sources): Map<string, string[]> {
  const statement = /^(?:import|export)\b[^;'"`]*?\bfrom\s*'(\.[^']+)'|\bimport\s*\(?\s*'(\.[^']+)'/gm
  return new Map(
    [...sources].map(([path, text]) => {
      const found = [...text.matchAll(statement)].map((match) => join(path, '..', match[1] ?? match[2]))
      return [path, [...new Set(found)]]
    }),
  )
}

/** Import circles, each as `a → b → a`. */
export function findCircles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const circles: string[] = []
  const done = new Set<string>()
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) {
      circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
      return
    }
    if (done.has(path)) return
    for (const next of graph.get(path) ?? []) visit(next, [...trail, path])
    done.add(path)
  }
  for (const path of graph.keys()) visit(path, [])
  return circles
}

/** The room of a source file: a folder of `src`, or the top folder. */
function roomOf(path: string): string {
  const [top, room] = path.split('/')
  return top === 'src' ? room : top
}

/** Imports that do not come from the left. */
export function findWrongImports(graph: ReadonlyMap<string, readonly string[]>): string[] {
  return [...graph].flatMap(([path, imported]) =>
    imported.flatMap((target) => {
      const problem = importProblem(roomOf(path), roomOf(target))
      return problem ? [`${path} imports ${target}: ${problem}`] : []
    }),
  )
}

function importProblem(from: string, to: string): string | null {
  if (from === to) return null
  if (to === 'outcomes' && !afterCutoff.includes(from)) {
    return `only ${afterCutoff.join(', ')} may see what happened after a cutoff`
  }
  if (to === 'training') return trainers.includes(from) ? null : `only ${trainers.join(', ')} may train`
  if (from === 'bench') return rooms.includes(to) ? null : `${to} is no room`
  if (from === 'training')
    return learnedFrom.includes(to) ? null : `training may import ${learnedFrom.join(', ')}`
  const left = rooms.slice(0, Math.max(0, rooms.indexOf(from)))
  return left.includes(to) ? null : `${from} may import ${left.join(', ') || 'nothing'}`
}

/** Files of `src` outside the rooms of the design. */
export function findUnknownRooms(sources: Sources): string[] {
  const unknown = [...sources.keys()].filter((path) => {
    const [top, room, ...rest] = path.split('/')
    return top === 'src' && room !== 'web' && (rest.length === 0 || !rooms.includes(room))
  })
  return unknown.map((path) => `${path} lies in no room; the rooms are ${rooms.join(', ')}, web`)
}

/** Processes wait for each other in real time, whatever clock a run was given. */
const realTime = ['src/lake/lock.ts']

/** Reading the environment, the clock or randomness anywhere but in an entry point. */
export function findHiddenInputs(sources: Sources): string[] {
  const hidden =
    /\bprocess\.env\b|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b|\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bperformance\.now\b|\bNow\.\w+\(|\brandom(UUID|Bytes)\(/
  return [...sources].flatMap(([path, text]) => {
    if (entryPoints.includes(roomOf(path)) || realTime.includes(path)) return []
    const found = withoutComments(text).match(hidden)
    return found ? [`${path} reads ${found[0]}; only entry points may`] : []
  })
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
}

/** Files that are too long. */
export function findLongFiles(sources: Sources): string[] {
  return [...sources].flatMap(([path, text]) => {
    const lines = text.split('\n').length - 1
    return lines > mostLines && !generated.includes(path)
      ? [`${path} has ${lines} lines; at most ${mostLines}`]
      : []
  })
}

/** Files and folders whose name says nothing. */
export function findVagueNames(sources: Sources): string[] {
  const vague = [...sources.keys()].filter((path) =>
    path.split('/').some((name) => vagueNames.test(basename(name).toLowerCase())),
  )
  return vague.map((path) => `${path}: name what it holds`)
}
