import type { Day } from '../src/domain/days.ts'
import type { Program } from '../src/domain/program.ts'
import { tableShapes } from '../src/domain/tables.ts'
import type { BehaviourRelations } from '../src/features/relations.ts'
import { type Database, quoteName, quoteText, quoteTexts } from '../src/lake/database.ts'
import { fewestEvents, type Leak } from './leaks.ts'

/** Ranks agree so well, among everybody, with the time lived until the outcome or as-of … */
const follows = 0.8
/** … and so well among those with the outcome when all that joining tells is taken off. */
const followsBeyondJoining = 0.7

/**
 * Amounts without a history that count what a customer lived through and stop at an outcome, such as months billed. At
 * no cutoff do they tell the outcome by themselves, but less what had been counted by then they tell its very day.
 *
 * **What this cannot tell:** a count of something that some do a hundred times as often as others, since it says little
 * of time. A planned term, known at joining, agrees with the time lived of those who leave at its end, but not of the
 * others; a number for joining agrees with nothing beyond that.
 */
export async function findStoppedCounters(
  database: Database,
  options: {
    program: Program
    relations: BehaviourRelations
    attributes: readonly { readonly name: string; readonly kind: string }[]
    asOf: Day
  },
): Promise<Leak[]> {
  const { program, attributes } = options
  const leaks: Leak[] = []
  for (const outcome of program.outcomes.filter(({ kind }) => kind === 'event')) {
    for (const { name } of attributes.filter(({ kind }) => kind === 'number')) {
      const { customers, everybody, happened } = await database.row<{
        customers: number
        everybody: number | null
        happened: number | null
      }>(selectAgreement({ ...options, name, types: outcome.eventTypes }))
      if (customers < fewestEvents || everybody === null || happened === null) continue
      // Fisher's lower bound, one-sided 90%.
      const atLeast = Math.tanh(
        Math.atanh(Math.min(0.9999, Math.abs(happened))) - 1.2816 / Math.sqrt(customers - 4),
      )
      if (Math.abs(everybody) < follows || atLeast < followsBeyondJoining || everybody * happened < 0)
        continue
      leaks.push({
        origin: name,
        outcome: outcome.name,
        words: `${name} counts the days until ${outcome.name} and stops there (rank correlation ${everybody.toFixed(2)}): it is known only afterwards.`,
      })
    }
  }
  return leaks
}

/**
 * SQL: one row (customers, everybody, happened): how many have the outcome, the rank correlation of an attribute with
 * the days lived among all, and among those with the outcome the part of it that is not told by the day of joining.
 */
function selectAgreement({
  program,
  relations,
  asOf,
  name,
  types,
}: {
  program: Program
  relations: BehaviourRelations
  asOf: Day
  name: string
  types: readonly string[]
}): string {
  const column = quoteName(tableShapes.customers.extraPrefix + name)
  const zone = quoteText(program.timezone)
  return `
    with happened as (
      select customer_id, min(day) as day
      from ${relations.events}
      where type in ${quoteTexts(types)} and day <= date '${asOf}'
      group by customer_id
    ),
    begun as (
      select customer_id, min(day) as day from ${relations.events} group by customer_id
    ),
    lives as (
      select
        arg_max(${column}, ordinal) as amount,
        min(coalesce((joined_at at time zone ${zone})::date, begun.day)) as joined,
        min(happened.day) as happened
      from ${relations.customers} as customers
      left join begun using (customer_id)
      left join happened using (customer_id)
      where undated and ${column} is not null
      group by customer_id
    ),
    known as (
      select happened is not null as is_happened, amount, joined, coalesce(happened, date '${asOf}') - joined as lived
      from lives
      where joined < coalesce(happened, date '${asOf}')
    ),
    ranked as (
      select
        is_happened,
        ${midRank('amount')} as amount,
        ${midRank('lived')} as lived,
        ${midRank('amount', 'is_happened')} as own_amount,
        ${midRank('lived', 'is_happened')} as own_lived,
        ${midRank('joined', 'is_happened')} as own_joined
      from known
    ),
    agreement as (
      select
        count(*) filter (where is_happened) as customers,
        corr(amount, lived) as everybody,
        corr(own_amount, own_lived) filter (where is_happened) as al,
        corr(own_amount, own_joined) filter (where is_happened) as aj,
        corr(own_lived, own_joined) filter (where is_happened) as lj
      from ranked
    )
    select
      customers,
      if(isfinite(everybody), everybody, null) as everybody,
      case
        when not isfinite(lj) or not isfinite(aj) then if(isfinite(al), al, null)
        when abs(aj) < 0.999 and abs(lj) < 0.999 then (al - aj * lj) / sqrt((1 - aj * aj) * (1 - lj * lj))
      end as happened
    from agreement`
}

/** SQL: the mean rank of equal values, within groups where given. */
function midRank(column: string, group?: string): string {
  const by = group === undefined ? '' : `partition by ${group} `
  const ties = `partition by ${group === undefined ? '' : `${group}, `}${column}`
  return `rank() over (${by}order by ${column}) + (count(*) over (${ties}) - 1) / 2.0`
}
