import type { Day } from '../domain/days.ts'
import type { Outcome, Program } from '../domain/program.ts'
import type { BehaviourRelations } from '../features/features.ts'
import { terminalTypes } from '../features/population.ts'
import type { LakeState } from '../lake/commits.ts'
import { type Database, quoteTexts } from '../lake/database.ts'
import { knownUntil } from './known-until.ts'

/**
 * What happened after each spine row's cutoff, in whole days after it. **Shape** all [rows].
 *
 * The only room that reads past a cutoff.
 */
export interface OutcomeDays {
  readonly outcome: Outcome
  /** Days to the first event of the outcome's types: 1 is the day after the cutoff. NaN: none seen. */
  readonly event: Float64Array
  /** Days after the cutoff up to which everything is known. */
  readonly known: Float64Array
}

export interface OutcomeRequest {
  readonly program: Program
  readonly state: LakeState
  readonly relations: BehaviourRelations
  /** Table of (row, customer_id, cutoff). */
  readonly spine: string
  /** Nothing after this day is known. */
  readonly asOf: Day
}

/** Reads one outcome for every spine row, in row order. Events after a terminal outcome did not happen. */
export async function readOutcomeDays(
  database: Database,
  outcome: Outcome,
  request: OutcomeRequest,
): Promise<OutcomeDays | null> {
  const { program, state, relations, spine, asOf } = request
  const covered = knownUntil(program, state, outcome.eventTypes)
  if (covered === null) return null
  const others = outcome.isTerminal ? [] : terminalTypes(program)
  const found = await database.columns(
    `
    with ends as (
      select spine.row, min(events.day - spine.cutoff) as days
      from ${spine} as spine
      join ${relations.events} as events using (customer_id)
      where events.day > spine.cutoff and events.type in ${quoteTexts(others)}
      group by spine.row
    ),
    first_events as (
      select spine.row, min(events.day - spine.cutoff) as days
      from ${spine} as spine
      join ${relations.events} as events using (customer_id)
      where events.day > spine.cutoff and events.day <= $asOf::date and events.type in ${quoteTexts(outcome.eventTypes)}
      group by spine.row
    ),
    observation as (
      select customer_id, max(observed_until) as observed_until from ${relations.customers} group by customer_id
    )
    select
      spine.row,
      case when ends.days is null or first_events.days <= ends.days then first_events.days end::double as event,
      (least($covered::date, $asOf::date, coalesce(observation.observed_until, $asOf::date)) - spine.cutoff)::double as known
    from ${spine} as spine
    left join first_events using (row)
    left join ends using (row)
    left join observation using (customer_id)
    order by spine.row`,
    { asOf, covered },
  )
  return { outcome, event: found.event as Float64Array, known: found.known as Float64Array }
}
