import { densePositions, shuffledIndices } from '../model/folds.ts'
import { type Matrix, selectRows } from '../model/matrix.ts'
import { armScores } from './doubly-robust.ts'
import { crossFitRidge, fitRidge, type LinearFit } from './ridge.ts'

/** Customers in two arms, and what was known of them before. **Shape** arrays are [customers]. */
export interface Comparison {
  readonly features: Matrix
  readonly isTreated: Uint8Array
  /** Customers that were put into an arm together share a number. */
  readonly cluster: Int32Array
  /** Chance of being treated, by what was known before. */
  readonly propensity: Float64Array
}

const mostFolds = 5

/** Scores of the arms for one outcome, of the customers whose outcome is known. */
export interface OutcomeScores {
  /** Those customers, ascending. */
  readonly rows: Int32Array
  readonly control: Float64Array
  readonly treated: Float64Array
  /**
   * What would happen without treatment, foretold by fits that did not see the customer: how much more than for others
   * of its fold, since fits of other folds know of a fold how high it is.
   */
  readonly risk: Float64Array
  /** The same as a linear function of what was known, learned from all who were not treated. */
  readonly riskFit: LinearFit
}

/**
 * Scores of both arms for several outcomes that are known of the same customers, each adjusted for what was known
 * before by linear fits within the arms that did not see the customer.
 *
 * @param rows customers whose outcomes are known, some in each arm. @param outcomes [customers] each, read at `rows`.
 */
export function scoreArms(
  comparison: Comparison,
  { rows, outcomes, seed }: { rows: Int32Array; outcomes: readonly ArrayLike<number>[]; seed: number },
): OutcomeScores[] {
  const features = selectRows(comparison.features, rows)
  const isTreated = Uint8Array.from(rows, (row) => comparison.isTreated[row])
  const cluster = rows.map((row) => comparison.cluster[row])
  const propensity = Float64Array.from(rows, (row) => comparison.propensity[row])
  const targets = outcomes.map((outcome) => Float64Array.from(rows, (row) => outcome[row]))
  const { foldOf, folds } = foldsWithinArms(isTreated, cluster, seed)
  const problemOf = (arm: number) => ({ features, rows: rowsWhere(isTreated, arm), foldOf, folds, targets })
  const untreated = problemOf(0)
  const { predictions: ifControl, penalties, learned } = crossFitRidge(untreated)
  const { predictions: ifTreated } = crossFitRidge(problemOf(1))
  const riskFits = fitRidge(untreated, { learned, penalties, cluster })
  return targets.map((outcome, t) => ({
    ...{ rows, risk: centred(ifControl[t], foldOf, folds), riskFit: riskFits[t] },
    ...armScores({ isTreated, outcome, propensity, ifControl: ifControl[t], ifTreated: ifTreated[t] }),
  }))
}

/** Values less the mean of their fold. */
function centred(values: Float64Array, foldOf: Uint8Array, folds: number): Float64Array {
  const sums = new Float64Array(folds)
  const counts = new Float64Array(folds)
  for (const [row, fold] of foldOf.entries()) {
    sums[fold] += values[row]
    counts[fold]++
  }
  return values.map((value, row) => value - sums[foldOf[row]] / counts[foldOf[row]])
}

/** Rows of an arm. */
export function rowsWhere(isTreated: Uint8Array, arm: number): Int32Array {
  return Int32Array.from(isTreated.keys()).filter((row) => isTreated[row] === arm)
}

/** Folds by cluster, drawn so that each arm is spread over all of them. */
export function foldsWithinArms(
  isTreated: Uint8Array,
  cluster: Int32Array,
  seed: number,
): { foldOf: Uint8Array; folds: number } {
  const { position, count } = densePositions(cluster)
  const armOf = new Uint8Array(count)
  for (let row = 0; row < position.length; row++) armOf[position[row]] = isTreated[row]
  const treated = armOf.reduce((sum, arm) => sum + arm, 0)
  const folds = Math.max(2, Math.min(mostFolds, treated, count - treated))
  const foldOfCluster = new Uint8Array(count)
  const next = [0, 0]
  for (const place of shuffledIndices(count, seed)) foldOfCluster[place] = next[armOf[place]]++ % folds
  return { foldOf: Uint8Array.from(position, (place) => foldOfCluster[place]), folds }
}
