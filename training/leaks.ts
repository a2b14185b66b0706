import type { Outcome } from '../src/domain/program.ts'
import type { FeatureFrame } from '../src/features/features.ts'
import { auc } from '../src/model/metrics.ts'
import type { Dataset } from './dataset.ts'
import type { Labelled } from './labelled.ts'
import { drawEver, drawSoon, type LeakSample, pickSample } from './leak-samples.ts'
import type { TaskPlan } from './tasks.ts'

/** Something that seems to know the outcome. */
export interface Leak {
  /** What `accept_leaks` would name: an attribute, an event type or metric, or `observed_until`. */
  readonly origin: string
  readonly outcome: string
  /** A sentence that says why it is suspected. */
  readonly words: string
}

/** What tells an outcome better than this, also at the lower bound of chance, knows more than the past. */
const implausible = { share: 0.98, atLeast: 0.95 }
/** One-sided 90%: 31 customers without exception are enough, as many as a task needs at least. */
const normalQuantile = 1.2816
/** Fewer customers or rows than this say nothing. */
export const fewestEvents = 20

/** Lower bound of a share found among so many (Wilson). Unlike a normal bound it does not trust a perfect few. */
export function lowerBound(share: number, count: number): number {
  if (count === 0) return 0
  const z2 = normalQuantile ** 2 / count
  const spread = normalQuantile * Math.sqrt((share * (1 - share) + z2 / 4) / count)
  return (share + z2 / 2 - spread) / (1 + z2)
}

function isImplausible(share: number, customers: number): boolean {
  return share > implausible.share && lowerBound(share, customers) > implausible.atLeast
}

/** What happened to some rows, with a feature to be judged beside it. **Shape** all [rows]. */
interface Judged {
  readonly customer: ArrayLike<number>
  readonly happened: ArrayLike<number>
  /** NaN or null: missing. */
  readonly values: Float64Array | (string | null)[]
}

/**
 * Features that alone predict an outcome implausibly well: as a ranking, or, for attributes, by a single state (filled,
 * missing, not zero, a category) that comes with the rarer side almost always. Attributes are also judged by whether
 * the outcome ever came: one without a history marks a customer long before, and over a short horizon it hides.
 *
 * An outcome's own events, and for an absence all activity, are no leak: that they go on or stay away is the point.
 */
export function findTellingFeatures(dataset: Dataset, labelled: Labelled, tasks: TaskPlan): Leak[] {
  const { frame, catalogue } = dataset
  const attributes = new Set([...catalogue.attributes.map(({ name }) => name), 'annual_value'])
  return tasks.outcomes.flatMap(({ outcome }, task) => {
    const soon = sampleCustomers(drawSoon(labelled, task))
    const ever = drawEver(dataset, labelled, { tasks, task })
    return frame.features.flatMap(({ name, origin }, index): Leak[] => {
      if (isOwnHistory(origin, outcome)) return []
      const judge = ({ rows, customer, happened }: LeakSample) => ({
        customer,
        happened,
        values: pickValues(frame.columns[index], rows),
      })
      const telling = attributes.has(origin)
        ? (tellingAttribute(judge(soon)) ?? tellingAttribute(judge(ever)))
        : tellingRank(judge(soon))
      if (telling === null) return []
      const words = `${name} alone tells ${outcome.name} ${telling}: it is probably known only afterwards.`
      return [{ origin, outcome: outcome.name, words }]
    })
  })
}

function pickValues(column: FeatureFrame['columns'][number], rows: Int32Array): Judged['values'] {
  return column instanceof Float64Array
    ? Float64Array.from(rows, (row) => column[row])
    : Array.from(rows, (row) => column[row])
}

function tellingAttribute(judged: Judged): string | null {
  return tellingRank(judged) ?? tellingState(judged)
}

/** More rows would say the same: a leak is no matter of the third decimal. */
const mostRows = 20_000

/** The rows of some customers, evenly spread over their numbers, where there are many rows. */
function sampleCustomers(sample: LeakSample): LeakSample {
  const oneIn = Math.ceil(sample.rows.length / mostRows)
  return oneIn <= 1 ? sample : pickSample(sample, (customer) => customer % oneIn === 0)
}

/** Whether an origin is what the outcome is made of: its own events, and for an absence all activity. */
export function isOwnHistory(origin: string, { kind, eventTypes }: Outcome): boolean {
  if (kind === 'absence' && origin === 'activity') return true
  return eventTypes.some((type) => origin === type || origin.startsWith(`${type}.`))
}

/** How a feature's order tells the outcome; null where it does not, or with too few customers to say. */
function tellingRank({ customer, happened, values }: Judged): string | null {
  const sides = [new Set<number>(), new Set<number>()]
  for (let i = 0; i < happened.length; i++) sides[happened[i]].add(customer[i])
  const customers = Math.min(sides[0].size, sides[1].size)
  if (customers < fewestEvents) return null
  const isNumber = values instanceof Float64Array
  if (isNumber && isPlainlyHarmless(values, happened)) return null
  const probability = isNumber ? missingLowest(values) : ratesOfOthers({ customer, happened, values })
  const value = auc({ probability, happened }) ?? 0.5
  const strength = isNumber ? Math.max(value, 1 - value) : value
  return isImplausible(strength, customers) ? `with an AUC of ${strength.toFixed(3)}` : null
}

/** Every so many-th row tells most features to be no leak, at a fraction of the sorting. */
function isPlainlyHarmless(values: Float64Array, happened: ArrayLike<number>): boolean {
  const step = Math.floor(values.length / rowsForGlance)
  if (step < 2) return false
  const seen = values.filter((_, row) => row % step === 0)
  const glance = { probability: missingLowest(seen), happened: seen.map((_, at) => happened[at * step]) }
  return Math.abs((auc(glance) ?? 1) - 0.5) < harmless - 0.5
}
const rowsForGlance = 4_000
/** So far from what is implausible that the few rows of a glance can't err by as much. */
const harmless = 0.85

function missingLowest(values: Float64Array): Float64Array {
  return values.map((value) => (Number.isNaN(value) ? -Number.MAX_VALUE : value))
}

function isMissing(value: string | number | null): boolean {
  return value === null || Number.isNaN(value)
}

/**
 * A row's category as the rate among the other half of the customers: its own rows would give the customer away. Rows of
 * one half and category are alike, as they should be: less a customer's own rows each would stand a little below those
 * that nothing happened to.
 */
function ratesOfOthers({ customer, happened, values }: Judged): Float64Array {
  type Category = string | null
  const halves = [0, 1].map(() => new Map<Category, { happened: number; rows: number }>())
  for (const [i, value] of (values as Category[]).entries()) {
    const half = halves[customer[i] % 2]
    const sum = half.get(value) ?? { happened: 0, rows: 0 }
    half.set(value, { happened: sum.happened + happened[i], rows: sum.rows + 1 })
  }
  const rate = rateOf(happened)
  return Float64Array.from(values as Category[], (value, i) => {
    const others = halves[1 - (customer[i] % 2)].get(value) ?? { happened: 0, rows: 0 }
    return (others.happened + rate) / (others.rows + 1)
  })
}

function rateOf(happened: ArrayLike<number>): number {
  return Array.from(happened).reduce((sum, value) => sum + value, 0) / Math.max(1, happened.length)
}

/** A category, or that an amount is not zero: it was booked. */
function statesOf(value: string | number): string[] {
  if (typeof value === 'string') return [`= ${value}`]
  return value === 0 ? [] : ['not 0']
}

/** A state of an attribute that comes with the rarer side of the outcome almost always. */
function tellingState({ customer, happened, values }: Judged): string | null {
  const rarer = rateOf(happened) <= 0.5 ? 1 : 0
  const states = new Map<string, { rows: number; rarer: number; customers: Set<number> }>()
  for (let i = 0; i < happened.length; i++) {
    const value = values[i]
    const named = isMissing(value) ? ['missing'] : ['filled', ...statesOf(value as string | number)]
    for (const name of named) {
      const state = states.get(name) ?? { rows: 0, rarer: 0, customers: new Set<number>() }
      state.rows++
      if (happened[i] === rarer) state.rarer++
      state.customers.add(customer[i])
      states.set(name, state)
    }
  }
  for (const [name, state] of states) {
    const share = state.rarer / state.rows
    if (isImplausible(share, state.customers.size))
      return `where it is ${name} (${(100 * share).toFixed(1)}% of ${state.customers.size} customers)`
  }
  return null
}
