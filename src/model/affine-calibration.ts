import { densePositions, foldsByCustomer } from './folds.ts'
import { minimise } from './lbfgs.ts'

/** Which of intercept and slope are free. */
export type CalibrationKind = 'none' | 'shift' | 'temperature' | 'platt'

/** Logit → intercept + slope × logit. */
export interface Calibration {
  readonly kind: CalibrationKind
  readonly intercept: number
  /** At least .05: a correction never turns the order round. */
  readonly slope: number
}

/** A loss of units (rows, answers) as a function of one affine correction. */
export interface AffineProblem {
  /** [units] */
  readonly weight: Float64Array
  /** Loss of unit i; writes its slopes by intercept and by slope into `slopes`. */
  readonly lossAt: (i: number, at: Omit<Calibration, 'kind'>, slopes: Float64Array) => number
}

const none: Calibration = { kind: 'none', intercept: 0, slope: 1 }
const smallestSlope = 0.05
const interceptSpread = 3
const slopeSpread = 1

/** From simple to complex; of one complexity the better competes. */
const complexities: readonly (readonly CalibrationKind[])[] = [['none'], ['shift', 'temperature'], ['platt']]

/**
 * The simplest correction whose cross-validated loss lies within one standard error of the best one's, fitted on
 * all units. The standard error is that of the difference, over customers.
 *
 * With fewer than two customers: none. Source: Platt (1999); the one-standard-error rule of Breiman et al. (1984).
 */
export function chooseCalibration(
  problem: AffineProblem,
  options: { readonly customer: ArrayLike<number>; readonly seed: number; readonly folds?: number },
): Calibration {
  const folds = foldsByCustomer(options.customer, options.folds ?? 5, options.seed)
  if (folds.length === 0) return none
  const candidates = complexities.map((kinds) =>
    kinds
      .map((kind) => ({ kind, losses: heldOutLosses(problem, kind, folds) }))
      .reduce((best, own) => (sumOf(own.losses) < sumOf(best.losses) ? own : best)),
  )
  const best = candidates.reduce((a, b) => (sumOf(b.losses) < sumOf(a.losses) ? b : a))
  const chosen = candidates.find(({ losses }) => {
    const excess = losses.map((loss, i) => loss - best.losses[i])
    return sumOf(excess) <= standardErrorOfSum(excess, options.customer)
  })
  const all = Int32Array.from(problem.weight, (_, i) => i)
  return fitAffine(problem, all, (chosen ?? best).kind)
}

function heldOutLosses(
  problem: AffineProblem,
  kind: CalibrationKind,
  folds: readonly { readonly train: Int32Array; readonly test: Int32Array }[],
): Float64Array {
  const losses = new Float64Array(problem.weight.length)
  const slopes = new Float64Array(2)
  for (const { train, test } of folds) {
    const fitted = fitAffine(problem, train, kind)
    for (const i of test) losses[i] = problem.weight[i] * problem.lossAt(i, fitted, slopes)
  }
  return losses
}

/**
 * Least mean loss over `units`, with a prior as strong as one unit: intercept 0 ± 3, slope 1 ± 1. It keeps a
 * separable handful of units finite and is not felt by hundreds.
 */
export function fitAffine(problem: AffineProblem, units: Int32Array, kind: CalibrationKind): Calibration {
  if (kind === 'none' || units.length === 0) return none
  const total = units.reduce((sum, i) => sum + problem.weight[i], 0)
  if (!(total > 0)) return none
  const freeIntercept = kind === 'temperature' ? 0 : 1
  const freeSlope = kind === 'shift' ? 0 : 1
  const slopes = new Float64Array(2)
  const { parameters } = minimise(
    (at, gradient) => {
      const [intercept, slope] = at
      let loss = (intercept / interceptSpread) ** 2 / 2 + ((slope - 1) / slopeSpread) ** 2 / 2
      gradient[0] = intercept / interceptSpread ** 2
      gradient[1] = (slope - 1) / slopeSpread ** 2
      const scale = units.length / total
      for (const i of units) {
        const weight = scale * problem.weight[i]
        loss += weight * problem.lossAt(i, { intercept, slope }, slopes)
        gradient[0] += weight * slopes[0]
        gradient[1] += weight * slopes[1]
      }
      gradient[0] *= freeIntercept / units.length
      gradient[1] *= freeSlope / units.length
      return loss / units.length
    },
    Float64Array.of(0, 1),
    { gradientTolerance: 1e-7 },
  )
  return { kind, intercept: parameters[0], slope: Math.max(smallestSlope, parameters[1]) }
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0)
}

/** Of a sum over units, where customers, not units, are independent. */
function standardErrorOfSum(values: Float64Array, customer: ArrayLike<number>): number {
  const { position, count } = densePositions(customer)
  const sums = new Float64Array(count)
  values.forEach((value, i) => {
    sums[position[i]] += value
  })
  const mean = sumOf(sums) / count
  const squares = sums.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return Math.sqrt((squares * count) / Math.max(1, count - 1))
}
