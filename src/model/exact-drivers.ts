import { expectedAnswer } from '../domain/prediction.ts'
import type { FeatureFrame } from '../features/features.ts'
import { behaviourOf, type Driver } from './drivers.ts'
import { shuffledIndices } from './folds.ts'
import { distributionOf, type Predictions, type Predictor } from './predictor.ts'

/** Where one prediction comes from: `base` and all effects add up to `predicted`, but for rounding of doubles. */
export interface ExactExplanation {
  /** An outcome (probability within its longest horizon) or nps (points, asked today). */
  readonly task: string
  readonly unit: Driver['unit']
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
  const behaviours = [...new Set(customer.features.map(behaviourOf))]
  const orders = Array.from({ length: others.rows }, (_, other) => {
    const order = shuffledIndices(behaviours.length, seed + other)
    return [order, order.slice().reverse()]
  }).flat()
  const walked = walk(customer, others, { behaviours, orders })
  const tasks = tasksOf(predictor.predict(walked, [0]))
  const actual = tasksOf(predictor.predict(customer, [0]))
  const steps = behaviours.length + 1
  return tasks.map(({ task, unit, said }, index) => {
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
    const named = behaviours.map((behaviour, place) => ({ behaviour, effect: effects[place] }))
    return {
      task,
      unit,
      base,
      predicted: actual[index].said(0),
      effects: named.sort((a, b) => Math.abs(b.effect) - Math.abs(a.effect)),
    }
  })
}

/** Rows of all walks: each starts as another customer and takes over the customer's behaviours one by one. */
function walk(
  customer: FeatureFrame,
  others: FeatureFrame,
  { behaviours, orders }: { behaviours: readonly string[]; orders: readonly Int32Array[] },
): FeatureFrame {
  const steps = behaviours.length + 1
  const rows = orders.length * steps
  // Place of each behaviour in each order: from that step on the walk has it from the customer.
  const taken = orders.map((order) => {
    const places = new Int32Array(order.length)
    order.forEach((behaviour, step) => {
      places[behaviour] = step + 1
    })
    return places
  })
  const columns = customer.features.map((feature, column) => {
    const behaviour = behaviours.indexOf(behaviourOf(feature))
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

interface Task {
  readonly task: string
  readonly unit: Driver['unit']
  readonly said: (row: number) => number
}

/** Tasks with skill; a base rate has no drivers. */
function tasksOf({ outcomes, answers }: Predictions): Task[] {
  const tasks = outcomes
    .filter(({ model }) => model.hasSkill)
    .map(
      ({ model, probabilities }): Task => ({
        task: model.name,
        unit: 'probability',
        said: (row) => probabilities[(row + 1) * model.horizonsDays.length - 1],
      }),
    )
  if (!answers?.model.hasSkill) return tasks
  const [today] = answers.distributions
  return [
    ...tasks,
    { task: 'nps', unit: 'points', said: (row) => expectedAnswer(distributionOf(today, row)) },
  ]
}
