import { logit, logProbabilityBetween, sigmoid, softplus } from './logit.ts'
import { type AnswerLabels, answerCount, type HazardLabels } from './member.ts'

/**
 * A task as trees learn it: units whose scores, sums of leaves, are to be pushed to where the loss is least.
 *
 * Offsets are what scores are read against: the base logit of each interval, or the thresholds between answers.
 */
export interface TreeTask {
  /** Row of each unit. [units] */
  readonly row: Int32Array
  /** Interval of an outcome, lead in days of an answer. [units] */
  readonly period: Float32Array
  /** Offsets that fit scores best: some Newton steps from those given. */
  settle(scores: Float64Array, offsets: Float64Array): void
  /** Fills the weighted first and second derivative of each unit's loss by its score. */
  slopes(scores: Float64Array, offsets: Float64Array, into: Slopes): void
  /** Weighted mean log loss. */
  loss(scores: Float64Array, offsets: Float64Array): number
}

/** **Shape** both [units] */
export interface Slopes {
  readonly gradient: Float64Array
  readonly curvature: Float64Array
}

/** Hazards of an outcome: a unit for each interval whose end is known, its loss that of "did it fall here?". */
export function hazardTask(labels: HazardLabels): TreeTask & { readonly offsets: Float64Array } {
  const { intervals, known } = labels
  const at = Int32Array.from(known.keys()).filter((place) => known[place] === 1)
  const row = at.map((place) => Math.floor(place / intervals))
  const interval = at.map((place) => place % intervals)
  const happened = Uint8Array.from(at, (place) => labels.happened[place])
  const weight = Float64Array.from(row, (one) => labels.weight[one])
  const total = weight.reduce((sum, own) => sum + own, 0)
  return {
    row,
    period: Float32Array.from(interval),
    offsets: startHazards({ interval, happened, weight, intervals }),
    settle: () => {},
    slopes: (scores, offsets, { gradient, curvature }) => {
      for (let i = 0; i < scores.length; i++) {
        const p = sigmoid(offsets[interval[i]] + scores[i])
        gradient[i] = weight[i] * (p - happened[i])
        curvature[i] = weight[i] * p * (1 - p)
      }
    },
    loss: (scores, offsets) => {
      let loss = 0
      for (let i = 0; i < scores.length; i++) {
        const x = offsets[interval[i]] + scores[i]
        loss += weight[i] * (softplus(x) - happened[i] * x)
      }
      return loss / total
    },
  }
}

/** Base logits; an interval without events sees half of one. */
function startHazards(units: {
  readonly interval: Int32Array
  readonly happened: Uint8Array
  readonly weight: Float64Array
  readonly intervals: number
}): Float64Array {
  const { interval, happened, weight, intervals } = units
  const all = new Float64Array(intervals).fill(1)
  const fell = new Float64Array(intervals).fill(0.5)
  for (let i = 0; i < interval.length; i++) {
    all[interval[i]] += weight[i]
    fell[interval[i]] += weight[i] * happened[i]
  }
  return all.map((sum, j) => logit(fell[j] / sum))
}

/**
 * Answers by proportional odds: P(answer ≤ j) = sigmoid(threshold j − score).
 *
 * Source: McCullagh 1980, "Regression models for ordinal data".
 */
export function answerTask(labels: AnswerLabels): TreeTask & { readonly offsets: Float64Array } {
  const { row, leadDays, score: answers } = labels
  const weight = Float64Array.from(labels.weight)
  const total = weight.reduce((sum, own) => sum + own, 0)
  const shareUpTo = cumulativeShares(answers, weight)
  const threshold = (offsets: Float64Array, answer: number) =>
    answer < 0
      ? Number.NEGATIVE_INFINITY
      : answer === answerCount - 1
        ? Number.POSITIVE_INFINITY
        : offsets[answer]
  return {
    row,
    period: leadDays,
    offsets: Float64Array.from(shareUpTo, logit),
    settle: (scores, offsets) => settleThresholds(offsets, { scores, weight, wanted: shareUpTo, total }),
    slopes: (scores, offsets, { gradient, curvature }) => {
      for (let i = 0; i < scores.length; i++) {
        const upper = sigmoid(threshold(offsets, answers[i]) - scores[i])
        const lower = sigmoid(threshold(offsets, answers[i] - 1) - scores[i])
        gradient[i] = weight[i] * (1 - upper - lower)
        curvature[i] = weight[i] * (upper * (1 - upper) + lower * (1 - lower))
      }
    },
    loss: (scores, offsets) => {
      let loss = 0
      for (let i = 0; i < scores.length; i++) {
        const lower = threshold(offsets, answers[i] - 1) - scores[i]
        const upper = threshold(offsets, answers[i]) - scores[i]
        loss -= weight[i] * logProbabilityBetween(lower, upper).value
      }
      return loss / total
    },
  }
}

/** Share of the answers up to 0, 1, … 9, as if every answer had been given a tenth of a time more. */
function cumulativeShares(answers: Uint8Array, weight: Float64Array): Float64Array {
  const sums = new Float64Array(answerCount).fill(0.1)
  answers.forEach((answer, i) => {
    sums[answer] += weight[i]
  })
  const total = sums.reduce((sum, own) => sum + own, 0)
  let before = 0
  return sums.subarray(0, answerCount - 1).map((sum) => {
    before += sum / total
    return before
  })
}

/** A Newton step of each threshold to where it predicts as many answers up to it as there are. Keeps their order. */
function settleThresholds(
  offsets: Float64Array,
  known: {
    readonly scores: Float64Array
    readonly weight: Float64Array
    readonly wanted: Float64Array
    readonly total: number
  },
): void {
  const { scores, weight, wanted, total } = known
  for (let j = 0; j < offsets.length; j++) {
    let below = 0
    let slope = 0
    for (let i = 0; i < scores.length; i++) {
      const p = sigmoid(offsets[j] - scores[i])
      below += weight[i] * p
      slope += weight[i] * p * (1 - p)
    }
    const moved = offsets[j] + Math.max(-1, Math.min(1, (wanted[j] * total - below) / slope))
    offsets[j] = j === 0 ? moved : Math.max(moved, offsets[j - 1] + 1e-4)
  }
}
