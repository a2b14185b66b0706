import { dotRow, linearDesign } from './linear-design.ts'
import type { Matrix } from './matrix.ts'

/** What each encoded column adds to a prediction. **Shape** both [columns]. */
export interface Additive {
  /** Per encoded unit. */
  readonly weights: readonly number[]
  /** Of the columns over the rows learned from. */
  readonly means: readonly number[]
}

/** An additive stand-in for a task's predictions, and a remainder that it can't tell. Plain JSON. */
export interface Surrogate extends Additive {
  /** Share of the variance of predictions of real rows that the columns add up to. */
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
  fit(predicted: ArrayLike<number>): Additive {
    const { rows, columns, values } = this.#features
    const base = Array.from(predicted).reduce((sum, value) => sum + value, 0) / rows
    const slopes = new Float64Array(columns)
    for (let row = 0; row < rows; row++) {
      const gap = (predicted[row] - base) / rows
      for (let c = 0; c < columns; c++) slopes[c] += gap * values[row * columns + c]
    }
    const standardised = solve(
      this.#factor,
      slopes.map((slope, c) => slope * this.#scale[c]),
    )
    return {
      weights: Array.from(standardised, (weight, c) => weight * this.#scale[c]),
      means: Array.from(this.#means),
    }
  }
}

/** Share of the predictions' variance over some rows that a stand-in's terms add up to; 1 where there is none. */
export function explainedShare(
  { weights }: Additive,
  { rows, columns, values }: Matrix,
  predicted: Float64Array,
): number {
  const own = Float64Array.from(weights)
  const left = predicted.map((value, row) => value - dotRow(values, row * columns, own))
  const varianceOf = (of: Float64Array) => {
    const mean = of.reduce((sum, value) => sum + value, 0) / rows
    return { mean, variance: of.reduce((sum, value) => sum + (value - mean) ** 2, 0) / rows }
  }
  const { mean, variance } = varianceOf(predicted)
  if (variance <= 1e-18 * (1 + mean ** 2)) return 1
  return Math.max(0, 1 - varianceOf(left).variance / variance)
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
