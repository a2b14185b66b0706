import type { Day } from '../domain/days.ts'
import type { Outcome, Program } from '../domain/program.ts'
import { selectObservedUntil } from '../features/population.ts'
import type { BehaviourRelations } from '../features/relations.ts'
import { terminalTypes } from '../features/terminal-types.ts'
import type { LakeState } from '../lake/commits.ts'
import { type Database, quoteTexts } from '../lake/database.ts'
import { knownFrom, knownUntil } from './known-until.ts'

/**
 * What happened after each spine row's cutoff, in whole days after it. **Shape** all [rows].
 *
 * The only room that reads past a cutoff.
 */
export interface OutcomeDays {
  readonly outcome: Outcome
  /** Days to the first event of the outcome's types: 1 is the day after the cutoff. NaN: none seen. */
  readonly event: Float64Array
  /** Days after the cutoff up to which everything is known; negative: nothing. */
  readonly known: Float64Array
}

export interface OutcomeRequest {
  readonly program: Program
  readonly state: LakeState
  readonly relations: BehaviourRelations
  /** Table of (row, customer_id, cutoff, joined). */
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
  const from = knownFrom(program, state, outcome) ?? '0001-01-01'
  const others = outcome.isTerminal ? [] : terminalTypes(program)
  const found = await database.columns(
    `
    with after as (
      select spine.row, events."at", events.day - spine.cutoff as days, events.type
      from ${spine} as spine
      join ${relations.events} as events using (customer_id)
      where events.day > spine.cutoff and events.day <= $asOf::date
        and events.type in ${quoteTexts([...outcome.eventTypes, ...others])}
    ),
    firsts as (
      select
        row,
        min("at") filter (where type in ${quoteTexts(others)}) as ended_at,
        min("at") filter (where type in ${quoteTexts(outcome.eventTypes)}) as happened_at,
        min(days) filter (where type in ${quoteTexts(outcome.eventTypes)}) as days
      from after
      group by row
    ),
    observation as (${selectObservedUntil(program, relations, { members: spine, isByThen: false })})
    select
      spine.row,
      case when coalesce(happened_at <= ended_at, true) then firsts.days end::double as event,
      case
        when spine.cutoff + 1 < $from::date then -1
        else least($covered::date, $asOf::date, observation.observed_until) - spine.cutoff
      end::double as known
    from ${spine} as spine
    left join firsts using (row)
    left join observation using (customer_id, cutoff)
    order by spine.row`,
    { asOf, covered, from },
  )
  return { outcome, event: found.event as Float64Array, known: found.known as Float64Array }
}
