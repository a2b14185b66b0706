import type { OutcomeDays } from './outcome-days.ts'

/**
 * Interval labels of one outcome. Interval j runs from the end of horizon j − 1 (or the cutoff) to that of horizon j.
 *
 * **Shape** both [rows × intervals], row after row.
 */
export interface IntervalLabels {
  readonly happened: Uint8Array
  /** 1 where the row was event-free at the interval's start and the interval's *end* is known. */
  readonly known: Uint8Array
  /** How many leading intervals have a known end, also behind an event: horizons that can be judged. [rows] */
  readonly observed: Uint8Array
}

/**
 * Cuts days to an event into intervals. An interval counts only if its end is known, whether or not an event fell in
 * it: dropping only the quiet half of a half-observed interval would bias hazards upward.
 *
 * @param censoredAfter days after each row's cutoff beyond which nothing may be used; [rows], Infinity for no limit.
 */
export function cutIntervals(
  days: Pick<OutcomeDays, 'event' | 'known'>,
  horizonsDays: readonly number[],
  censoredAfter: ArrayLike<number>,
): IntervalLabels {
  const rows = days.event.length
  const intervals = horizonsDays.length
  const happened = new Uint8Array(rows * intervals)
  const known = new Uint8Array(rows * intervals)
  const observed = new Uint8Array(rows)
  for (let row = 0; row < rows; row++) {
    const limit = Math.min(days.known[row], censoredAfter[row])
    const event = days.event[row]
    for (let j = 0; j < intervals && horizonsDays[j] <= limit; j++) {
      observed[row]++
      const start = j === 0 ? 0 : horizonsDays[j - 1]
      if (event <= start) continue
      known[row * intervals + j] = 1
      if (event <= horizonsDays[j]) happened[row * intervals + j] = 1
    }
  }
  return { happened, known, observed }
}
