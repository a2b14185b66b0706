import { localTime, secondsBetween } from '../domain/days.ts'
import type { AskedRun, RunRecord } from '../domain/run.ts'

interface Place {
  /** Of times. */
  readonly timezone: string
  /** ISO 8601. */
  readonly now: string
}

/** A line a run, under a head. */
export function runsInWords(runs: readonly RunRecord[], place: Place): string {
  if (runs.length === 0)
    return 'Nothing was run yet: loyalcast daily predicts a day, loyalcast train trains a version.'
  const rows = runs.map((run) => [
    String(run.number),
    localTime(run.createdAt, place.timezone),
    describeAsked(run.asked),
    run.cause,
    run.status,
    tookOf(run, place.now),
    outcomeOf(run),
  ])
  const all = [['run', 'asked', 'what', 'by', 'status', 'took', 'what came of it'], ...rows]
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)))
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  )
  return lines.join('\n')
}

/** Everything about one run. */
export function runInWords(run: RunRecord, place: Place): string {
  const took = tookOf(run, place.now)
  const times = run.attempts > 1 ? `, begun ${run.attempts} times` : ''
  const repeats = run.retryOf === null ? '' : `, repeats run ${run.retryOf}`
  const lines = [
    `Run ${run.number}: ${describeAsked(run.asked)}, asked by ${run.cause} at ${localTime(run.createdAt, place.timezone)}${repeats}.`,
    `It is ${run.status}${took ? ` after ${took}` : ''}${times}.`,
    outcomeOf(run),
    hintFor(run),
  ]
  return lines.filter(Boolean).join('\n')
}

function describeAsked(asked: AskedRun): string {
  if (asked.kind === 'daily') return `daily ${asked.date}`
  return asked.asOf === null ? 'train' : `train as of ${asked.asOf}`
}

/** How long it took, or has taken so far; empty before it begins, and where nobody knows when it ended. */
function tookOf({ startedAt, finishedAt, status }: RunRecord, now: string): string {
  const end = finishedAt ?? (status === 'running' ? now : null)
  if (startedAt === null || end === null) return ''
  const seconds = Math.max(0, secondsBetween(startedAt, end))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

function outcomeOf({ result, problem, progress, status }: RunRecord): string {
  if (problem) return problem.message
  if (result && 'customers' in result) {
    const { customers, predicted, modelVersion } = result
    return `${predicted} of ${customers} customers predicted with ${modelVersion}.`
  }
  if (result) return `${result.version}, ${result.promoted ? 'promoted' : 'not promoted'}: ${result.reason}.`
  if (progress) return `${progress.phase}: ${progress.done} of ${progress.total}`
  return status === 'interrupted' ? 'Its process ended before it was done.' : ''
}

function hintFor({ status, asked }: RunRecord): string {
  if (status !== 'failed' && status !== 'interrupted' && status !== 'cancelled') return ''
  if (asked.kind === 'train') return 'No version came of it. loyalcast train begins anew.'
  return `Nothing of it was published. loyalcast daily --date ${asked.date} goes on from what it had finished.`
}
