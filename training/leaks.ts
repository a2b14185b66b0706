import type { Program } from '../src/domain/program.ts'
import { tableShapes } from '../src/domain/tables.ts'
import type { BehaviourRelations, FeatureFrame } from '../src/features/features.ts'
import { type Database, quoteName, quoteText, quoteTexts } from '../src/lake/database.ts'
import { auc } from '../src/model/metrics.ts'
import type { Dataset } from './dataset.ts'
import type { Labelled } from './labelled.ts'
import type { TaskPlan } from './tasks.ts'

/** Something that seems to know the outcome. */
export interface Leak {
  /** What `accept_leaks` would name: an attribute, an event type or metric, or `observed_until`. */
  readonly origin: string
  readonly outcome: string
  /** A sentence that says why it is suspected. */
  readonly words: string
}

/** A single feature that tells an outcome better than this knows more than the past. */
const implausibleAuc = 0.98
const fewestEvents = 20

/** Features that alone predict an outcome implausibly well. */
export function findTellingFeatures(dataset: Dataset, labelled: Labelled, tasks: TaskPlan): Leak[] {
  const leaks: Leak[] = []
  for (const [task, labels] of labelled.outcomes.entries()) {
    const places = Array.from(labelled.rows.keys()).filter(
      (place) => labels.known[place * labels.intervals] === 1,
    )
    const happened = places.map((place) => labels.happened[place * labels.intervals])
    const events = happened.reduce((sum, value) => sum + value, 0)
    if (events < fewestEvents || places.length - events < fewestEvents) continue
    for (const [index, feature] of dataset.frame.features.entries()) {
      const probability = rankingOf(dataset.frame, index, {
        rows: places.map((place) => labelled.rows[place]),
        happened,
      })
      const value = auc({ probability, happened }) ?? 0.5
      const strength = Math.max(value, 1 - value)
      if (strength <= implausibleAuc) continue
      leaks.push({
        origin: feature.origin,
        outcome: tasks.outcomes[task].outcome.name,
        words: `${feature.name} alone tells ${tasks.outcomes[task].outcome.name} with an AUC of ${strength.toFixed(3)}: it is probably known only afterwards.`,
      })
    }
  }
  return leaks
}

/** A number that ranks rows by one feature: categories by their rate with one row left out, missing by its own. */
function rankingOf(
  frame: FeatureFrame,
  index: number,
  { rows, happened }: { rows: readonly number[]; happened: readonly number[] },
): Float64Array {
  const column = frame.columns[index]
  const isMissing = (row: number) => column[row] === null || Number.isNaN(column[row])
  const keyOf = (row: number) =>
    isMissing(row) ? null : typeof column[row] === 'string' ? column[row] : isMissing(row)
  const sums = new Map<unknown, [happened: number, rows: number]>()
  rows.forEach((row, i) => {
    const sum = sums.get(keyOf(row)) ?? [0, 0]
    sums.set(keyOf(row), [sum[0] + happened[i], sum[1] + 1])
  })
  if (!(column instanceof Float64Array)) {
    return Float64Array.from(rows, (row, i) => {
      const [events, count] = sums.get(keyOf(row)) as [number, number]
      return (events - happened[i] + 0.5) / count
    })
  }
  return Float64Array.from(rows, (row) => (isMissing(row) ? -1e300 : column[row]))
}

/** Attributes with a history that is written only when, or after, an outcome happens. */
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
      const { changes, after } = await database.row<{ changes: number; after: number }>(`
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
        select count(*) as changes, count(*) filter (where history.day >= happened.day) as after
        from history
        left join happened using (customer_id)
        where is_change and number > 1`)
      if (changes < fewestEvents || after < 0.95 * changes) continue
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
        select customer_id, max(observed_until) as observed_until from ${relations.customers} group by customer_id
      )
      select count(*) as customers, count(*) filter (where abs(observation.observed_until - happened.day) <= 1) as same
      from happened
      join observation using (customer_id)`)
    if (customers < fewestEvents || same < 0.5 * customers) continue
    leaks.push({
      origin: 'observed_until',
      outcome: outcome.name,
      words: `observed_until falls on the day of ${outcome.name} for ${same} of ${customers} customers: observation ends because it happened, not by plan.`,
    })
  }
  return leaks
}
