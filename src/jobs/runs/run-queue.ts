import pRetry from 'p-retry'
import { failure, LoyalcastError } from '../../domain/errors.ts'
import type { Program } from '../../domain/program.ts'
import { type AskedRun, isOpen, type RunProblem, type RunRecord } from '../../domain/run.ts'
import { lakeFolder } from '../../lake/lake.ts'
import type { Release } from '../../lake/lock.ts'
import { RunRecords } from '../../lake/run-records.ts'
import { type RunCommand, runInChild } from './run-child.ts'

export interface RunQueueOptions {
  readonly dataFolder: string
  readonly command: RunCommand
  /** ISO 8601. */
  readonly clock: () => string
  /** Hears of what nobody expected. */
  readonly onError: (error: unknown) => void
  /** Until a run whose process died is begun again; then twice as long. @default 1000 */
  readonly backoffMs?: number
}

/** What is wanted. */
export interface WantedRun {
  readonly asked: AskedRun
  readonly cause: RunRecord['cause']
  /** Number of the run that is repeated. @default null */
  readonly retryOf?: number | null
  /** Tells whether the runs that there are make it needless. */
  readonly isNeedless?: (runs: readonly RunRecord[]) => boolean
}

/** Takes runs and sees to it that they are done, each in a process of its own, one at a time of a program. */
export interface RunQueue {
  /** Null where it is needless. **Errors** `busy` where too many wait. */
  add(program: Program, wanted: WantedRun): Promise<RunRecord | null>
  /** Stops what this process began. */
  close(): Promise<void>
}

/** Runs of a program that wait for their turn. */
export const mostWaiting = 20
/** How often a run is begun whose process dies. */
export const mostAttempts = 3

/** Refuses a run where too many wait, and where one of those that there are makes it needless. **Errors** `busy` */
export function isNeedlessNow({ isNeedless }: WantedRun): (runs: readonly RunRecord[]) => boolean {
  return (runs) => {
    if (isNeedless?.(runs)) return true
    const waiting = runs.filter(({ status }) => status === 'queued').length
    if (waiting >= mostWaiting)
      throw failure('busy', `${waiting} runs wait for their turn already. Ask again when some are done.`)
    return false
  }
}

/** A queue in this process: what waits is interrupted where it ends. */
export function openRunQueue({ backoffMs = 1000, ...options }: RunQueueOptions): RunQueue {
  const { dataFolder, clock, onError } = options
  const lanes = new Map<string, Promise<void>>()
  const stopping = new AbortController()
  const stop = stopping.signal
  const work = async (program: Program, run: RunRecord, release: Release) => {
    const records = new RunRecords(lakeFolder(dataFolder, program))
    const { number } = run
    const attempt = async () => {
      const now = await records.find(number)
      if (now && isOpen(now)) await runInChild({ ...options, program, records, run: now, stop })
    }
    const patience = {
      retries: mostAttempts - 1,
      minTimeout: backoffMs,
      randomize: false,
      signal: stop,
      shouldRetry,
    }
    try {
      await pRetry(attempt, { ...patience, onFailedAttempt: () => records.requeue(number) })
    } catch (error) {
      await records.end(number, {
        at: clock(),
        ...(stop.aborted ? { status: 'interrupted' } : givenUp(error)),
      })
    } finally {
      await release()
    }
  }
  return {
    async add(program, wanted) {
      const { asked, cause, retryOf = null } = wanted
      const records = new RunRecords(lakeFolder(dataFolder, program))
      const added = await records.addUnless(
        { asked, cause, retryOf, queue: 'process', createdAt: clock() },
        { holder: 'keeper', isNeedless: isNeedlessNow(wanted) },
      )
      if (added === null) return null
      const { run, release } = added
      const before = lanes.get(program.name) ?? Promise.resolve()
      lanes.set(program.name, before.then(() => work(program, run, release)).catch(onError))
      return run
    },
    async close() {
      stopping.abort()
      await Promise.all(lanes.values())
    },
  }
}

/** Whether the process of a run died, which may go better the next time. */
export function hasDied(error: unknown): boolean {
  return error instanceof LoyalcastError && error.code === 'run-died'
}

const shouldRetry = ({ error }: { readonly error: unknown }) => hasDied(error)

/** How a run ends that is not begun again. */
export function givenUp(error: unknown): { readonly status: 'failed'; readonly problem: RunProblem } {
  const message = error instanceof Error ? error.message : String(error)
  if (!hasDied(error)) return { status: 'failed', problem: { kind: 'failed', code: 'internal', message } }
  const words = `${message} It was begun ${mostAttempts} times.`
  return { status: 'failed', problem: { kind: 'failed', code: 'run-died', message: words } }
}
