import { addDays, type Day, daysBetween } from '../src/domain/days.ts'
import type { Program } from '../src/domain/program.ts'
import { selectEverybody } from '../src/features/population.ts'
import type { BehaviourRelations } from '../src/features/relations.ts'
import { type Database, quoteText, quoteTexts } from '../src/lake/database.ts'

/** At which instants the past is looked back from. */
export type CutoffPlan =
  | { readonly kind: 'grid'; readonly days: readonly Day[]; readonly stepDays: number }
  /** Every customer is known on one day only: its end is the customer's one cutoff. */
  | { readonly kind: 'snapshot' }

/** Share of labelled customers with everything but outcomes and answers on one day that makes data a snapshot. */
const snapshotShare = 0.95
const fewestHistoryDays = 10
const mostCutoffs = 36

/**
 * Decides the cutoffs from the data known on `asOf`. A grid starts with the first event, answer or intervention, not
 * with the first joining: before it nothing is known of what happened.
 */
export async function planCutoffs(
  database: Database,
  options: { program: Program; relations: BehaviourRelations; asOf: Day },
): Promise<CutoffPlan> {
  const { program, relations, asOf } = options
  const { customers, snapshots, first } = await database.row<{
    customers: number
    snapshots: number
    first: string | null
  }>(
    `
    with known_days as (${selectKnownDays(program, relations)}),
    behaviour as (
      select day from ${relations.events}
      union all select day from ${relations.responses}
      union all select day from ${relations.interventions}
    ),
    labelled as (${selectLabelled(program, relations)}),
    spread as (
      select customer_id, count(distinct day) as days, bool_or(is_awaited) as is_awaited
      from known_days
      where day <= $asOf::date
      group by customer_id
    )
    select
      count(*) as customers,
      count(*) filter (where spread.days = 1 and not spread.is_awaited) as snapshots,
      coalesce((select min(day) from behaviour), (select min(day) from known_days))::varchar as first
    from (select distinct customer_id from labelled where day <= $asOf::date) as labelled
    left join spread using (customer_id)`,
    { asOf },
  )
  if (customers > 0 && snapshots >= snapshotShare * customers) return { kind: 'snapshot' }
  return gridOfCutoffs(first ?? asOf, asOf, program.horizonsDays[0])
}

/**
 * The days of everything that is neither an outcome nor an NPS answer. What an absence waits for is behaviour; a
 * customer with one day of it, such as one who bought once, is no snapshot.
 */
function selectKnownDays(program: Program, relations: BehaviourRelations): string {
  const happening = program.outcomes.filter((outcome) => outcome.kind === 'event')
  const outcomes = quoteTexts(happening.flatMap((outcome) => outcome.eventTypes))
  const absent = program.outcomes.filter((outcome) => outcome.kind === 'absence')
  const awaited = quoteTexts(absent.flatMap((outcome) => outcome.eventTypes))
  const zone = quoteText(program.timezone)
  return `
    select customer_id, day, coalesce(type in ${awaited}, false) as is_awaited
    from ${relations.events} where coalesce(type not in ${outcomes}, true)
    union all select customer_id, day, false from ${relations.responses} where metric <> 'nps'
    union all select customer_id, day, false from ${relations.interventions}
    union all select customer_id, (valid_from at time zone ${zone})::date, false from ${relations.customers} where not undated
    union all select customer_id, (joined_at at time zone ${zone})::date, false from ${relations.customers} where joined_at is not null`
}

/** Days on which customers showed something to learn from. */
function selectLabelled(program: Program, relations: BehaviourRelations): string {
  const outcomes = quoteTexts(program.outcomes.flatMap((outcome) => outcome.eventTypes))
  return `
    select customer_id, day from ${relations.events} where type in ${outcomes}
    union all select customer_id, day from ${relations.responses} where metric = 'nps'`
}

/**
 * Cutoffs back in time from the last one whose shortest horizon is known; denser where there is little history. The
 * step is no multiple of a week, so that every weekday is met.
 */
export function gridOfCutoffs(first: Day, asOf: Day, shortestHorizonDays: number): CutoffPlan {
  const last = addDays(asOf, -shortestHorizonDays)
  const span = daysBetween(addDays(first, fewestHistoryDays), last)
  const stepDays = span < 240 ? 10 : span < 720 ? 15 : 30
  const days: Day[] = []
  for (let back = 0; back <= span && days.length < mostCutoffs; back += stepDays)
    days.push(addDays(last, -back))
  return { kind: 'grid', days: days.reverse(), stepDays }
}

/** Further apart, two cutoffs of a customer tell almost as much as two customers. */
const widestStepDays = 30

/**
 * Every n-th cutoff back from the last one, so that about `factor` times fewer rows remain; none further apart than 30
 * days. Neighbouring cutoffs share most of their future: leaving some out costs less than leaving out customers.
 */
export function thinCutoffs(plan: CutoffPlan, factor: number): CutoffPlan {
  if (plan.kind === 'snapshot') return plan
  const every = Math.min(Math.ceil(factor), Math.floor(widestStepDays / plan.stepDays))
  if (every <= 1) return plan
  const { days, stepDays } = plan
  return {
    kind: 'grid',
    days: days.filter((_, index) => (days.length - 1 - index) % every === 0),
    stepDays: stepDays * every,
  }
}

/** The candidates (customer_id, cutoff) of a plan, as a select. */
export function selectCandidates(
  plan: CutoffPlan,
  { program, relations, asOf }: { program: Program; relations: BehaviourRelations; asOf: Day },
): string {
  if (plan.kind === 'snapshot') {
    return `
      select customer_id, max(day) as cutoff
      from (${selectKnownDays(program, relations)}) as known_days
      where day <= date '${asOf}'
      group by customer_id
      having count(distinct day) = 1`
  }
  const days = plan.days.map((day) => `date '${day}'`).join(', ')
  return `
    select customer_id, cutoff
    from (${selectEverybody(relations)}) as everybody, (select unnest([${days}]::date[]) as cutoff) as cutoffs`
}
