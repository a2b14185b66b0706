import { linearDesign } from './linear-design.ts'
import type { Matrix } from './matrix.ts'

/**
 * An additive stand-in for a task's predictions: what each encoded column adds, and a remainder that it can't tell.
 *
 * Plain JSON. **Shape** `weights`, `means` [columns].
 */
export interface Surrogate {
  /** What is predicted where every column is at its mean. */
  readonly base: number
  /** Per encoded unit. */
  readonly weights: readonly number[]
  /** Of the columns over the rows learned from. */
  readonly means: readonly number[]
  /** Share of the predictions' variance that the columns add up to. */
  readonly explained: number
}

/** On standardised columns: next to none, as there are many more rows than columns that matter. */
const penalty = 1e-3

/**
 * Fits additive stand-ins to predictions by ridge regression on encoded columns: with piecewise bins a sum of curves,
 * one a feature. The columns are looked at once for all tasks.
 */
export class SurrogateFitter {
  readonly #features: Matrix
  readonly #means: Float64Array
  /** 1 / standard deviation, 0 for constant columns. */
  readonly #scale: Float64Array
  /** Lower triangle of the Cholesky factor of the columns' correlations plus the penalty. [columns × columns] */
  readonly #factor: Float64Array

  /** @param features rows to learn from, in their encoded view */
  constructor(features: Matrix) {
    const { mean, scale } = linearDesign(features)
    this.#features = features
    this.#means = mean
    this.#scale = scale
    this.#factor = factorise(correlations(features, mean, scale), features.columns)
  }

  /** @param predicted what to explain: logits of an outcome, points of an answer. [rows] */
  fit(predicted: ArrayLike<number>): Surrogate {
    const { rows, columns, values } = this.#features
    const base = Array.from(predicted).reduce((sum, value) => sum + value, 0) / rows
    const slopes = new Float64Array(columns)
    let variance = 0
    for (let row = 0; row < rows; row++) {
      const gap = (predicted[row] - base) / rows
      variance += gap * (predicted[row] - base)
      for (let c = 0; c < columns; c++) slopes[c] += gap * values[row * columns + c]
    }
    const together = slopes.map((slope, c) => slope * this.#scale[c])
    const standardised = solve(this.#factor, together)
    // Twice the fit's covariance with the predictions less its own variance, which the penalty holds below it.
    const shared = standardised.reduce((sum, weight, c) => sum + weight * together[c], 0)
    const shrunk = penalty * standardised.reduce((sum, weight) => sum + weight ** 2, 0)
    return {
      base,
      weights: Array.from(standardised, (weight, c) => weight * this.#scale[c]),
      means: Array.from(this.#means),
      explained: variance > 1e-18 * (1 + base ** 2) ? Math.min(1, (shared + shrunk) / variance) : 1,
    }
  }
}

/** Lower triangle of the correlations of the columns, the penalty on the diagonal. */
function correlations(
  { rows, columns, values }: Matrix,
  mean: Float64Array,
  scale: Float64Array,
): Float64Array {
  const sums = new Float64Array(columns * columns)
  const filled = new Int32Array(columns)
  for (let row = 0; row < rows; row++) {
    const from = row * columns
    let count = 0
    for (let c = 0; c < columns; c++) if (values[from + c] !== 0) filled[count++] = c
    for (let i = 0; i < count; i++) {
      const value = values[from + filled[i]]
      const start = filled[i] * columns
      for (let k = 0; k <= i; k++) sums[start + filled[k]] += value * values[from + filled[k]]
    }
  }
  for (let a = 0; a < columns; a++) {
    for (let b = 0; b <= a; b++) {
      const shared = sums[a * columns + b] / rows - mean[a] * mean[b]
      sums[a * columns + b] = shared * scale[a] * scale[b] + (a === b ? penalty : 0)
    }
  }
  return sums
}

/** Cholesky factor, in place. */
function factorise(matrix: Float64Array, size: number): Float64Array {
  for (let a = 0; a < size; a++) {
    for (let b = 0; b <= a; b++) {
      let sum = matrix[a * size + b]
      for (let k = 0; k < b; k++) sum -= matrix[a * size + k] * matrix[b * size + k]
      matrix[a * size + b] = a === b ? Math.sqrt(Math.max(sum, penalty / 10)) : sum / matrix[b * size + b]
    }
  }
  return matrix
}

/** The x of factor · factorᵀ · x = wanted. */
function solve(factor: Float64Array, wanted: Float64Array): Float64Array {
  const size = wanted.length
  const x = wanted.slice()
  for (let a = 0; a < size; a++) {
    for (let k = 0; k < a; k++) x[a] -= factor[a * size + k] * x[k]
    x[a] /= factor[a * size + a]
  }
  for (let a = size - 1; a >= 0; a--) {
    for (let k = a + 1; k < size; k++) x[a] -= factor[k * size + a] * x[k]
    x[a] /= factor[a * size + a]
  }
  return x
}
