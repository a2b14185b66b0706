import type { Day } from '../domain/days.ts'
import type { TableName } from '../domain/program.ts'
import type { LakeState } from '../lake/commits.ts'

/**
 * Event type, metric or initiative → the first day of any row of the sources that supply it: before it nothing is
 * known of that part, from it on its absence means that it did not happen.
 *
 * @param asOf parts that first appear after this day do not count. Default: everything.
 */
export function partsBegin(
  state: LakeState,
  table: TableName,
  asOf: Day = '9999-12-31',
): ReadonlyMap<string, Day> {
  const begins = new Map<string, Day>()
  for (const { table: own, spans } of state.sources.values()) {
    if (own !== table) continue
    const first = earliestDay(Object.values(spans).map(({ firstDay }) => firstDay))
    for (const [part, { firstDay }] of Object.entries(spans)) {
      if (first === null || firstDay > asOf) continue
      begins.set(part, earliestDay([first, begins.get(part) ?? first]) as Day)
    }
  }
  return begins
}

/** Null where there is none. */
export function earliestDay(days: Iterable<Day>): Day | null {
  let earliest: Day | null = null
  for (const day of days) if (earliest === null || day < earliest) earliest = day
  return earliest
}

/** The first day from which all of the parts that are ever supplied are known; null where none is. */
export function allBegin(begins: ReadonlyMap<string, Day>, parts: readonly string[]): Day | null {
  let latest: Day | null = null
  for (const part of parts) {
    const day = begins.get(part)
    if (day !== undefined && (latest === null || day > latest)) latest = day
  }
  return latest
}

/** SQL: true where a window of so many days up to the spine row's cutoff lies within the data. */
export function isCovered(begin: Day, days: number): string {
  return `spine.cutoff - ${days - 1} >= date '${begin}'`
}
