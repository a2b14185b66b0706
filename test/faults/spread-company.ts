import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { silentReporter } from '../../src/domain/progress.ts'
import { predictDay } from '../../src/jobs/daily.ts'
import { ingest } from '../../src/jobs/ingest.ts'
import { lakeChanges } from '../../src/lake/commits.ts'
import { lakeFolder, openLake } from '../../src/lake/lake.ts'
import { train } from '../../training/train.ts'
import { type Finished, loyalcast } from '../cli/commands.ts'
import { madeOnce } from '../made-once.ts'
import { makeLastingProgram } from '../programs.ts'
import { smallCompany } from '../small-company.ts'

const binary = join(import.meta.dirname, '../../bin/loyalcast.mjs')
const now = '2025-03-01T00:00:00Z'
const settings = { now, seed: 1, maxRows: 2000, reporter: silentReporter, rowsAtOnce: 0 }
/** Most that a test of these may take, in milliseconds. */
export const patience = 600_000

/** A trained company whose lake is worked at bucket by bucket, by workers and by what commands begin. */
export interface SpreadCompany extends Awaited<ReturnType<typeof makeLastingProgram>> {
  /** Of its lake. */
  readonly folder: string
  /** Where `program.yaml` lies. */
  readonly sources: string
}

export async function makeSpreadCompany(): Promise<SpreadCompany> {
  const { yaml, files } = smallCompany({ customers: 150 })
  const made = await makeLastingProgram({ files, yaml: yaml.replace('small-company', 'company') })
  await madeOnce(made, 'spread', async (folders) => {
    await ingest(made.program, { ...settings, ...folders })
    await train(made.program, { ...settings, ...folders, asOf: '2025-01-20' })
  })
  await cp(made.dataFolder, `${made.dataFolder}-ingested`, { recursive: true })
  return { ...made, sources: made.folder, folder: lakeFolder(made.dataFolder, made.program) }
}

/** The lake as it was before any day was predicted. */
export async function forgetDays({ dataFolder }: SpreadCompany): Promise<void> {
  await rm(dataFolder, { recursive: true })
  await cp(`${dataFolder}-ingested`, dataFolder, { recursive: true })
}

/** The published file of a day. */
export async function publishedFile(
  { program, dataFolder }: Pick<SpreadCompany, 'program' | 'dataFolder'>,
  date: string,
): Promise<Buffer> {
  const lake = await openLake(dataFolder, program)
  return readFile(join(lake.folder, lake.state.predictions.get(date)?.path ?? ''))
}

/** What one process publishes of days, one after the other, where nobody disturbs it. */
export async function undisturbed(company: SpreadCompany, dates: readonly string[]): Promise<Buffer[]> {
  const dataFolder = `${company.dataFolder}-undisturbed`
  await cp(`${company.dataFolder}-ingested`, dataFolder, { recursive: true })
  const files: Buffer[] = []
  for (const date of dates) {
    await predictDay(company.program, { ...settings, ...company, dataFolder, date })
    files.push(await publishedFile({ ...company, dataFolder }, date))
  }
  return files
}

/** How often a day was published. */
export async function publications({ folder }: SpreadCompany, date: string): Promise<number> {
  let count = 0
  for await (const { record } of lakeChanges(folder))
    count += record.predictions.filter((day) => day.date === date).length
  return count
}

/** The steps that runs have noted and that are still there. */
export async function notedSteps({ folder }: SpreadCompany): Promise<string[]> {
  const names = await readdir(join(folder, 'runs'), { recursive: true }).catch(() => [])
  return names.filter((name) => name.endsWith('.json'))
}

/** Waits until so many steps are noted; fails where the run ends before. */
export async function untilNoted(
  company: SpreadCompany,
  steps: number,
  run: Promise<Finished>,
): Promise<void> {
  const ended = run.then(() => true)
  while ((await notedSteps(company)).length < steps)
    if (await Promise.race([ended, setTimeout(20, false)]))
      throw new Error(`The run ended before ${steps} steps were noted.`)
}

export interface DailyWatch {
  /** Of a Redis. */
  readonly url?: string
  /** Options. */
  readonly more?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly start?: (child: ChildProcess) => void
  readonly hear?: (text: string, child: ChildProcess) => void
}

/** Runs `loyalcast daily`; without a Redis it does the work itself. */
export function daily(
  { path, dataFolder, modelsFolder }: SpreadCompany,
  date: string,
  { url, more = [], environment, hear, start }: DailyWatch = {},
): Promise<Finished> {
  const folders = ['--data', dataFolder, '--models', modelsFolder]
  return loyalcast(['daily', path, '--date', date, ...more, ...folders], {
    environment: {
      LOYALCAST_NOW: now,
      LOYALCAST_ROWS_AT_ONCE: '0',
      ...(url && { REDIS_URL: url }),
      ...environment,
    },
    ...(hear && { onStderr: hear }),
    ...(start && { onStart: start }),
  })
}

/** Starts `loyalcast worker` and waits until it is there. @param path of its program file */
export function startWorker(company: SpreadCompany, url: string, path = company.path): Promise<ChildProcess> {
  const folders = ['--data', company.dataFolder, '--models', company.modelsFolder]
  return started([binary, 'worker', path, ...folders], { LOYALCAST_NOW: now, REDIS_URL: url })
}

export interface Trouble {
  /** The worker ends at once when it reads a file with that in its path. */
  readonly diesAt?: string | undefined
  /** The worker says so and halts when it first reads a file that matches this pattern, until it gets a SIGCONT. */
  readonly haltsAt?: string | undefined
}

/** Starts a worker that is soon missed. */
export function startMissedWorker(
  { path, dataFolder, modelsFolder }: SpreadCompany,
  url: string,
  { diesAt = '', haltsAt = '' }: Trouble = {},
): Promise<ChildProcess> {
  const script = join(import.meta.dirname, 'missed-worker.mjs')
  return started([script, path, dataFolder, modelsFolder], {
    REDIS_URL: url,
    DIES_AT: diesAt,
    HALTS_AT: haltsAt,
  })
}

async function started(args: readonly string[], environment: Record<string, string>): Promise<ChildProcess> {
  const child = spawn(process.execPath, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await once(child.stderr as NodeJS.ReadableStream, 'data')
  child.stderr?.resume()
  return child
}

/** Ends a process, at once unless it is asked for, and waits until it has. */
export async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'close')
  child.kill(signal)
  await ended
}
