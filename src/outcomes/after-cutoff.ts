import type { Day } from '../domain/days.ts'
import { type Metric, metrics } from '../domain/tables.ts'
import type { BehaviourRelations } from '../features/relations.ts'
import { type Database, quoteTexts } from '../lake/database.ts'

export interface AfterRequest {
  readonly relations: Pick<BehaviourRelations, 'events' | 'responses'>
  /** Table of (row, customer_id, cutoff). */
  readonly spine: string
  readonly rows: number
  /** Nothing after this day is known. */
  readonly asOf: Day
  /** Whole days after the cutoff that count. */
  readonly horizonDays: number
}

/** What a spine row's customer did within so many days after the cutoff. **Shape** both [rows] by event type. */
export interface EventsAfter {
  readonly counts: ReadonlyMap<string, Float64Array>
  /** Sums of `value`, in the order of money: exact to a hundredth of a cent. */
  readonly values: ReadonlyMap<string, Float64Array>
}

/** Counts events and adds up their value by type; a type that did not occur is 0. */
export async function readEventsAfter(
  database: Database,
  types: readonly string[],
  { relations, spine, rows, asOf, horizonDays }: AfterRequest,
): Promise<EventsAfter> {
  const found = await database.columns(
    `
    select spine.row, type, count(*) as events, coalesce(sum(value::decimal(18, 4)), 0)::double as value
    from ${spine} as spine
    join ${relations.events} as events using (customer_id)
    where day > cutoff and day <= cutoff + $horizonDays and day <= $asOf::date and type in ${quoteTexts(types)}
    group by spine.row, type`,
    { horizonDays, asOf },
  )
  const blank = () => new Map(types.map((type) => [type, new Float64Array(rows)]))
  const after = { counts: blank(), values: blank() }
  for (const [at, type] of (found.type as string[]).entries()) {
    const row = found.row[at] as number
    ;(after.counts.get(type) as Float64Array)[row] = found.events[at] as number
    ;(after.values.get(type) as Float64Array)[row] = found.value[at] as number
  }
  return after
}

/** The first answer of each metric within so many days after the cutoff. **Shape** [rows] each; NaN: none. */
export async function readAnswersAfter(
  database: Database,
  { relations, spine, rows, asOf, horizonDays }: AfterRequest,
): Promise<ReadonlyMap<Metric, Float64Array>> {
  const found = await database.columns(
    `
    select spine.row, metric, arg_min(score, epoch_us("at")::hugeint * 18446744073709551616 + row_id) as score
    from ${spine} as spine
    join ${relations.responses} as responses using (customer_id)
    where day > cutoff and day <= cutoff + $horizonDays and day <= $asOf::date
    group by spine.row, metric`,
    { horizonDays, asOf },
  )
  const answers = new Map(metrics.map((metric) => [metric, new Float64Array(rows).fill(Number.NaN)]))
  for (const [at, metric] of (found.metric as Metric[]).entries())
    (answers.get(metric) as Float64Array)[found.row[at] as number] = found.score[at] as number
  return answers
}
