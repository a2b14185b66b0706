import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TaskForecast } from './quality-ours.ts'
import type { ExportedTable } from './quality-table.ts'

/** Scripts are not compiled. */
export const peerScripts = fileURLToPath(
  new URL(import.meta.url.endsWith('.js') ? '../../bench/peers/' : './peers/', import.meta.url),
)
const tunedFile = join(peerScripts, 'tuned.json')

export const peers = ['logistic', 'xgboost', 'lightgbm', 'catboost'] as const
export type Peer = (typeof peers)[number]

/** The Python that runs the peers, and which of them it has: peer → version of its package. */
export interface Interpreter {
  readonly command: string
  readonly versions: Readonly<Partial<Record<Peer, string>>>
}

/** Asks a Python which peers it has. @returns beside it what is missing, in a sentence; null where nothing is. */
export async function findInterpreter(
  command: string,
): Promise<{ interpreter: Interpreter; missing: string | null }> {
  const install = 'bench/peers/README.md says how to install them.'
  const versions = await run(command, ['versions'], 'ignore').then(
    (stdout) => JSON.parse(stdout) as Interpreter['versions'],
    () => null,
  )
  const absent = peers.filter((peer) => versions?.[peer] === undefined)
  const missing =
    versions === null
      ? `There is no Python to run the peers at ${command} (LOYALCAST_PEERS_PYTHON): we are compared with our own logistic regression alone. ${install}`
      : absent.length > 0
        ? `The Python at ${command} (LOYALCAST_PEERS_PYTHON) has no ${absent.join(', ')}: the comparison goes on without. ${install}`
        : null
  return { interpreter: { command, versions: versions ?? {} }, missing }
}

/** Settings of a peer as its library calls them, how many rounds, and the log loss on what they were chosen by. */
type Settings = Readonly<Record<string, unknown>> & { readonly loss?: number }

interface TunedSplit {
  /** Of what was learned from when the settings were chosen. */
  readonly fingerprint: string
  readonly tasks: Readonly<Record<string, Readonly<Partial<Record<Peer, Settings>>>>>
}

/** What `--tune` chose: `<program>/<split>` → settings. */
export interface Tuned {
  readonly versions: Interpreter['versions']
  readonly splits: Readonly<Record<string, TunedSplit>>
}

export async function readTuned(): Promise<Tuned> {
  return JSON.parse(await readFile(tunedFile, 'utf8')) as Tuned
}

interface Report {
  readonly split: string
  readonly task: string
  readonly peer: Peer
  readonly params: Settings
  readonly file: string
  readonly trainSeconds: number
  readonly predictSeconds: number
}

/** How many settings a peer tries, and after how long it begins no other. */
export interface PeerSearch {
  readonly count: number
  readonly seconds: number
}

export interface PeerJob {
  readonly interpreter: Interpreter
  readonly program: string
  /** Where the table was exported to. */
  readonly folder: string
  readonly table: ExportedTable
  readonly tuned: Tuned
}

/**
 * Chooses settings on the learning rows, task by task, and keeps them, with the fingerprint of these rows, in
 * `tuned.json` as soon as a task is done. What was already chosen on the same rows stays: a search of hours that was
 * stopped goes on where it stood.
 */
export async function tunePeers(job: PeerJob, search: PeerSearch): Promise<void> {
  for (const task of job.table.tasks.filter(({ split, tunedOn }) => split === tunedOn)) {
    const fingerprint = job.table.fingerprints[task.split]
    const name = `${job.program}/${task.split}`
    const tuned = await readTuned()
    const found = tuned.splits[name]?.fingerprint === fingerprint ? tuned.splits[name].tasks[task.task] : {}
    if (peers.every((peer) => found?.[peer]?.loss !== undefined)) continue
    const kept = { ...tuned, splits: { [name]: { fingerprint, tasks: { [task.task]: found ?? {} } } } }
    const reports = await runJob(
      'tune',
      { ...job, tuned: kept, table: { ...job.table, tasks: [task] } },
      search,
    )
    const settings = Object.fromEntries(reports.map(({ peer, params }) => [peer, params]))
    await keepTuned(job, name, { fingerprint, tasks: { [task.task]: settings } })
  }
}

/** Adds a task's settings to those of its split that were chosen on the same rows. */
async function keepTuned({ interpreter }: PeerJob, name: string, split: TunedSplit): Promise<void> {
  const before = await readTuned()
  const kept = before.splits[name]?.fingerprint === split.fingerprint ? before.splits[name].tasks : {}
  const own = { ...split, tasks: { ...kept, ...split.tasks } }
  const splits = Object.entries({ ...before.splits, [name]: own }).sort(([a], [b]) => (a < b ? -1 : 1))
  const tuned: Tuned = {
    versions: { ...before.versions, ...interpreter.versions },
    splits: Object.fromEntries(splits),
  }
  await writeFile(tunedFile, `${JSON.stringify(tuned, null, 1)}\n`)
}

/** Peer → split → task → forecast of the task's test rows. */
export type PeerForecasts = ReadonlyMap<Peer, ReadonlyMap<string, ReadonlyMap<string, TaskForecast>>>

/** Fits every peer with its tuned settings; without such with its defaults and rounds by early stopping. */
export async function forecastPeers(job: PeerJob): Promise<PeerForecasts> {
  const forecasts = new Map<Peer, Map<string, Map<string, TaskForecast>>>()
  for (const { peer, split, task, file, params, ...seconds } of await runJob('fit', job, {
    count: 1,
    seconds: 0,
  })) {
    const bytes = await readFile(join(job.folder, file))
    const values = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength))
    const bySplit = forecasts.get(peer) ?? new Map<string, Map<string, TaskForecast>>()
    const byTask = bySplit.get(split) ?? new Map<string, TaskForecast>()
    const { trainSeconds, predictSeconds } = seconds
    const validationLoss = params.loss ?? null
    byTask.set(task, { values, intervals: null, trainSeconds, predictSeconds, validationLoss })
    forecasts.set(peer, bySplit.set(split, byTask))
  }
  return forecasts
}

/** What there is to say of the settings before they are used, a sentence a split. */
export function tuningNotes({ program, table, tuned }: PeerJob): string[] {
  const own = new Set(table.tasks.map(({ tunedOn }) => tunedOn))
  return [...own].flatMap((split) => {
    const fingerprint = table.fingerprints[split]
    const found = tuned.splits[`${program}/${split}`]
    if (found === undefined)
      return [
        `The peers of ${program}, ${split}, are not tuned: they run with their defaults. --tune ${program} tunes them.`,
      ]
    if (found.fingerprint === fingerprint) return []
    return [
      `The data of ${program}, ${split}, are not those that the peers were tuned on: the settings may be stale. --tune ${program} renews them.`,
    ]
  })
}

async function runJob(command: 'fit' | 'tune', job: PeerJob, search: PeerSearch): Promise<Report[]> {
  const { interpreter, program, folder, table, tuned } = job
  const tasks = table.tasks.map((task) => ({
    ...task,
    params: tuned.splits[`${program}/${task.tunedOn}`]?.tasks[task.task] ?? {},
  }))
  const { rows, columns } = table
  const available = peers.filter((peer) => interpreter.versions[peer] !== undefined)
  await writeFile(
    join(folder, 'job.json'),
    JSON.stringify({ rows, columns, tasks, peers: available, search }),
  )
  await run(interpreter.command, [command, folder], 'inherit')
  return JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')) as Report[]
}

/** Runs the peers' script and returns what it printed. */
function run(command: string, args: readonly string[], stderr: 'ignore' | 'inherit'): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, ['-B', join(peerScripts, 'run.py'), ...args], {
      stdio: ['ignore', 'pipe', stderr],
    })
    let stdout = ''
    child.stdout?.on('data', (part: Buffer) => {
      stdout += part
    })
    child.on('error', reject)
    child.on('close', (code) =>
      code === 0 ? resolve(stdout) : reject(new Error(`${command} ${args.join(' ')} exited with ${code}.`)),
    )
  })
}
