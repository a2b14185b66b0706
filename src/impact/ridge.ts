import { CholeskyDecomposition, Matrix as Dense } from 'ml-matrix'
import type { Matrix } from '../model/matrix.ts'

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
}

/** Penalties in units of rows × variance of a column, heaviest first. */
const grid = [3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001]

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
  const choices = problem.targets.map(() => ({ penalty: null as number | null, error: 0 }))
  const bases = foldErrors(sums, total, null)
  for (const [target, error] of bases.entries()) choices[target].error = error
  for (const penalty of grid) {
    for (const [target, error] of foldErrors(sums, total, penalty).entries())
      if (error < choices[target].error) choices[target] = { penalty, error }
  }
  const penalties = choices.map(({ penalty }) => penalty)
  return {
    predictions: predictByFold(problem, scaled, { sums, total, penalties }),
    penalties,
    explained: choices.map(({ error }, target) => (bases[target] > 0 ? 1 - error / bases[target] : 0)),
  }
}

/** A linear function of raw features and how sure it is. */
export interface RidgeFit {
  readonly intercept: number
  /** [columns] */
  readonly weights: Float64Array
  /** Covariance of intercept and weights, robust against unequal spread. [1 + columns, 1 + columns] */
  readonly covariance: Dense
}

/**
 * One target learned from all of `rows` with a given penalty (null: the mean alone).
 *
 * @param cluster rows of one cluster (customer, account) are one observation. [all rows]
 */
export function fitRidge(
  { features, rows, target }: Pick<RidgeProblem, 'features' | 'rows'> & { target: ArrayLike<number> },
  { penalty, cluster }: { penalty: number | null; cluster: ArrayLike<number> },
): RidgeFit {
  const scaled = scaleColumns(features, rows)
  const sums = addUp(
    sumByFold({ features, rows, foldOf: new Uint8Array(features.rows), folds: 1, targets: [target] }, scaled),
  )
  const { coefficients, inverse } = solve(sums, penalty, true)
  const { columns, values } = features
  const size = columns + 1
  const scores = new Map<number, Float64Array>()
  const x = new Float64Array(size)
  for (const row of rows) {
    readRow(x, values, row, { columns, scaled })
    let residual = target[row]
    for (let i = 0; i < size; i++) residual -= x[i] * coefficients.get(i, 0)
    const score = scores.get(cluster[row]) ?? new Float64Array(size)
    scores.set(cluster[row], score)
    for (let i = 0; i < size; i++) score[i] += x[i] * residual
  }
  const covariance = sandwich(inverse as Dense, [...scores.values()])
  return toRaw(coefficients.getColumn(0), covariance, scaled)
}

interface Scaled {
  readonly mean: Float64Array
  /** 1 / standard deviation; 0 for a constant column, which is then left out. */
  readonly scale: Float64Array
}

function scaleColumns({ columns, values }: Matrix, rows: Int32Array): Scaled {
  const mean = new Float64Array(columns)
  const squares = new Float64Array(columns)
  for (const row of rows) {
    for (let column = 0; column < columns; column++) {
      const x = values[row * columns + column]
      mean[column] += x
      squares[column] += x * x
    }
  }
  const count = Math.max(1, rows.length)
  for (let column = 0; column < columns; column++) mean[column] /= count
  const scale = squares.map((total, column) => {
    const variance = total / count - mean[column] ** 2
    return variance > 1e-9 * (1 + mean[column] ** 2) ? 1 / Math.sqrt(variance) : 0
  })
  return { mean, scale }
}

/** Sums of products of one fold: of the columns (a leading 1 included), and of these with the targets. */
interface Sums {
  readonly rows: number
  readonly products: Dense
  readonly withTargets: Dense
  /** [targets] */
  readonly squares: Float64Array
}

function sumByFold({ features, rows, foldOf, folds, targets }: RidgeProblem, scaled: Scaled): Sums[] {
  const { columns, values } = features
  const size = columns + 1
  const all = Array.from({ length: folds }, () => ({
    rows: 0,
    products: new Float64Array(size * size),
    withTargets: new Float64Array(size * targets.length),
    squares: new Float64Array(targets.length),
  }))
  const x = new Float64Array(size)
  for (const row of rows) {
    const sums = all[foldOf[row]]
    sums.rows++
    readRow(x, values, row, { columns, scaled })
    for (let i = 0; i < size; i++) {
      if (x[i] === 0) continue
      for (let j = i; j < size; j++) sums.products[i * size + j] += x[i] * x[j]
      for (let t = 0; t < targets.length; t++)
        sums.withTargets[i * targets.length + t] += x[i] * targets[t][row]
    }
    for (let t = 0; t < targets.length; t++) sums.squares[t] += targets[t][row] ** 2
  }
  return all.map(({ rows, products, withTargets, squares }) => ({
    rows,
    products: symmetric(products, size),
    withTargets: Dense.from1DArray(size, Math.max(1, targets.length), withTargets),
    squares,
  }))
}

function readRow(
  x: Float64Array,
  values: Float32Array,
  row: number,
  { columns, scaled }: { columns: number; scaled: Scaled },
): void {
  x[0] = 1
  for (let column = 0; column < columns; column++)
    x[column + 1] = (values[row * columns + column] - scaled.mean[column]) * scaled.scale[column]
}

function symmetric(upper: Float64Array, size: number): Dense {
  for (let i = 0; i < size; i++) for (let j = 0; j < i; j++) upper[i * size + j] = upper[j * size + i]
  return Dense.from1DArray(size, size, upper)
}

function addUp(parts: readonly Sums[]): Sums {
  return parts
    .slice(1)
    .reduce((sum, part) => combined(sum, part, 1), combined(parts[0], { ...parts[0], rows: 0 }, 0))
}

function combined(a: Sums, b: Sums, sign: number): Sums {
  return {
    rows: a.rows + sign * b.rows,
    products: Dense.add(a.products, Dense.mul(b.products, sign)),
    withTargets: Dense.add(a.withTargets, Dense.mul(b.withTargets, sign)),
    squares: a.squares.map((square, t) => square + sign * b.squares[t]),
  }
}

/** **Shape** coefficients [1 + columns × targets]. Null: the mean alone. */
function solve(
  { rows, products, withTargets }: Sums,
  penalty: number | null,
  isInverseWanted = false,
): { coefficients: Dense; inverse: Dense | null } {
  const size = products.rows
  const penalised = penalty === null ? Dense.zeros(size, size) : products.clone()
  penalised.set(0, 0, Math.max(1, rows))
  for (let i = 1; i < size; i++)
    penalised.set(i, i, penalty === null ? 1 : products.get(i, i) + penalty * Math.max(1, rows))
  const known = penalty === null ? withTargets.clone() : withTargets
  if (penalty === null)
    for (let i = 1; i < size; i++) for (let t = 0; t < known.columns; t++) known.set(i, t, 0)
  const decomposed = new CholeskyDecomposition(penalised)
  return {
    coefficients: decomposed.solve(known),
    inverse: isInverseWanted ? decomposed.solve(Dense.eye(size, size)) : null,
  }
}

/** Squared error of each target on the folds left out. */
function foldErrors(sums: readonly Sums[], total: Sums, penalty: number | null): number[] {
  const errors = new Array<number>(total.squares.length).fill(0)
  for (const fold of sums) {
    const { coefficients } = solve(combined(total, fold, -1), penalty)
    const fitted = fold.products.mmul(coefficients)
    for (let t = 0; t < errors.length; t++) {
      let error = fold.squares[t]
      for (let i = 0; i < coefficients.rows; i++)
        error += coefficients.get(i, t) * (fitted.get(i, t) - 2 * fold.withTargets.get(i, t))
      errors[t] += error
    }
  }
  return errors
}

function predictByFold(
  { features, foldOf, targets }: RidgeProblem,
  scaled: Scaled,
  { sums, total, penalties }: { sums: readonly Sums[]; total: Sums; penalties: readonly (number | null)[] },
): Float64Array[] {
  const distinct = [...new Set(penalties)]
  const byFold = sums.map((fold) => {
    const rest = combined(total, fold, -1)
    const fits = new Map(distinct.map((penalty) => [penalty, solve(rest, penalty).coefficients]))
    return penalties.map((penalty, t) => Float64Array.from((fits.get(penalty) as Dense).getColumn(t)))
  })
  const { columns, values, rows } = features
  const predictions = targets.map(() => new Float64Array(rows))
  const x = new Float64Array(columns + 1)
  for (let row = 0; row < rows; row++) {
    readRow(x, values, row, { columns, scaled })
    const own = byFold[foldOf[row]]
    for (let t = 0; t < targets.length; t++) {
      let sum = 0
      for (let i = 0; i <= columns; i++) sum += x[i] * own[t][i]
      predictions[t][row] = sum
    }
  }
  return predictions
}

/** Inverse × Σ scores × scoresᵀ × inverse, for as many observations as there are clusters. */
function sandwich(inverse: Dense, scores: readonly Float64Array[]): Dense {
  const size = inverse.rows
  const middle = new Float64Array(size * size)
  for (const score of scores)
    for (let i = 0; i < size; i++) for (let j = i; j < size; j++) middle[i * size + j] += score[i] * score[j]
  const correction = scores.length / Math.max(1, scores.length - 1)
  return inverse.mmul(symmetric(middle, size)).mmul(inverse).mul(correction)
}

/** From standardised columns to raw ones. */
function toRaw(coefficients: readonly number[], covariance: Dense, { mean, scale }: Scaled): RidgeFit {
  const size = coefficients.length
  const change = Dense.eye(size, size)
  for (let i = 1; i < size; i++) {
    change.set(i, i, scale[i - 1])
    change.set(0, i, -mean[i - 1] * scale[i - 1])
  }
  const raw = change.mmul(Dense.columnVector([...coefficients]))
  return {
    intercept: raw.get(0, 0),
    weights: Float64Array.from({ length: size - 1 }, (_, i) => raw.get(i + 1, 0)),
    covariance: change.mmul(covariance).mmul(change.transpose()),
  }
}
