import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type LakeFile, namedPaths } from '../../src/lake/commits.ts'
import { quoteText } from '../../src/lake/database.ts'
import { openLake } from '../../src/lake/lake.ts'
import { Registry } from '../../src/model/registry.ts'
import { loyalcastHere } from '../cli/commands.ts'
import { queryRows } from '../programs.ts'
import { contentsOf, copyFolder, type SmallProgram } from './small-program.ts'

/** What readers can see of a program: rows that count, days of predictions, versions, and who served when. */
export interface VisibleState {
  readonly lake: Readonly<Record<string, string>>
  /** Day → its file, as a hash. */
  readonly predictions: Readonly<Record<string, string>>
  readonly sources: unknown
  readonly models: Readonly<Record<string, string>>
  readonly champion: string | null
}

/** Fails where something that counts is not there. */
export async function visibleState(made: SmallProgram): Promise<VisibleState> {
  const { folder, state } = await openLake(made.dataFolder, made.program)
  const contents = await contentsOf(folder)
  const hashOf = (path: string) => contents[path] ?? expect.fail(`${path} counts and is not there`)
  const registry = new Registry(made.modelsFolder, made.program.name)
  const models = await contentsOf(join(made.modelsFolder, made.program.name))
  const versions = await registry.versions()
  return {
    lake: await rowsOf(folder, state.files),
    predictions: Object.fromEntries([...state.predictions].map(([date, { path }]) => [date, hashOf(path)])),
    sources: Object.fromEntries(state.sources),
    models: Object.fromEntries(
      Object.entries(models).filter(([path]) => versions.includes(path.split('/')[0])),
    ),
    champion: await registry.champion(),
  }
}

/** File → its rows as a hash, in whatever order they stand in it. */
async function rowsOf(folder: string, files: readonly LakeFile[]): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const table of new Set(files.map((file) => file.table))) {
    const paths = files
      .filter((file) => file.table === table)
      .map(({ path }) => quoteText(join(folder, path)))
    const rows = await queryRows<{ file: string; hash: string }>(`
      select filename as file, sum(hash(*columns(* exclude (filename))))::varchar as hash
      from read_parquet([${paths.join(', ')}], filename = true, union_by_name = true, hive_partitioning = false)
      group by filename`)
    for (const { file, hash } of rows) found[file.slice(folder.length + 1)] = hash
  }
  expect(Object.keys(found)).toHaveLength(files.length)
  return found
}

/** Each state that a lake went through, from its first record on. */
export async function statesThrough(made: SmallProgram): Promise<VisibleState[]> {
  const { state } = await openLake(made.dataFolder, made.program)
  const states: VisibleState[] = []
  for (let last = 0; last <= state.sequence; last++) {
    const dataFolder = await copyFolder(made.dataFolder, `${made.dataFolder}-through`)
    for (const name of Object.keys(await contentsOf(join(dataFolder, made.program.name, 'commits')))) {
      if (Number.parseInt(name, 10) > last) await rm(join(dataFolder, made.program.name, 'commits', name))
    }
    states.push(await visibleState({ ...made, dataFolder }))
    await rm(dataFolder, { recursive: true })
  }
  return states
}

/** Files beside those that count: what was left by whoever was killed. */
export async function findLeftovers({ dataFolder, modelsFolder, program }: SmallProgram): Promise<string[]> {
  const { state } = await openLake(dataFolder, program)
  const known = new Set(
    [...namedPaths(state), ...state.removed.keys()].map((path) => join(program.name, path)),
  )
  const lake = Object.keys(await contentsOf(dataFolder)).filter(
    (path) => !known.has(path) && !/\/(commits\/\d{8}|run-records\/\d+)\.json$/.test(path) && !isKept(path),
  )
  const models = Object.keys(await contentsOf(modelsFolder)).filter(
    (path) => !/^\w+\/(\d|promotions)/.test(path),
  )
  return [...lake, ...models]
}

/** What is kept for the next daily run: of each bucket a note and the files of one day. */
function isKept(path: string): boolean {
  return /^\w+\/kept\/\w{16}\/bucket=\d+\/(note\.json|[\d-]+-\w{16}-(customers|\w+_by_type|property_\d+)\.parquet)$/.test(
    path,
  )
}

/** The predictions of a day as CSV, exported as anybody would. */
export async function exportDay(made: SmallProgram, date: string): Promise<string> {
  const file = join(made.folder, 'exported.csv')
  const args = ['export', made.path, 'predictions', '--date', date, '--data', made.dataFolder, '--out', file]
  expect(await loyalcastHere(args)).toMatchObject({ code: 0 })
  return readFile(file, 'utf8')
}
