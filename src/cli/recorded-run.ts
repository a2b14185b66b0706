import { Option } from 'commander'
import pRetry from 'p-retry'
import { LoyalcastError, storageFailure, usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { ProgressStep, Reporter } from '../domain/progress.ts'
import type { AskedRun, RunProblem, RunResult } from '../domain/run.ts'
import { lakeFolder } from '../lake/lake.ts'
import type { Release } from '../lake/lock.ts'
import { RunRecords } from '../lake/run-records.ts'
import type { Context } from './context.ts'

/** Between two looks at whether the run is still wanted, and two notes of how far it is, in milliseconds. */
const lookMs = 500
/** How long a process that was given the run before may take to be known for dead, in seconds. */
const longestWaitSeconds = 90

export interface RecordedRun {
  readonly program: Program
  readonly asked: AskedRun
  /** Number of the run, where another process added it and sees to it. */
  readonly number: string | undefined
}

/** For commands that another process starts: which run they are. */
export const runOption = new Option('--run <number>', 'the run that this is').hideHelp()

/**
 * Does the work of a run and keeps a record of it. Where the run is cancelled, or whoever sees to it is gone, this
 * process ends at once: nothing that counts is ever half-written, so nothing need be waited for.
 *
 * @param work given the context with a reporter that also notes how far it is.
 */
export async function recordRun<T>(
  context: Context,
  run: RecordedRun,
  work: (context: Context) => Promise<{ readonly value: T; readonly result: RunResult }>,
): Promise<T> {
  const records = new RunRecords(lakeFolder(context.dataFolder, run.program))
  const { number, release } =
    run.number === undefined ? await add(records, context, run) : await takeUp(records, run)
  const watched = watch(records, number, context.reporter)
  const at = () => context.clock()
  const fail = (problem: RunProblem) => records.end(number, { status: 'failed', at: at(), problem })
  try {
    if (!(await records.start(number, at())))
      throw usageError('run', `Run ${number} of ${run.program.name} has ended, or was never asked for.`)
    const { value, result } = await work({
      ...context,
      reporter: { ...context.reporter, ...watched.reporter },
    })
    const unkept = (error: Error) =>
      context.reporter.warn(`It is done, but the record of the run could not be written: ${error.message}`)
    await watched.stop()
    await records.end(number, { status: 'done', at: at(), result }).catch(unkept)
    return value
  } catch (error) {
    await watched.stop()
    await fail(problemOf(error)).catch(() => {})
    throw error
  } finally {
    await release()
  }
}

interface HeldRun {
  readonly number: number
  readonly release: Release
}

async function add(records: RunRecords, { now }: Context, { asked }: RecordedRun): Promise<HeldRun> {
  const run = { asked, cause: 'command', retryOf: null, queue: 'process', createdAt: now } as const
  const { run: added, release } = await records.add(run, { holder: 'runner' })
  return { number: added.number, release }
}

/** Takes up a run that another process added, as its child: it ends where that one does. */
async function takeUp(records: RunRecords, { number: text }: RecordedRun): Promise<HeldRun> {
  const number = Number(text)
  if (!Number.isSafeInteger(number) || number < 1)
    throw usageError('run', `--run is ${text}; it is the number of a run.`)
  const take = async () => {
    const release = await records.hold(number, 'runner')
    if (release === null) throw new Error(`Another process works at run ${number}.`)
    return release
  }
  const patience = { retries: longestWaitSeconds, minTimeout: 1000, factor: 1 }
  const release = await pRetry(take, patience)
  process.once('disconnect', endNow)
  process.channel?.unref()
  return {
    number,
    release: () => {
      process.off('disconnect', endNow)
      return release()
    },
  }
}

/** Ends this process as any signal would: what it held is free at once, and whoever reads the record knows. */
function endNow(): void {
  process.kill(process.pid, 'SIGTERM')
}

/** Notes from time to time how far a run is, and ends this process where the run is cancelled. */
function watch(
  records: RunRecords,
  number: number,
  reporter: Reporter,
): { readonly reporter: Reporter; stop(): Promise<void> } {
  let latest: ProgressStep | null = null
  let noted = Promise.resolve()
  const look = () => {
    if (records.isUnwanted(number)) endNow()
    if (latest === null) return
    const { phase, done, total } = latest
    latest = null
    noted = noted.then(() => records.note(number, { phase, done, total }))
  }
  const timer = setInterval(look, lookMs).unref()
  return {
    reporter: {
      progress: (step) => {
        latest = step
        reporter.progress(step)
      },
      warn: (sentence) => reporter.warn(sentence),
    },
    stop: () => {
      clearInterval(timer)
      return noted
    },
  }
}

/** What an error says to people; of what nobody expected the command itself says more. */
function problemOf(thrown: unknown): RunProblem {
  const error = storageFailure(thrown) ?? thrown
  if (error instanceof LoyalcastError) {
    const { kind, code, message } = error
    return { kind, code, message }
  }
  const words = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
  return { kind: 'failed', code: 'internal', message: `Something unexpected went wrong: ${words}` }
}
