import type { Program } from '../domain/program.ts'
import { quoteText, quoteTexts } from '../lake/database.ts'
import { type BehaviourRelations, validDay, validOrder } from './relations.ts'
import { terminalTypes } from './terminal-types.ts'

/** SQL: the day of joining of customers known only by rows without a time. How long they have been there is not known. */
export const alwaysThere = "date '0001-01-01'"

/** Every customer with a row of any kind, as a select of (customer_id). */
export function selectEverybody({
  customers,
  events,
  kept,
  responses,
  interventions,
}: BehaviourRelations): string {
  return [customers, kept?.customers ?? events, responses, interventions]
    .map((relation) => `select customer_id from ${relation}`)
    .join(' union ')
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
  const facts = eventFacts(program, relations)
  const days = program.activeWithinDays
  const active = `exists (
        from ${facts.seen} as recent
        where recent.customer_id = members.customer_id
          and recent.day <= members.cutoff and recent.day > members.cutoff - ${days}
      )`
  return `
    with joinings as (${selectJoinings(program, relations)}),
    members as (
      select
        candidates.customer_id,
        candidates.cutoff,
        max(joinings.day) as joined,
        max(joinings.since) as since
      from (select distinct customer_id, cutoff from (${candidates})) as candidates
      join joinings
        on joinings.customer_id = candidates.customer_id and joinings.day <= candidates.cutoff
      group by candidates.customer_id, candidates.cutoff
    ),
    ends as (from ${facts.ends}),
    observation as (${selectObservedUntil(program, relations, { members: 'members', isByThen: true })})
    select members.customer_id, members.cutoff, members.joined
    from members
    left join observation using (customer_id, cutoff)
    where coalesce(observation.observed_until >= members.cutoff, true)
      and not exists (
        from ends
        where ends.customer_id = members.customer_id
          and ends.day <= members.cutoff and ends."at" >= members.since
      )
      ${days === null ? '' : `and ${active}`}`
}

interface EventFacts {
  /** Relation of (customer_id, day) of events that do not end anything; of each customer at least the first one. */
  readonly dated: string
  /** Relation of (customer_id, day, at) of terminal events; of each customer at least the last one seen. */
  readonly ends: string
  /** Relation of (customer_id, day) of any events; of each customer at least the last one seen. */
  readonly seen: string
}

/** What events say of who is a customer: read from them, or from what is kept of them at the end of the day. */
function eventFacts(program: Program, { events, kept }: BehaviourRelations): EventFacts {
  const terminal = quoteTexts(terminalTypes(program))
  if (kept === undefined)
    return {
      dated: `(select customer_id, day from ${events} where coalesce(type not in ${terminal}, true))`,
      ends: `(select customer_id, day, "at" from ${events} where type in ${terminal})`,
      seen: events,
    }
  const { customers, date } = kept
  return {
    dated: `(select customer_id, first_dated as day from ${customers} where first_dated is not null)`,
    ends: `(select customer_id, date ${quoteText(date)} as day, ended_at as "at" from ${customers} where ended_at is not null)`,
    seen: `(select customer_id, seen_until as day from ${customers})`,
  }
}

/**
 * When each customer joined, as a select of (customer_id, day, since): `joined_at` (there may be several), else the
 * day of the first row of any kind that is no terminal outcome; `since` is the instant. A customer known only by rows
 * without a time is taken to have been there always.
 */
export function selectJoinings(program: Program, relations: BehaviourRelations): string {
  const zone = quoteText(program.timezone)
  return `
    with declared as (
      select distinct customer_id, (joined_at at time zone ${zone})::date as day, joined_at as since
      from ${relations.customers}
      where joined_at is not null
    ),
    dated as (
      from ${eventFacts(program, relations).dated}
      union all select customer_id, day from ${relations.responses}
      union all select customer_id, day from ${relations.interventions}
      union all select customer_id, ${validDay(program.timezone)} from ${relations.customers} where not undated
    ),
    first_rows as (
      select customer_id, min(day) as day from dated group by customer_id
    ),
    undated as (
      select distinct customer_id, ${alwaysThere} as day
      from ${relations.customers}
      where customer_id not in (select customer_id from first_rows)
    )
    from declared
    union all
    select customer_id, day, day::timestamp at time zone ${zone}
    from (from first_rows union all from undated) as inferred
    where customer_id not in (select customer_id from declared)`
}

/**
 * The last day on which each member is observed by plan, as a select of (customer_id, cutoff, observed_until): the
 * latest word of the rows that belong to the joining that counts. No row: no planned end.
 *
 * @param members relation of (customer_id, cutoff, joined); @param isByThen only rows valid at the cutoff have a say.
 */
export function selectObservedUntil(
  program: Program,
  relations: Pick<BehaviourRelations, 'customers'>,
  { members, isByThen }: { members: string; isByThen: boolean },
): string {
  const joinedOn = `(customers.joined_at at time zone ${quoteText(program.timezone)})::date`
  return `
    select members.customer_id, members.cutoff, arg_max(customers.observed_until, ${validOrder}) as observed_until
    from ${members} as members
    join ${relations.customers} as customers using (customer_id)
    where customers.observed_until is not null
      and coalesce(${joinedOn} = members.joined, true)
      ${isByThen ? `and ${validDay(program.timezone)} <= members.cutoff` : ''}
    group by members.customer_id, members.cutoff`
}
