import { densePositions, foldsByCustomer } from './folds.ts'
import { sampleByCustomer } from './penalty-choice.ts'

/** What to choose among. A unit is what has a loss of its own: a row at risk, an answer. */
export interface CorrectionProblem<Correction> {
  /** [units] */
  readonly weight: Float64Array
  /** Ways to fit a correction to some units, from simple to complex; of one complexity the better competes. */
  readonly levels: readonly (readonly ((units: Int32Array) => Correction)[])[]
  /** Loss of a unit once corrected. */
  readonly lossUnder: (correction: Correction) => (unit: number) => number
}

/** How the choice among corrections is cross-validated. */
export interface CalibrationOptions {
  /** Customer of each row (each answer): stays on one side of a split. */
  readonly customer: ArrayLike<number>
  readonly seed: number
  /** Default 5. */
  readonly folds?: number
}

/** Units to choose by; of more customers the choice would be the same and take longer. The fit is on all. */
const unitsForChoice = 20_000

/**
 * The simplest correction whose cross-validated loss lies within one standard error of the best one's, fitted on
 * all units. The standard error is that of the difference, over customers.
 *
 * With fewer than two customers: the simplest. Source: the one-standard-error rule of Breiman et al. (1984).
 */
export function chooseCorrection<Correction>(
  problem: CorrectionProblem<Correction>,
  options: CalibrationOptions,
): Correction {
  const { weight, levels } = problem
  const all = Int32Array.from(weight, (_, unit) => unit)
  const drawn = sampleByCustomer(options.customer, options.seed, unitsForChoice)
  const customer = drawn.map((unit) => options.customer[unit])
  const folds = foldsByCustomer(customer, options.folds ?? 5, options.seed)
  if (folds.length === 0) return levels[0][0](all)
  const candidates = levels.map((fits) =>
    fits
      .map((fitTo) => ({ fitTo, losses: heldOutLosses(problem, fitTo, { drawn, folds }) }))
      .reduce((best, own) => (sumOf(own.losses) < sumOf(best.losses) ? own : best)),
  )
  const best = candidates.reduce((a, b) => (sumOf(b.losses) < sumOf(a.losses) ? b : a))
  const chosen = candidates.find(({ losses }) => {
    const excess = losses.map((loss, place) => loss - best.losses[place])
    return sumOf(excess) <= standardErrorOfSum(excess, customer)
  })
  return (chosen ?? best).fitTo(all)
}

/** Of each drawn unit, under a correction fitted to the other folds. */
function heldOutLosses<Correction>(
  { weight, lossUnder }: CorrectionProblem<Correction>,
  fitTo: (units: Int32Array) => Correction,
  { drawn, folds }: { readonly drawn: Int32Array; readonly folds: ReturnType<typeof foldsByCustomer> },
): Float64Array {
  const losses = new Float64Array(drawn.length)
  for (const { train, test } of folds) {
    const lossOf = lossUnder(fitTo(train.map((place) => drawn[place])))
    for (const place of test) losses[place] = weight[drawn[place]] * lossOf(drawn[place])
  }
  return losses
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
