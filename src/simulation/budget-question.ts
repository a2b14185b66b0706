import { z } from 'zod'
import { type Day, isDay } from '../domain/days.ts'
import { amount, strict, text } from '../domain/schema-parts.ts'
import { type Population, populationOf, populationSchema } from './scenario.ts'

/** Whom to treat with a given budget. */
export interface BudgetQuestion {
  readonly name: string
  /** In program currency. */
  readonly amount: number
  /** Null: all that stand on an experiment or an adjusted comparison. */
  readonly initiatives: readonly string[] | null
  /** Per customer, for all initiatives or by name; null: what it cost when tried. */
  readonly cost: number | Readonly<Record<string, number>> | null
  /** An outcome that is to be moved, instead of money. */
  readonly outcome: string | null
  readonly population: Population
  /** Null: the latest day with predictions. */
  readonly date: Day | null
  /** Day up to which it is known what initiatives did; null: the date. A later one asks whom to have treated. */
  readonly asOf: Day | null
}

const money = 'an amount in the currency of the program, 0 or more'

const day = z.string('a day such as 2026-11-20').refine(isDay, 'an existing day, written as 2026-11-20')

/** The schema of a budget within a question. */
export const budgetSchema = strict({
  name: z.string('a name, as text').max(200, 'a name of up to 200 characters').default('Budget'),
  amount: amount(money),
  initiatives: z
    .array(text('the name of an initiative'), 'a list of names of initiatives')
    .min(1, 'a list of at least one initiative; leave it out for all')
    .max(50, 'up to 50 initiatives')
    .optional(),
  cost_per_customer: z
    .union([amount(money), z.record(z.string(), amount(money))], `${money}, or such an amount by initiative`)
    .optional(),
  outcome: text('the name of an outcome').optional(),
  population: populationSchema.default({}),
  date: day.optional(),
  as_of: day.optional(),
})

export function budgetOf(parsed: z.output<typeof budgetSchema>): BudgetQuestion {
  const { name, amount: budget, initiatives, cost_per_customer, outcome, population, date, as_of } = parsed
  return {
    name,
    amount: budget,
    initiatives: initiatives ? [...new Set(initiatives)] : null,
    cost: cost_per_customer ?? null,
    outcome: outcome ?? null,
    population: populationOf(population),
    date: date ?? null,
    asOf: as_of ?? null,
  }
}
