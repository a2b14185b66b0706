import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Day, epochDay } from '../src/domain/days.ts'
import { terminalTypes } from '../src/features/terminal-types.ts'
import { openLake } from '../src/lake/lake.ts'
import { readProgram } from '../src/lake/program-file.ts'
import { exportLearning, type LearningOptions, type LearningTable, testLabelFile } from './daily-table.ts'
import { type Used, watch } from './process-watch.ts'
import { peerScripts } from './quality-peers.ts'
import { exportTable } from './quality-table.ts'
import { readServedDay } from './scored-day.ts'

/** Who does the day's work in Python: what adds up, and whose models predict. */
export const dailyPeers = {
  polars: { script: 'daily_polars.py', models: 'lightgbm', words: 'Polars + LightGBM' },
  pandas: { script: 'daily_pandas.py', models: 'xgboost', words: 'pandas + XGBoost' },
} as const
export type DailyPeer = keyof typeof dailyPeers

/** Python that runs them. */
export const python = process.env.LOYALCAST_PEERS_PYTHON ?? 'python3'

export interface PeerWork extends LearningOptions {
  readonly folder: string
  readonly path: string
}

const run = promisify(execFile)

/** Why a peer cannot run, in a sentence; null where it can. */
export async function whyNot(peer: DailyPeer): Promise<string | null> {
  const { models, words } = dailyPeers[peer]
  try {
    await run(python, ['-c', `import pyarrow, ${peer}, ${models}`])
    return null
  } catch {
    return `${words} is left out: the Python at ${python} (LOYALCAST_PEERS_PYTHON) is not there or lacks them. bench/peers/README.md says how to install them.`
  }
}

/** Exports what our version learned from, for the peers to learn from. */
export async function exportForPeers(work: PeerWork): Promise<LearningTable> {
  await mkdir(work.folder, { recursive: true })
  const learning = await exportLearning(work.folder, await readProgram(work.path, {}), work)
  const { table, testLabels } = learning
  const tasks = table.tasks.map((task) => ({ ...task, testLabel: testLabelFile(task.task) }))
  for (const [task, labels] of Object.entries(testLabels))
    await writeFile(join(work.folder, testLabelFile(task)), labels)
  const { rows, columns } = table
  await writeFile(join(work.folder, 'job.json'), JSON.stringify({ rows, columns, tasks }))
  await writeFile(join(work.folder, catalogueFile), JSON.stringify(learning.catalogue))
  return learning
}

const catalogueFile = 'catalogue.json'

export interface PeerFit {
  /** Task → mean log loss on the judged rows. */
  readonly losses: Readonly<Record<string, number>>
  readonly seconds: number
}

/** Fits a peer's models. */
export async function fitPeer({ folder }: PeerWork, peer: DailyPeer): Promise<PeerFit> {
  const script = join(peerScripts, 'daily_models.py')
  // Two threads that wait for each other take far longer than one where others work at the same processors.
  const env = { ...process.env, OMP_NUM_THREADS: '1' }
  const { stdout } = await run(python, ['-B', script, folder, dailyPeers[peer].models], { env })
  return JSON.parse(stdout) as PeerFit
}

export interface PeerDay {
  readonly date: Day
  /** The day whose sums are kept. */
  readonly keptDay: Day
  /** Paths of lake files that this day brought. */
  readonly fresh: readonly string[]
}

/** How a peer comes by its features: from all events; or, once it has kept sums of the day before, from these. */
export type PeerStep = 'raw' | 'keep' | 'next'

/** Runs one step of a peer's day as a process and watches it. */
export async function runPeer(
  work: PeerWork,
  peer: DailyPeer,
  day: PeerDay & { step: PeerStep; features?: string },
): Promise<Used> {
  const job = await writeJob(work, peer, day)
  const script = join(peerScripts, dailyPeers[peer].script)
  return watch(python, ['-B', script, job, day.step, ...(day.features ? [day.features] : [])])
}

async function writeJob(work: PeerWork, peer: DailyPeer, { date, keptDay, fresh }: PeerDay): Promise<string> {
  const program = await readProgram(work.path, {})
  const lake = await openLake(work.dataFolder, program)
  const catalogue = JSON.parse(await readFile(join(work.folder, catalogueFile), 'utf8'))
  const filesOf = (table: string) =>
    lake.state.files.filter((file) => file.table === table).map(({ path }) => join(lake.folder, path))
  const tables = ['events', 'customers', 'responses', 'interventions']
  const job = {
    date,
    timezone: program.timezone,
    terminalTypes: terminalTypes(program),
    catalogue,
    files: { ...Object.fromEntries(tables.map((table) => [table, filesOf(table)])), fresh },
    keptDay: epochDay(keptDay),
    kept: join(work.folder, `${peer}-kept`),
    models: work.folder,
    predictions: join(work.folder, `${peer}-${date}.parquet`),
  }
  const path = join(work.folder, `${peer}.json`)
  await writeFile(path, JSON.stringify(job))
  return path
}

/** Where our features of a day lie, for the peers' to be compared with. */
export async function exportOwnFeatures(work: PeerWork, date: Day): Promise<string> {
  const { frame, customers } = await readServedDay(await readProgram(work.path, {}), { ...work, date })
  const folder = join(work.folder, `own-${date}`)
  await mkdir(folder, { recursive: true })
  const { columns } = await exportTable(folder, frame, [])
  await writeFile(join(folder, 'columns.json'), JSON.stringify(columns))
  await writeFile(join(folder, 'customers.json'), JSON.stringify(customers))
  return folder
}

/** What comparing a peer's features with ours found: all are there, and equal. */
export interface Equality {
  readonly features: number
  readonly compared: number
  readonly values: number
  /** The largest difference; relative where a value is above 1. */
  readonly largest: number
}

/** **Errors** where a peer's features are not ours. */
export async function compareFeatures(own: string, features: string): Promise<Equality> {
  const script = join(peerScripts, 'daily_compare.py')
  const { stdout } = await run(python, ['-B', script, own, features]).catch(
    (problem: { stdout?: string }) => {
      throw new Error(`The features of ${features} are not ours: ${problem.stdout || problem}`)
    },
  )
  return JSON.parse(stdout) as Equality
}
