import type { FeatureFrame } from '../features/features.ts'
import { behavioursOf } from './behaviours.ts'
import { type ExplainedTask, explainedTasks } from './explained-tasks.ts'
import { shuffledIndices } from './folds.ts'
import type { Predictor } from './predictor.ts'

/** Where one prediction comes from: `base` and all effects add up to `predicted`, but for rounding of doubles. */
export interface ExactExplanation {
  /** An outcome (probability within its longest horizon) or nps (points, asked today). */
  readonly task: string
  readonly unit: ExplainedTask['unit']
  /** Mean prediction of the customers compared with. */
  readonly base: number
  readonly predicted: number
  /** Every behaviour, such as a type of event; strongest first. */
  readonly effects: readonly { readonly behaviour: string; readonly effect: number }[]
}

/**
 * Shapley values of the whole predictor: how far each behaviour, all its features together, moves one customer's
 * prediction from the mean of others.
 *
 * Walks from each of the others to the customer, behaviour by behaviour, in a random order and in its reverse: every
 * walk ends at the customer, so the effects add up whatever the orders. More others make them steadier.
 *
 * Source: Štrumbelj & Kononenko 2014, "Explaining prediction models and individual predictions with feature
 * contributions".
 *
 * @param customer one row @param others at least one row, of the same features
 */
export function explainExactly(
  predictor: Predictor,
  { customer, others, seed }: { customer: FeatureFrame; others: FeatureFrame; seed: number },
): ExactExplanation[] {
  const named = behavioursOf(customer.features, predictor.parts.aliases)
  const behaviours = [...new Set(named)]
  const places = Int32Array.from(named, (behaviour) => behaviours.indexOf(behaviour))
  const orders = Array.from({ length: others.rows }, (_, other) => {
    const order = shuffledIndices(behaviours.length, seed + other)
    return [order, order.slice().reverse()]
  }).flat()
  const walked = walk(customer, others, { places, orders })
  const tasks = explainedTasks(predictor.predict(walked, [0]))
  const actual = explainedTasks(predictor.predict(customer, [0]))
  const steps = behaviours.length + 1
  return tasks.map(({ name, unit, said }, index) => {
    const effects = new Float64Array(behaviours.length)
    let base = 0
    orders.forEach((order, walkIndex) => {
      let before = said(walkIndex * steps)
      base += before / orders.length
      order.forEach((behaviour, step) => {
        const after = said(walkIndex * steps + step + 1)
        effects[behaviour] += (after - before) / orders.length
        before = after
      })
    })
    const moved = behaviours.map((behaviour, place) => ({ behaviour, effect: effects[place] }))
    return {
      task: name,
      unit,
      base,
      predicted: actual[index].said(0),
      effects: moved.sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect)),
    }
  })
}

/**
 * Rows of all walks: each starts as another customer and takes over the customer's behaviours one by one.
 *
 * @param places behaviour of each feature
 */
function walk(
  customer: FeatureFrame,
  others: FeatureFrame,
  { places, orders }: { places: Int32Array; orders: readonly Int32Array[] },
): FeatureFrame {
  const steps = orders[0].length + 1
  const rows = orders.length * steps
  // Place of each behaviour in each order: from that step on the walk has it from the customer.
  const taken = orders.map((order) => {
    const steps = new Int32Array(order.length)
    order.forEach((behaviour, step) => {
      steps[behaviour] = step + 1
    })
    return steps
  })
  const columns = customer.features.map((_, column) => {
    const behaviour = places[column]
    const own = customer.columns[column][0]
    const theirs = others.columns[column]
    const values = Array.from({ length: rows }, (_, row) => {
      const walkIndex = Math.floor(row / steps)
      return row % steps >= taken[walkIndex][behaviour] ? own : theirs[Math.floor(walkIndex / 2)]
    })
    return theirs instanceof Float64Array
      ? Float64Array.from(values as number[])
      : (values as (string | null)[])
  })
  return { rows, features: customer.features, columns }
}
