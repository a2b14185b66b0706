import type { Program } from '../src/domain/program.ts'
import { tableShapes } from '../src/domain/tables.ts'
import type { BehaviourRelations } from '../src/features/relations.ts'
import { type Database, quoteName, quoteText, quoteTexts } from '../src/lake/database.ts'
import { fewestEvents, type Leak, lowerBound } from './leaks.ts'

/**
 * Attributes with a history that is written only when, or after, an outcome happens. Where most customers have the
 * outcome, changes after it are to be expected: nothing is said then.
 */
export async function findAfterthoughts(
  database: Database,
  options: { program: Program; relations: BehaviourRelations; attributes: readonly string[] },
): Promise<Leak[]> {
  const { program, relations, attributes } = options
  const zone = quoteText(program.timezone)
  const leaks: Leak[] = []
  for (const outcome of program.outcomes.filter(({ kind }) => kind === 'event')) {
    for (const name of attributes) {
      const column = quoteName(tableShapes.customers.extraPrefix + name)
      const { changes, after, share } = await database.row<{
        changes: number
        after: number
        share: number
      }>(`
        with history as (
          select
            customer_id,
            (valid_from at time zone ${zone})::date as day,
            ${column} is distinct from lag(${column}) over (partition by customer_id order by valid_from, ordinal) as is_change,
            row_number() over (partition by customer_id order by valid_from, ordinal) as number
          from ${relations.customers}
          where not undated
        ),
        happened as (
          select customer_id, min(day) as day from ${relations.events} where type in ${quoteTexts(outcome.eventTypes)} group by customer_id
        )
        select
          count(*) filter (where is_change and number > 1) as changes,
          count(*) filter (where is_change and number > 1 and history.day >= happened.day) as after,
          count(distinct happened.customer_id) / count(distinct customer_id) as share
        from history
        left join happened using (customer_id)`)
      if (changes < fewestEvents || share > 0.5 || lowerBound(after / changes, changes) < 0.9) continue
      leaks.push({
        origin: name,
        outcome: outcome.name,
        words: `${after} of ${changes} changes of ${name} come with or after ${outcome.name}: it is written when it has happened.`,
      })
    }
  }
  return leaks
}

/** Where observation ends on the very day of the outcome, `observed_until` tells it. */
export async function findTellingObservation(
  database: Database,
  { program, relations }: { program: Program; relations: BehaviourRelations },
): Promise<Leak[]> {
  const leaks: Leak[] = []
  for (const outcome of program.outcomes.filter(({ kind }) => kind === 'event')) {
    const { customers, same } = await database.row<{ customers: number; same: number }>(`
      with happened as (
        select customer_id, min(day) as day from ${relations.events} where type in ${quoteTexts(outcome.eventTypes)} group by customer_id
      ),
      observation as (
        select
          customer_id,
          bool_or(abs(observed_until - happened.day) <= 1) as is_same
        from ${relations.customers} as customers
        join happened using (customer_id)
        where observed_until is not null
        group by customer_id
      )
      select count(*) as customers, count(*) filter (where is_same) as same from observation`)
    if (customers < fewestEvents || same < 0.5 * customers) continue
    leaks.push({
      origin: 'observed_until',
      outcome: outcome.name,
      words: `observed_until falls on the day of ${outcome.name} for ${same} of ${customers} customers: observation ends because it happened, not by plan.`,
    })
  }
  return leaks
}
