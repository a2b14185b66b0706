import type { Program } from '../../domain/program.ts'
import { isOpen, type RunRecord } from '../../domain/run.ts'
import { type DueDay, lastDue } from '../../domain/schedule.ts'
import type { RunQueue } from './run-queue.ts'

/** Adds the run of the last day that was due, unless that was seen to; null where it was, or there is no schedule. */
export async function addDueRun(program: Program, queue: RunQueue, now: string): Promise<RunRecord | null> {
  const { schedule, timezone } = program
  if (schedule === null) return null
  const due = lastDue({ schedule, timezone }, now)
  const asked = { kind: 'daily', date: due.date } as const
  return queue.add(program, {
    asked,
    cause: 'schedule',
    isNeedless: (runs) => runs.some((run) => sees(run, due)),
  })
}

/**
 * Whether a run sees to a day that is due: by the schedule, whatever came of it unless its process was interrupted, or
 * for somebody who asked for the same day since.
 */
function sees({ asked, cause, status, createdAt }: RunRecord, due: DueDay): boolean {
  if (asked.kind !== 'daily' || asked.date !== due.date) return false
  if (cause === 'schedule') return status !== 'interrupted'
  return (isOpen({ status }) || status === 'done') && Date.parse(createdAt) >= Date.parse(due.at)
}

export interface ScheduleOptions {
  readonly programs: readonly Program[]
  readonly queue: RunQueue
  /** ISO 8601. */
  readonly clock: () => string
  /** Hears why a run could not be added; it is tried again. */
  readonly onError: (error: unknown) => void
  /** Between two looks at the clock, in milliseconds. @default 10_000 */
  readonly lookMs?: number
}

/**
 * Adds the runs of programs when they are due, and at once one that was missed while nothing ran. The clock is looked
 * at again and again: it may be set, and the machine may have slept.
 *
 * @returns what ends it, once a look at hand is over.
 */
export function startDailySchedule({
  programs,
  queue,
  clock,
  onError,
  lookMs = 10_000,
}: ScheduleOptions): () => Promise<void> {
  /** Program → the day that was seen to last. */
  const seen = new Map<string, string>()
  const looks = new Set<Promise<void>>()
  const look = async (program: Program, schedule: string) => {
    const { date } = lastDue({ schedule, timezone: program.timezone }, clock())
    if (seen.get(program.name) === date) return
    await addDueRun(program, queue, clock())
    seen.set(program.name, date)
  }
  const lookAtAll = () => {
    for (const program of programs) {
      if (program.schedule === null) continue
      const own = look(program, program.schedule)
        .catch(onError)
        .finally(() => looks.delete(own))
      looks.add(own)
    }
  }
  lookAtAll()
  const timer = setInterval(lookAtAll, lookMs)
  return async () => {
    clearInterval(timer)
    await Promise.all(looks)
  }
}
