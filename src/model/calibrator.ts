import { type AffineCalibration, affineFits } from './affine-calibration.ts'
import { type CalibrationOptions, chooseCorrection } from './correction-choice.ts'
import { correctedLogit, fitHazardCorrection, type HazardCorrection } from './hazard-correction.ts'
import { unitsOfInterval } from './level.ts'
import { clampProbability, logit, logProbabilityBetween, sigmoid, smallestProbability } from './logit.ts'
import { type AnswerLabels, answerCount, type HazardLabels } from './member.ts'
import type { ParameterProblem } from './parameter-fit.ts'

/**
 * Corrects the conditional hazard of each interval; as every horizon is a product of corrected hazards, horizons
 * stay coherent, for events as for absences (their complement). Plain JSON. [intervals]
 */
export type HazardCalibrator = readonly HazardCorrection[]

/** Corrects the cumulative logits of an answer's distribution. Plain JSON. */
export type AnswerCalibrator = AffineCalibration

/**
 * Chooses and fits, for each interval, a correction of the hazard's logit on rows at risk with a known label, as far
 * as their number allows: see {@link fitHazardCorrection}.
 *
 * **Time** give hazards of rows the members have not learned from. **Shape** `hazards` [rows × intervals].
 */
export function fitHazardCalibrator(
  hazards: ArrayLike<number>,
  labels: HazardLabels,
  options: CalibrationOptions,
): HazardCalibrator {
  return Array.from({ length: labels.intervals }, (_, interval) => {
    const units = unitsOfInterval(labels, hazards, interval)
    const customer = units.row.map((row) => options.customer[row])
    return fitHazardCorrection(units, { ...options, customer })
  })
}

/** Corrected hazards. **Shape** [rows × intervals] → the same, each in [1e-6, 1 − 1e-6]. */
export function applyHazardCalibrator(
  calibrator: HazardCalibrator,
  hazards: ArrayLike<number>,
  intervals: number,
): Float32Array {
  const corrections = calibrator.map((correction) =>
    correction.kind === 'none' ? null : correctedLogit(correction),
  )
  const all = new Float32Array(hazards.length)
  for (let at = 0; at < all.length; at++) {
    const corrected = corrections[at % intervals]
    const hazard = clampProbability(hazards[at])
    all[at] = corrected === null ? hazard : clampProbability(sigmoid(corrected(logit(hazard))))
  }
  return all
}

/**
 * Chooses and fits a correction of the answers' cumulative logits, logit(F_j) → intercept + slope × logit(F_j):
 * a shift moves all answers, a temperature widens or narrows them about the middle of the scale.
 *
 * **Time** give distributions of answers the members have not learned from. **Shape** [answers × 11].
 */
export function fitAnswerCalibrator(
  distributions: ArrayLike<number>,
  answers: Pick<AnswerLabels, 'score' | 'weight'>,
  options: CalibrationOptions,
): AnswerCalibrator {
  const { score } = answers
  const lower = new Float64Array(score.length)
  const upper = new Float64Array(score.length)
  const logits = new Float64Array(answerCount - 1)
  for (let i = 0; i < score.length; i++) {
    cumulativeLogits(distributions, i * answerCount, logits)
    lower[i] = score[i] === 0 ? Number.NEGATIVE_INFINITY : logits[score[i] - 1]
    upper[i] = score[i] === answerCount - 1 ? Number.POSITIVE_INFINITY : logits[score[i]]
  }
  const problem = answerProblem(lower, upper, Float64Array.from(answers.weight))
  return chooseCorrection(
    {
      weight: problem.weight,
      levels: affineFits(problem),
      lossUnder:
        ({ intercept, slope }) =>
        (i) =>
          -logProbabilityBetween(intercept + slope * lower[i], intercept + slope * upper[i]).value,
    },
    options,
  )
}

function answerProblem(lower: Float64Array, upper: Float64Array, weight: Float64Array): ParameterProblem {
  return {
    weight,
    lossOver: (answers, [intercept, slope], slopes) => {
      let loss = 0
      slopes.fill(0)
      for (const i of answers) {
        const cell = logProbabilityBetween(intercept + slope * lower[i], intercept + slope * upper[i])
        loss -= weight[i] * cell.value
        slopes[0] -= weight[i] * (cell.byLower + cell.byUpper)
        if (Number.isFinite(lower[i])) slopes[1] -= weight[i] * cell.byLower * lower[i]
        if (Number.isFinite(upper[i])) slopes[1] -= weight[i] * cell.byUpper * upper[i]
      }
      return loss
    },
  }
}

/** Fills in logit(F_j) for j < 10, strictly increasing. */
function cumulativeLogits(distributions: ArrayLike<number>, from: number, logits: Float64Array): void {
  let cumulative = 0
  for (let answer = 0; answer < answerCount - 1; answer++) {
    cumulative += distributions[from + answer]
    const own = logit(clampProbability(cumulative))
    logits[answer] = answer === 0 ? own : Math.max(own, logits[answer - 1] + smallestProbability)
  }
}

/** Corrected distributions. **Shape** [rows × 11] → the same, each row sums to 1. */
export function applyAnswerCalibrator(
  calibrator: AnswerCalibrator,
  distributions: ArrayLike<number>,
): Float32Array {
  const { kind, intercept, slope } = calibrator
  const corrected = new Float32Array(distributions)
  if (kind === 'none') return corrected
  const logits = new Float64Array(answerCount - 1)
  for (let from = 0; from < corrected.length; from += answerCount) {
    cumulativeLogits(distributions, from, logits)
    let before = 0
    for (let answer = 0; answer < answerCount; answer++) {
      const cumulative = answer === answerCount - 1 ? 1 : sigmoid(intercept + slope * logits[answer])
      const share = Math.max(0, cumulative - before)
      corrected[from + answer] = (share + smallestProbability) / (1 + answerCount * smallestProbability)
      before = cumulative
    }
  }
  return corrected
}
