import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codeVersion } from '../src/domain/version.ts'
import {
  findCircles,
  findHiddenInputs,
  findLongFiles,
  findUnknownRooms,
  findVagueNames,
  findWrongImports,
  importGraph,
  readSources,
  rooms,
} from './source-rules.ts'

const root = join(import.meta.dirname, '..')
const read = (name: string) => readFileSync(join(root, name), 'utf8')

describe('the sources', () => {
  const sources = readSources(root, ['src', 'training', 'bench', 'bin'])
  const graph = importGraph(sources)

  it('import each other without a circle', () => {
    expect(findCircles(graph)).toEqual([])
  })
  it('import only from the left', () => {
    expect(findWrongImports(graph)).toEqual([])
  })
  it('lie in the rooms of the design', () => {
    expect(findUnknownRooms(sources)).toEqual([])
  })
  it('leave the environment, the clock and randomness to entry points', () => {
    expect(findHiddenInputs(sources)).toEqual([])
  })
  it('import only files that are there', () => {
    const missing = [...graph].flatMap(([path, imported]) =>
      imported.filter((target) => !existsSync(join(root, target))).map((target) => `${path} → ${target}`),
    )
    expect(missing).toEqual([])
  })
})

describe('the files', () => {
  const files = readSources(root, ['src', 'training', 'bench', 'bin', 'test'])

  it('have at most 300 lines', () => {
    expect(findLongFiles(files)).toEqual([])
  })
  it('have names that say what they hold', () => {
    expect(findVagueNames(files)).toEqual([])
  })
})

describe('the package', () => {
  const { version } = JSON.parse(read('package.json')) as { version: string }
  const lock = read('package-lock.json')

  it('has one version, in package.json, its lock file and the code', () => {
    expect(codeVersion).toBe(version)
    expect(JSON.parse(lock).version).toBe(version)
  })
  it('is locked without addresses of any registry', () => {
    expect(lock).not.toMatch(/"resolved"|https?:\/\/[^"]*registry/)
  })
  it('is locked with every optional package, so that each machine can install it', () => {
    const { packages } = JSON.parse(lock) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>
    }
    const missing = Object.values(packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies).filter((name) => !packages[`node_modules/${name}`]),
    )
    expect(missing).toEqual([])
  })
  it('has one copy of the TensorFlow.js core, which all of its backends share, beside that of danfo.js', () => {
    const copies = lock.match(/"node_modules\/.*@tensorflow\/tfjs-core"/g)
    expect(copies).toEqual([
      '"node_modules/@tensorflow/tfjs-core"',
      '"node_modules/danfojs-node/node_modules/@tensorflow/tfjs-core"',
    ])
  })
})

describe('the check itself', () => {
  const graphOf = (files: Readonly<Record<string, string>>) => importGraph(new Map(Object.entries(files)))

  it('finds a circle, also of types and over several files', () => {
    const graph = graphOf({
      'src/lake/a.ts': "import { b } from './b.ts'\n",
      'src/lake/b.ts': "import type {\n  C,\n} from './c.ts'\n",
      'src/lake/c.ts': "export * from './a.ts'\n",
      'src/lake/d.ts': "import { a } from './a.ts'\n",
    })
    expect(findCircles(graph)).toEqual(['src/lake/a.ts → src/lake/b.ts → src/lake/c.ts → src/lake/a.ts'])
  })
  it('finds an import from the right, and of training', () => {
    const graph = graphOf({
      'src/domain/a.ts': "import { b } from '../lake/b.ts'\n",
      'src/lake/b.ts': "const c = await import('../features/c.ts')\n",
      'src/jobs/d.ts': "import { train } from '../../training/train.ts'\n",
      'training/train.ts': "import { daily } from '../src/jobs/daily.ts'\n",
    })
    expect(findWrongImports(graph).map((sentence) => sentence.split(':')[0])).toEqual([
      'src/domain/a.ts imports src/lake/b.ts',
      'src/lake/b.ts imports src/features/c.ts',
      'src/jobs/d.ts imports training/train.ts',
      'training/train.ts imports src/jobs/daily.ts',
    ])
  })
  it('finds what serves looking at outcomes', () => {
    const graph = graphOf({
      'src/jobs/a.ts': "import { b } from '../outcomes/b.ts'\n",
      'src/impact/a.ts': "import { b } from '../outcomes/b.ts'\n",
    })
    expect(findWrongImports(graph)).toHaveLength(1)
  })
  it('lets every room import all that lie left of it', () => {
    const files = rooms.map((room, place): [string, string] => {
      const allowed = rooms.slice(0, place).filter((left) => left !== 'outcomes' || room === 'impact')
      return [`src/${room}/a.ts`, allowed.map((left) => `import '../${left}/a.ts'\n`).join('')]
    })
    expect(findWrongImports(graphOf(Object.fromEntries(files)))).toEqual([])
  })
  it('takes SQL and other texts for what they are', () => {
    expect(graphOf({ 'src/lake/a.ts': "const sql = `\nselect 1 from './b.csv'`\n" })).toEqual(
      new Map([['src/lake/a.ts', []]]),
    )
  })
  it('finds hidden inputs, long files, vague names and unknown rooms', () => {
    const file = (path: string, text = '') => new Map([[path, text]])
    const inputs = [
      'process.env.HOME',
      'const { env } = process',
      'Date.now()',
      'new Date()',
      'Math.random()',
    ]
    for (const text of inputs) {
      expect(findHiddenInputs(file('src/model/a.ts', text)), text).toHaveLength(1)
      expect(findHiddenInputs(file('src/cli/a.ts', text)), text).toEqual([])
    }
    expect(findHiddenInputs(file('src/model/a.ts', '// not Date.now()\nnew Date(0)\n'))).toEqual([])
    expect(findLongFiles(file('src/model/a.ts', 'x\n'.repeat(301)))).toHaveLength(1)
    expect(findLongFiles(file('src/model/a.ts', 'x\n'.repeat(300)))).toEqual([])
    expect(findVagueNames(file('src/model/matrix-utils.ts'))).toHaveLength(1)
    expect(findVagueNames(file('src/model/commonest-value.ts'))).toEqual([])
    expect(findUnknownRooms(file('src/services/a.ts'))).toHaveLength(1)
    expect(findUnknownRooms(file('src/index.ts'))).toHaveLength(1)
  })
})
