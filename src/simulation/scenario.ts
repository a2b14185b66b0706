import { z } from 'zod'
import { type Day, isDay } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import { placeOf, problemsOf } from '../domain/program-problems.ts'
import { amount, oneOrMore, share, strict, text, wholeNumber } from '../domain/schema-parts.ts'
import { segments } from '../domain/segment.ts'

/** A test that a customer passes or not, on a prediction column, an attribute or a feature. Data, never SQL. */
export interface Condition {
  readonly field: string
  readonly is?: string | number | boolean
  readonly in?: readonly (string | number | boolean)[]
  readonly above?: number
  readonly below?: number
}

export type Population =
  | { readonly kind: 'all' }
  | { readonly kind: 'segment'; readonly segment: string }
  | { readonly kind: 'where'; readonly where: readonly Condition[] }
  | { readonly kind: 'customer'; readonly customerId: string }

/** What is done to events of some types in the days in force. Exactly one of its edits is given. */
export interface EventEdit {
  readonly kind: 'events'
  readonly types: readonly string[]
  /** Share of the events that did not come. */
  readonly remove: number | null
  /** Events more a customer. */
  readonly add: number | null
  /** What happens to a number of each event: its value, or a property. */
  readonly amount: {
    /** Null: the value. */
    readonly property: string | null
    readonly scale: number | null
    readonly shift: number | null
    readonly cap: number | null
  } | null
}

export interface AttributeEdit {
  readonly kind: 'attribute'
  readonly attribute: string
  readonly value: string | number | boolean
}

/** Everybody is put into the treated arm of what was really tried. */
export interface InitiativeEdit {
  readonly kind: 'initiative'
  readonly initiative: string
  /** The treated arm; null: the only one. */
  readonly arm: string | null
}

export type Change = EventEdit | AttributeEdit | InitiativeEdit

/** What is done to those who are asked about, and to which share of them. */
export type Edit = Pick<Scenario, 'changes' | 'reach'>

/** A what-if question. */
export interface Scenario {
  readonly name: string
  /** Null: the latest day with predictions. */
  readonly date: Day | null
  readonly population: Population
  readonly changes: readonly Change[]
  /** Edits apply to so many days before the date, as if in force since. */
  readonly inForceDays: number
  /** Share of the population that the change reaches. */
  readonly reach: number
  /** In program currency; per customer reached. */
  readonly cost: { readonly fixed: number; readonly perCustomer: number }
}

const plain = z.union([z.string(), z.number(), z.boolean()], 'a text, a number, true or false')
const number = (allowed: string) => z.number(allowed)

const conditionSchema = strict({
  field: text('a column of the predictions, an attribute or a feature'),
  is: plain.optional(),
  in: z.array(plain, 'a list of values').min(1, 'a list of values').optional(),
  above: number('a number').optional(),
  below: number('a number').optional(),
}).superRefine((condition, context) => {
  const tests = ['is', 'in', 'above', 'below'].filter((key) => Object.hasOwn(condition, key))
  if (tests.length === 0)
    context.addIssue({ code: 'custom', message: 'tests nothing. Add is, in, above or below.' })
})

/** The schema of a population as JSON. */
export const populationSchema = strict({
  segment: z.enum(segments).optional(),
  where: z.array(conditionSchema, 'a list of conditions').min(1, 'a list of conditions').optional(),
  customer: text('a customer_id').optional(),
}).superRefine((population, context) => {
  const given = Object.keys(population)
  if (given.length > 1)
    context.addIssue({
      code: 'custom',
      message: `is told by ${given.join(' and ')}. Keep one; a segment can be a condition: { field: segment, is: … }.`,
    })
})

const edits = ['remove', 'add', 'scale', 'shift', 'cap'] as const

const changeSchema = strict({
  events: oneOrMore(text('the name of an event type'), 'an event type or a list of them').optional(),
  remove: amount(share, [0, 1]).optional(),
  add: amount('how many events more a customer, 0 to 1000', [0, 1000]).optional(),
  property: text('a property of the events').optional(),
  scale: amount('a factor of 0 or more, such as 0.7').optional(),
  shift: number('what is added to the number').optional(),
  cap: number('the most that the number may be').optional(),
  attribute: text('the name of an attribute').optional(),
  set: plain.optional(),
  initiative: text('the name of an initiative').optional(),
  arm: text('the name of an arm').optional(),
}).superRefine((change, context) => {
  const problem = (message: string) => context.addIssue({ code: 'custom', message })
  const kinds = ['events', 'attribute', 'initiative'].filter((key) => Object.hasOwn(change, key))
  if (kinds.length !== 1)
    return problem('needs exactly one of events, attribute and initiative, which say what is changed.')
  const given = edits.filter((key) => change[key] !== undefined)
  if (kinds[0] === 'events') {
    const numbers = given.filter((key) => key !== 'remove' && key !== 'add')
    if (given.length === 0) problem('does nothing. Add remove, add, scale, shift or cap.')
    if (given.length > 1 && numbers.length !== given.length)
      problem('does several things at once. Write each of remove, add and scale as a change of its own.')
    if (change.property !== undefined && numbers.length === 0)
      problem('names a property, which only scale, shift and cap change. Remove it.')
    if (change.set !== undefined) problem('has set, which only attributes have. Remove it.')
  } else if (given.length > 0 || change.property !== undefined) {
    problem(`has ${[...given, ...(change.property ? ['property'] : [])].join(', ')}, which only events have.`)
  }
  if (kinds[0] === 'attribute' && change.set === undefined) problem('needs set, the new value.')
})

/** Days that changes are in force where a scenario does not say. */
export const usualDaysInForce = 90

/** The schema of a scenario as JSON. */
export const scenarioSchema = strict({
  name: z.string('a name, as text').max(200, 'a name of up to 200 characters').default('Scenario'),
  date: z
    .string('a day such as 2026-11-20')
    .refine(isDay, 'an existing day, written as 2026-11-20')
    .optional(),
  population: populationSchema.default({}),
  changes: z
    .array(changeSchema, 'a list of changes, such as [{ events: [ticket], remove: 0.5 }]')
    .max(20, 'up to 20 changes')
    .default([]),
  in_force_days: wholeNumber('a whole number of days from 1 to 366', 366).default(usualDaysInForce),
  reach: amount(share, [0, 1]).default(1),
  cost: strict({
    fixed: amount('an amount in the currency of the program').default(0),
    per_customer: amount('an amount in the currency of the program').default(0),
  }).default({ fixed: 0, per_customer: 0 }),
})
export type ScenarioText = z.output<typeof scenarioSchema>

/**
 * Reads a scenario.
 *
 * **Errors** `scenario`: one that lists every problem with its place, what was found and what is allowed.
 */
export function parseScenario(data: unknown): Scenario {
  const parsed = scenarioSchema.safeParse(data)
  if (!parsed.success) {
    const problems = problemsOf(parsed.error, data).map(
      ({ path, message }) => `${placeOf(path) || 'scenario'}: ${message}`,
    )
    throw usageError(
      'scenario',
      `The scenario cannot be used:\n${problems.map((line) => `- ${line}`).join('\n')}`,
    )
  }
  const { name, date, population, changes, in_force_days, reach, cost } = parsed.data
  if (changes.length > 1 && changes.some(({ initiative }) => initiative !== undefined))
    throw usageError(
      'scenario',
      'The scenario cannot be used:\n- changes: an initiative stands beside others. Its effect was measured by itself: ask of it alone.',
    )
  return {
    name,
    date: date ?? null,
    population: populationOf(population),
    changes: changes.map(changeOf),
    inForceDays: in_force_days,
    reach,
    cost: { fixed: cost.fixed, perCustomer: cost.per_customer },
  }
}

/** A population as it was read. */
export function populationOf({ segment, where, customer }: ScenarioText['population']): Population {
  if (segment !== undefined) return { kind: 'segment', segment }
  if (where !== undefined) return { kind: 'where', where: where as readonly Condition[] }
  return customer === undefined ? { kind: 'all' } : { kind: 'customer', customerId: customer }
}

function changeOf(change: ScenarioText['changes'][number]): Change {
  if (change.initiative !== undefined)
    return { kind: 'initiative', initiative: change.initiative, arm: change.arm ?? null }
  if (change.attribute !== undefined)
    return { kind: 'attribute', attribute: change.attribute, value: change.set as string | number | boolean }
  const { remove = null, add = null, property = null, scale = null, shift = null, cap = null } = change
  const isNumber = remove === null && add === null
  return {
    kind: 'events',
    types: [change.events ?? []].flat(),
    remove,
    add,
    amount: isNumber ? { property, scale, shift, cap } : null,
  }
}
