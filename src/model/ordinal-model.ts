import { blocksOf, everyRow, multiplyDenseRows } from './linear-design.ts'
import { logProbabilityBetween, sigmoid, smallestProbability } from './logit.ts'
import type { Matrix } from './matrix.ts'
import { type AnswerLabels, answerCount } from './member.ts'

/** Leads are divided by this, so that the drift is what 90 days do. */
export const leadUnitDays = 90
/** Thresholds between 11 answers. */
export const thresholdCount = answerCount - 1

/**
 * Proportional-odds model of an answer: P(answer ≤ j) = sigmoid(thresholds[j] − location),
 * location = x · weights + leadDays / 90 × (x · drift + driftIntercept), on raw feature columns.
 */
export interface OrdinalModel {
  readonly columns: number
  /** [columns] */
  readonly weights: Float32Array
  /** What 90 days of lead add to the weights. [columns] */
  readonly drift: Float32Array
  readonly driftIntercept: number
  /** Increasing. [10] */
  readonly thresholds: Float32Array
}

/** Answers to learn from or to judge by: all of `labels` that `picks` names. */
export interface AnswerTarget {
  readonly labels: AnswerLabels
  /** Positions into `labels`. */
  readonly picks: Int32Array
}

/**
 * Distributions of the answer for every row, one set for each wanted lead.
 *
 * **Shape** `leads` [leads][rows] in days → [leads] of [rows × 11], each row sums to 1.
 */
export function predictOrdinal(
  model: OrdinalModel,
  features: Matrix,
  leads: readonly Float32Array[],
): Float32Array[] {
  const sets = leads.map(() => new Float32Array(features.rows * answerCount))
  const { bases, drifts } = locationParts(model, features, everyRow(features))
  for (let row = 0; row < features.rows; row++) {
    sets.forEach((set, k) => {
      answerDistribution(model.thresholds, bases[row] + (leads[k][row] / leadUnitDays) * drifts[row], {
        set,
        at: row * answerCount,
      })
    })
  }
  return sets
}

/** Where each of the rows stands today, and how far 90 days move it. **Shape** both [rows.length] */
function locationParts(
  model: OrdinalModel,
  features: Matrix,
  rows: Int32Array,
): { bases: Float64Array; drifts: Float64Array } {
  const [weights, drift] = [Float64Array.from(model.weights), Float64Array.from(model.drift)]
  const [bases, drifts] = [new Float64Array(rows.length), new Float64Array(rows.length)]
  let from = 0
  for (const block of blocksOf(rows)) {
    bases.set(multiplyDenseRows(features, block, { weights }), from)
    drifts.set(multiplyDenseRows(features, block, { weights: drift }), from)
    from += block.length
  }
  return { bases, drifts: drifts.map((own) => own + model.driftIntercept) }
}

/** Writes the distribution of an answer at a location, 11 shares that sum to 1, into a set. */
export function answerDistribution(
  thresholds: Float32Array,
  location: number,
  { set, at }: { readonly set: Float32Array; readonly at: number },
): void {
  let before = 0
  for (let answer = 0; answer < answerCount; answer++) {
    const cumulative = answer === thresholdCount ? 1 : sigmoid(thresholds[answer] - location)
    const share = Math.max(cumulative - before, 0)
    set[at + answer] = (share + smallestProbability) / (1 + answerCount * smallestProbability)
    before = cumulative
  }
}

/** Total log loss of the picked answers, and their total weight. */
export function ordinalLoss(
  model: OrdinalModel,
  features: Matrix,
  { labels, picks }: AnswerTarget,
): { loss: number; weight: number } {
  let loss = 0
  let weight = 0
  const { bases, drifts } = locationParts(
    model,
    features,
    picks.map((pick) => labels.row[pick]),
  )
  for (const [at, pick] of picks.entries()) {
    const location = bases[at] + (labels.leadDays[pick] / leadUnitDays) * drifts[at]
    const answer = labels.score[pick]
    const lower = answer === 0 ? Number.NEGATIVE_INFINITY : model.thresholds[answer - 1] - location
    const upper = answer === thresholdCount ? Number.POSITIVE_INFINITY : model.thresholds[answer] - location
    loss -= labels.weight[pick] * logProbabilityBetween(lower, upper).value
    weight += labels.weight[pick]
  }
  return { loss, weight }
}
