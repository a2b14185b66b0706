import type { Matrix } from '../model/matrix.ts'
import { factorise, solveFactorised } from './cholesky.ts'
import {
  addUp,
  combined,
  readRow,
  type Scaled,
  type Sums,
  scaleColumns,
  sumByFold,
  sumProducts,
} from './ridge-sums.ts'

/** Rows that linear fits learn from, and what they are to foretell. */
export interface RidgeProblem {
  /** [all rows × columns], finite. */
  readonly features: Matrix
  /** Rows that may be learned from, such as those of one arm. */
  readonly rows: Int32Array
  /** Fold of every row, 0 … folds − 1: no row is foretold by a fit that saw its fold. [all rows] */
  readonly foldOf: ArrayLike<number>
  readonly folds: number
  /** One an outcome, [all rows]; read at `rows` only. */
  readonly targets: readonly ArrayLike<number>[]
}

/** **Shape** `predictions[target]`: [all rows]. */
export interface CrossFit {
  readonly predictions: readonly Float64Array[]
  /** Penalty of each target; null where the mean alone foretold no worse. */
  readonly penalties: readonly (number | null)[]
  /** Share of the variance that is foretold of rows outside the fit; 0 where the mean alone serves. */
  readonly explained: readonly number[]
  /** What all rows add up to, for fits on all of them. */
  readonly learned: Learned
}

/** All that is needed of the rows to fit them linearly. */
interface Learned {
  readonly scaled: Scaled
  readonly sums: Sums
}

/** Penalties in units of rows × variance of a column, heaviest first. */
const grid = [2, 0.5, 0.1, 0.02, 0.005, 0.001]

/**
 * Foretells targets linearly, each row by fits of other folds, with the penalty that foretells best.
 *
 * A penalty is chosen by the squared error on the folds left out; where none beats the mean, the mean is what is
 * foretold. Squared errors come from sums of squares and products, so that choosing costs no pass over the rows.
 */
export function crossFitRidge(problem: RidgeProblem): CrossFit {
  const scaled = scaleColumns(problem.features, problem.rows)
  const sums = sumByFold(problem, scaled)
  const total = addUp(sums)
  const rests = sums.map((fold) => combined(total, fold, -1))
  const bases = errorsOutside(sums, rests, null)
  const choices = bases.map((error) => ({ penalty: null as number | null, error }))
  for (const penalty of grid) {
    for (const [target, error] of errorsOutside(sums, rests, penalty).entries())
      if (error < choices[target].error) choices[target] = { penalty, error }
  }
  const penalties = choices.map(({ penalty }) => penalty)
  return {
    predictions: predictByFold(problem, scaled, { rests, penalties }),
    penalties,
    explained: choices.map(({ error }, target) => (bases[target] > 0 ? 1 - error / bases[target] : 0)),
    learned: { scaled, sums: total },
  }
}

/** A linear function of raw features. */
export interface LinearFit {
  readonly intercept: number
  /** [columns] */
  readonly weights: Float64Array
}

/**
 * How sure a linear function is of a row, robust against unequal spread: by the covariance of its coefficients on scaled
 * columns, a leading 1 included; or by variances of its level and of its slope along another linear function.
 */
export type FitSpread =
  | { readonly kind: 'covariance'; readonly scaled: Scaled; readonly covariance: Float64Array }
  | { readonly kind: 'slope'; readonly level: number; readonly slope: number; readonly along: LinearFit }

/** Plain data, so that it can be stored. */
export interface RidgeFit extends LinearFit {
  /** Null where it was not asked for. */
  readonly spread: FitSpread | null
}

/** What a linear function foretells of each row. [rows] */
export function linearAt({ intercept, weights }: LinearFit, { rows, columns, values }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let own = intercept
    for (let c = 0, at = row * columns; c < columns; c++) own += weights[c] * values[at + c]
    return own
  })
}

/** Variance of what is foretold of each row, or of the mean row of a group. [rows] */
export function variancesAt(spread: FitSpread, features: Matrix): Float64Array {
  if (spread.kind === 'slope') {
    const { level, slope, along } = spread
    return linearAt(along, features).map((off) => level + slope * off ** 2)
  }
  const { scaled, covariance } = spread
  const { rows, columns, values } = features
  const x = new Float64Array(columns + 1)
  return Float64Array.from({ length: rows }, (_, row) => {
    readRow(x, values, row, { columns, scaled })
    return quadratic(x, covariance)
  })
}

/**
 * Targets learned from all of `rows`, each with a given penalty (null: the mean alone).
 *
 * @param learned what a cross-fit of the same rows and targets found. @param isSpread whether a target's fit tells how
 * sure it is, which is dear. Default: none. @param cluster rows of one cluster (customer, account) are one observation.
 * [all rows]
 */
export function fitRidge(
  { features, rows, targets }: Pick<RidgeProblem, 'features' | 'rows' | 'targets'>,
  {
    learned: { scaled, sums },
    penalties,
    cluster,
    isSpread,
  }: {
    learned: Learned
    penalties: readonly (number | null)[]
    cluster: ArrayLike<number>
    isSpread?: readonly boolean[]
  },
): RidgeFit[] {
  const factors = new Map(
    [...new Set(penalties)].map((penalty) => [penalty, factorise(penalised(sums, penalty), sums.size)]),
  )
  return targets.map((target, t) => {
    const lower = factors.get(penalties[t]) as Float64Array
    const known = knownSide(sums, penalties[t]).filter((_, at) => at % targets.length === t)
    const coefficients = solveFactorised(lower, known, sums.size)
    const weights = scaled.scale.map((scale, c) => coefficients[c + 1] * scale)
    const fit = { intercept: coefficients[0] - dot(weights, scaled.mean), weights }
    if (!isSpread?.[t]) return { ...fit, spread: null }
    const scores = scoresOf({ features, rows, target }, { scaled, coefficients, cluster })
    return {
      ...fit,
      spread: { kind: 'covariance', scaled, covariance: covarianceOf(lower, scores, sums.size) },
    }
  })
}

/** Sums of residual × row by cluster: what each cluster pulls the coefficients by. */
function scoresOf(
  { features, rows, target }: Pick<RidgeProblem, 'features' | 'rows'> & { target: ArrayLike<number> },
  {
    scaled,
    coefficients,
    cluster,
  }: { scaled: Scaled; coefficients: Float64Array; cluster: ArrayLike<number> },
): Float64Array[] {
  const { columns, values } = features
  const x = new Float64Array(coefficients.length)
  const scores = new Map<number, Float64Array>()
  for (const row of rows) {
    readRow(x, values, row, { columns, scaled })
    const residual = target[row] - dot(x, coefficients)
    const score = scores.get(cluster[row]) ?? new Float64Array(x.length)
    scores.set(cluster[row], score)
    for (let i = 0; i < score.length; i++) score[i] += x[i] * residual
  }
  return [...scores.values()]
}

/**
 * Covariance of the coefficients: what all clusters pull them by, squared, as if there were one more to tell from.
 * **Shape** [size × size]
 */
function covarianceOf(lower: Float64Array, scores: readonly Float64Array[], size: number): Float64Array {
  const pulls = sumProducts(scores, size)
  const correction = scores.length / Math.max(1, scores.length - 1)
  for (let i = 0; i < size; i++)
    for (let j = i; j < size; j++) pulls[j * size + i] = pulls[i * size + j] *= correction
  const half = solveFactorised(lower, pulls, size)
  return solveFactorised(
    lower,
    half.map((_, at) => half[(at % size) * size + Math.floor(at / size)]),
    size,
  )
}

function quadratic(x: Float64Array, matrix: Float64Array): number {
  let sum = 0
  for (let i = 0; i < x.length; i++) {
    if (x[i] === 0) continue
    let own = 0
    for (let j = 0, at = i * x.length; j < x.length; j++) own += matrix[at + j] * x[j]
    sum += x[i] * own
  }
  return sum
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i]
  return sum
}

/** Products with the penalty on their diagonal, the intercept's excepted. Null: the intercept alone. */
function penalised({ rows, products, size }: Sums, penalty: number | null): Float64Array {
  const count = Math.max(1, rows)
  const matrix = penalty === null ? new Float64Array(size * size) : products.slice()
  matrix[0] = count
  for (let i = 1; i < size; i++)
    matrix[i * size + i] = penalty === null ? 1 : matrix[i * size + i] + penalty * count
  return matrix
}

function knownSide({ withTargets, size }: Sums, penalty: number | null): Float64Array {
  return penalty === null ? withTargets.slice().fill(0, withTargets.length / size) : withTargets
}

/** **Shape** [1 + columns × targets] */
function solve(sums: Sums, penalty: number | null): Float64Array {
  return solveFactorised(factorise(penalised(sums, penalty), sums.size), knownSide(sums, penalty), sums.size)
}

/** Squared error of each target on the folds left out. */
function errorsOutside(sums: readonly Sums[], rests: readonly Sums[], penalty: number | null): number[] {
  const targets = sums[0].squares.length
  const errors = new Array<number>(targets).fill(0)
  for (const [place, { squares, products, withTargets, size }] of sums.entries()) {
    const coefficients = solve(rests[place], penalty)
    for (let t = 0; t < targets; t++) {
      let error = squares[t]
      for (let i = 0; i < size; i++) {
        const own = coefficients[i * targets + t]
        let fitted = products[i * size + i] * own - 2 * withTargets[i * targets + t]
        for (let j = i + 1; j < size; j++)
          fitted += 2 * products[i * size + j] * coefficients[j * targets + t]
        error += own * fitted
      }
      errors[t] += error
    }
  }
  return errors
}

function predictByFold(
  { features, foldOf, targets }: RidgeProblem,
  scaled: Scaled,
  { rests, penalties }: { rests: readonly Sums[]; penalties: readonly (number | null)[] },
): Float64Array[] {
  const distinct = [...new Set(penalties)]
  const byFold = rests.map((rest) => {
    const fits = new Map(distinct.map((penalty) => [penalty, solve(rest, penalty)]))
    return penalties.map((penalty, t) => {
      const own = fits.get(penalty) as Float64Array
      return Float64Array.from({ length: rest.size }, (_, i) => own[i * penalties.length + t])
    })
  })
  const { columns, values, rows } = features
  const predictions = targets.map(() => new Float64Array(rows))
  const x = new Float64Array(columns + 1)
  for (let row = 0; row < rows; row++) {
    readRow(x, values, row, { columns, scaled })
    for (let t = 0; t < targets.length; t++) predictions[t][row] = dot(x, byFold[foldOf[row]][t])
  }
  return predictions
}
