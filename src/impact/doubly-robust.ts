import jStat from 'jstat'
import { densePositions } from '../model/folds.ts'
import { meanOf } from '../model/metrics.ts'

/** What is known of customers in two arms. **Shape** all [customers]. */
export interface TwoArms {
  readonly isTreated: Uint8Array
  readonly outcome: ArrayLike<number>
  /** Chance of being treated, by what was known before; strictly between 0 and 1. */
  readonly propensity: ArrayLike<number>
  /** Outcome foretold by fits that did not see the customer, were it in each arm. */
  readonly ifControl: ArrayLike<number>
  readonly ifTreated: ArrayLike<number>
}

/**
 * For each customer an unbiased, noisy account of the outcome in each arm: their means are the means of the arms.
 *
 * Right where either the propensity or the foretold outcomes are. With an equal propensity for everybody, as in an
 * experiment, this is the difference of the arms with regression adjustment. Weights are normalised within arms.
 * Source: Robins, Rotnitzky & Zhao (1994); Lin (2013); Chernozhukov et al. (2018) for cross-fitting.
 */
export function armScores({ isTreated, outcome, propensity, ifControl, ifTreated }: TwoArms): {
  readonly control: Float64Array
  readonly treated: Float64Array
} {
  const rows = isTreated.length
  let controlWeight = 0
  let treatedWeight = 0
  for (let i = 0; i < rows; i++) {
    if (isTreated[i]) treatedWeight += 1 / propensity[i]
    else controlWeight += 1 / (1 - propensity[i])
  }
  const control = Float64Array.from(ifControl)
  const treated = Float64Array.from(ifTreated)
  for (let i = 0; i < rows; i++) {
    if (isTreated[i]) treated[i] += ((rows / treatedWeight) * (outcome[i] - ifTreated[i])) / propensity[i]
    else control[i] += ((rows / controlWeight) * (outcome[i] - ifControl[i])) / (1 - propensity[i])
  }
  return { control, treated }
}

/** A difference between arms in the unit of its outcome, per customer. */
export interface Effect {
  readonly control: number
  readonly treated: number
  readonly effect: number
  readonly standardError: number
  readonly ci95: readonly [number, number]
  /** Effect as a share of the control mean with its interval (delta method); null where the control mean is 0. */
  readonly relative: number | null
  readonly relativeCi95: readonly [number, number] | null
  /** An effect of this size would have been found in 80% of experiments like this one. */
  readonly smallestDetectable: number
}

/**
 * Means of the arms' scores and their difference, with 95% intervals over clusters.
 *
 * @param cluster customers that were put into an arm together share a number. [customers]
 */
export function effectOf(
  { control, treated }: { readonly control: ArrayLike<number>; readonly treated: ArrayLike<number> },
  cluster: ArrayLike<number>,
): Effect {
  const means = { control: meanOf(control), treated: meanOf(treated) }
  const effect = means.treated - means.control
  const { position, count } = densePositions(cluster)
  const error = (influence: (i: number) => number) =>
    clusterError(
      Float64Array.from(position, (_, i) => influence(i)),
      position,
      count,
    )
  const standardError = error((i) => treated[i] - control[i] - effect)
  const degrees = Math.max(1, count - 2)
  const quantile = jStat.studentt.inv(0.975, degrees)
  const relative = Math.abs(means.control) > 1e-12 ? effect / means.control : null
  const relativeError =
    relative === null
      ? null
      : error(
          (i) => (treated[i] - means.treated - (1 + relative) * (control[i] - means.control)) / means.control,
        )
  return {
    ...means,
    effect,
    standardError,
    ci95: around(effect, quantile * standardError),
    relative,
    relativeCi95: relative === null ? null : around(relative, quantile * (relativeError as number)),
    smallestDetectable: (quantile + jStat.studentt.inv(0.8, degrees)) * standardError,
  }
}

function around(value: number, half: number): readonly [number, number] {
  return [value - half, value + half]
}

/** Standard error of a mean from the influence of each customer, which sum to 0. */
function clusterError(influence: Float64Array, position: Int32Array, clusters: number): number {
  const sums = new Float64Array(clusters)
  for (let i = 0; i < influence.length; i++) sums[position[i]] += influence[i]
  const squares = sums.reduce((total, sum) => total + sum * sum, 0)
  return Math.sqrt((squares * clusters) / Math.max(1, clusters - 2)) / influence.length
}
