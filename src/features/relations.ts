import type { Day } from '../domain/days.ts'
import { tableShapes } from '../domain/tables.ts'
import { quoteText } from '../lake/database.ts'
import { type Lake, readTable } from '../lake/lake.ts'
import { partsBegin } from './data-begins.ts'
import type { KeptEvents } from './kept-events.ts'

/** Where behaviour is read from. A what-if replaces one of them by edited rows; nothing else changes. */
export interface BehaviourRelations {
  readonly events: string
  readonly customers: string
  readonly responses: string
  readonly interventions: string
  /** What is kept of the events at the end of a day, for those who look at that day alone. Absent: nothing is. */
  readonly kept?: KeptEvents
  /** Event type → first day of what its sources supply, over all buckets. */
  readonly beginsOn: ReadonlyMap<string, Day>
}

/**
 * The lake's own rows, all buckets or some.
 *
 * @param excluded names of leaks; `observed_until` among them makes every customer observed without a planned end.
 */
export function lakeRelations(
  lake: Lake,
  { buckets, excluded }: { buckets?: readonly number[]; excluded?: ReadonlySet<string> } = {},
): BehaviourRelations {
  const read = (table: 'events' | 'customers' | 'responses' | 'interventions') =>
    readTable(lake, table, { prefix: tableShapes[table].extraPrefix, ...(buckets && { buckets }) })
  return {
    events: read('events'),
    customers: excluded?.has('observed_until')
      ? `(select * replace (null::date as observed_until) from ${read('customers')})`
      : read('customers'),
    responses: read('responses'),
    interventions: read('interventions'),
    beginsOn: partsBegin(lake.state, 'events'),
  }
}

/** SQL: the local day from which a row of customers counts; a row without a time always did. */
export function validDay(timezone: string): string {
  return `coalesce((valid_from at time zone ${quoteText(timezone)})::date, date '0001-01-01')`
}

/** SQL: orders the rows of a customer by when they became valid, later readings last. */
export const validOrder =
  "epoch_us(coalesce(valid_from, timestamptz '0001-01-01 00:00:00+00'))::hugeint * 18446744073709551616 + ordinal"
