import type { Program } from '../domain/program.ts'
import { quoteText, quoteTexts } from '../lake/database.ts'
import type { BehaviourRelations } from './features.ts'

/** Event types after which a customer is gone. */
export function terminalTypes(program: Program): string[] {
  return program.outcomes.filter((outcome) => outcome.isTerminal).flatMap((outcome) => outcome.eventTypes)
}

export interface PopulationOptions {
  readonly program: Program
  readonly relations: BehaviourRelations
  /** Relation of (customer_id, cutoff) to be judged. */
  readonly candidates: string
}

/**
 * Those of the candidates who are at risk at their cutoff, as a select of (customer_id, cutoff, joined):
 * joined before it, no terminal outcome since joining, still observed, and active where the program asks for it.
 */
export function selectAtRisk({ program, relations, candidates }: PopulationOptions): string {
  const terminal = quoteTexts(terminalTypes(program))
  const days = program.activeWithinDays
  const active = `exists (
      from ${relations.events} as recent
      where recent.customer_id = joined_rows.customer_id and recent.day <= joined_rows.cutoff and recent.day > joined_rows.cutoff - ${days}
    )`
  return `
    with joinings as (${selectJoinings(program, relations)}),
    joined_rows as (
      select
        candidates.customer_id,
        candidates.cutoff,
        max(joinings.day) as joined
      from (${candidates}) as candidates
      join joinings
        on joinings.customer_id = candidates.customer_id and joinings.day <= candidates.cutoff
      group by candidates.customer_id, candidates.cutoff
    ),
    ends as (
      select customer_id, day from ${relations.events} where type in ${terminal}
    ),
    observation as (
      select customer_id, max(observed_until) as observed_until from ${relations.customers} group by customer_id
    )
    select joined_rows.customer_id, joined_rows.cutoff, joined_rows.joined
    from joined_rows
    left join observation using (customer_id)
    where (observation.observed_until is null or observation.observed_until >= joined_rows.cutoff)
      and not exists (
        from ends
        where ends.customer_id = joined_rows.customer_id and ends.day <= joined_rows.cutoff and ends.day >= joined_rows.joined
      )
      ${days === null ? '' : `and ${active}`}`
}

/**
 * When each customer joined, as a select of (customer_id, day): `joined_at` (there may be several), else the day of
 * the first row of any kind that is no terminal outcome. A customer known only by rows without a time is taken to
 * have been there since the program's data began.
 */
export function selectJoinings(program: Program, relations: BehaviourRelations): string {
  const zone = quoteText(program.timezone)
  const terminal = quoteTexts(terminalTypes(program))
  return `
    with declared as (
      select distinct customer_id, (joined_at at time zone ${zone})::date as day
      from ${relations.customers}
      where joined_at is not null
    ),
    dated as (
      select customer_id, day from ${relations.events} where coalesce(type not in ${terminal}, true)
      union all select customer_id, day from ${relations.responses}
      union all select customer_id, day from ${relations.interventions}
      union all select customer_id, (valid_from at time zone ${zone})::date from ${relations.customers} where not undated
    ),
    first_rows as (
      select customer_id, min(day) as day from dated group by customer_id
    ),
    undated as (
      select customer_id, (select min(day) from dated) as day
      from ${relations.customers}
      where customer_id not in (select customer_id from first_rows)
      group by customer_id
    )
    select * from declared
    union all
    select * from (from first_rows union all from undated) as inferred
    where customer_id not in (select customer_id from declared)`
}
