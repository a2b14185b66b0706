import { failure } from '../domain/errors.ts'
import type { Matrix } from './matrix.ts'

/**
 * Features with what a linear model needs to see them on one scale, without a scaled copy.
 *
 * Weights are learned for (x − mean) × scale and turned into weights of the raw columns for every pass.
 */
export interface LinearDesign {
  readonly features: Matrix
  /** [columns] */
  readonly mean: Float64Array
  /** 1 / standard deviation of the column, 0 for a constant one. [columns] */
  readonly scale: Float64Array
  /** Columns that are not zero, row after row; null where most are not, so that skipping would not pay. */
  readonly nonZero: NonZeroColumns | null
}

interface NonZeroColumns {
  /** First entry of each row in `column`. [rows + 1] */
  readonly start: Int32Array
  readonly column: Uint16Array
}

/** Above this share of non-zeros looking columns up costs more than it saves. */
const sparseShare = 0.25

/** Looks at every column once. Throws `features_not_finite` where a number is missing: encoders fill and flag. */
export function linearDesign(features: Matrix): LinearDesign {
  const { rows, columns, values } = features
  const sum = new Float64Array(columns)
  const squares = new Float64Array(columns)
  let filled = 0
  for (let row = 0, at = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, at++) {
      const x = values[at]
      if (x === 0) continue
      filled++
      sum[column] += x
      squares[column] += x * x
    }
  }
  const mean = sum.map((total) => total / rows)
  const scale = squares.map((total, column) => {
    const variance = total / rows - mean[column] ** 2
    if (!Number.isFinite(variance)) throw notFinite(column)
    return variance > 1e-9 * (1 + mean[column] ** 2) ? 1 / Math.sqrt(variance) : 0
  })
  const isSparse = columns < 2 ** 16 && filled < Math.min(2 ** 31, sparseShare * rows * columns)
  return { features, mean, scale, nonZero: isSparse ? listNonZero(features, filled) : null }
}

function notFinite(column: number): Error {
  return failure(
    'features_not_finite',
    `Feature column ${column} holds a value that is not a finite number: fill and flag missing values first.`,
  )
}

function listNonZero(features: Matrix, filled: number): NonZeroColumns {
  const start = new Int32Array(features.rows + 1)
  const column = new Uint16Array(filled)
  let next = 0
  for (let row = 0, at = 0; row < features.rows; row++) {
    for (let c = 0; c < features.columns; c++, at++) if (features.values[at] !== 0) column[next++] = c
    start[row + 1] = next
  }
  return { start, column }
}

/** Dot product of `weights` ([columns]) with each of `rows`, into `out` ([rows.length]). */
export function multiplyRows(
  { features, nonZero }: LinearDesign,
  rows: Int32Array,
  { weights, out }: { readonly weights: Float64Array; readonly out: Float64Array },
): void {
  const { values, columns } = features
  if (nonZero === null) {
    multiplyDenseRows(features, rows, { weights, out })
    return
  }
  const { start, column } = nonZero
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i] * columns
    const end = start[rows[i] + 1]
    let sum = 0
    for (let k = start[rows[i]]; k < end; k++) sum += values[from + column[k]] * weights[column[k]]
    out[i] = sum
  }
}

/** All rows of some features, by number. */
export function everyRow({ rows }: Matrix): Int32Array {
  return new Int32Array(rows).map((_, row) => row)
}

/** So many rows stay in the processor's cache while they are multiplied by one column of weights after the other. */
const rowsOfBlock = 128

export function* blocksOf(rows: Int32Array): Generator<Int32Array> {
  for (let from = 0; from < rows.length; from += rowsOfBlock) yield rows.subarray(from, from + rowsOfBlock)
}

/**
 * Dot product of `weights` with each of `rows`, looking at every column that has a weight. Four rows side by side: one
 * alone would wait for each addition. **Shape** [rows.length]
 */
export function multiplyDenseRows(
  { values, columns }: Matrix,
  rows: Int32Array,
  {
    weights,
    out = new Float64Array(rows.length),
  }: { readonly weights: Float64Array; readonly out?: Float64Array },
): Float64Array {
  const last = rows.length - 1
  for (let i = 0; i <= last; i += 4) {
    const p = rows[i] * columns
    const q = rows[Math.min(i + 1, last)] * columns
    const r = rows[Math.min(i + 2, last)] * columns
    const s = rows[Math.min(i + 3, last)] * columns
    let [a, b, c, d] = [0, 0, 0, 0]
    for (let column = 0; column < weights.length; column++) {
      const weight = weights[column]
      a += weight * values[p + column]
      b += weight * values[q + column]
      c += weight * values[r + column]
      d += weight * values[s + column]
    }
    out[i] = a
    // Behind the last row there is nothing to write to.
    if (i < last) out[i + 1] = b
    if (i + 1 < last) out[i + 2] = c
    if (i + 2 < last) out[i + 3] = d
  }
  return out
}

/** Dot product of a row that starts there. Four sums side by side: one alone would wait for each addition. */
export function dotRow(values: Float32Array, from: number, weights: Float64Array): number {
  const columns = weights.length
  const whole = columns - (columns % 4)
  let [a, b, c, d] = [0, 0, 0, 0]
  for (let at = 0; at < whole; at += 4) {
    a += values[from + at] * weights[at]
    b += values[from + at + 1] * weights[at + 1]
    c += values[from + at + 2] * weights[at + 2]
    d += values[from + at + 3] * weights[at + 3]
  }
  for (let at = whole; at < columns; at++) a += values[from + at] * weights[at]
  return a + b + (c + d)
}

/** Sum over `rows` of factors[i] × row, added to `target` ([columns]). */
export function addRows(
  { features, nonZero }: LinearDesign,
  rows: Int32Array,
  { factors, target }: { readonly factors: Float64Array; readonly target: Float64Array },
): void {
  const { values, columns } = features
  if (nonZero === null) {
    addDenseRows(features, rows, { factors, target })
    return
  }
  const { start, column } = nonZero
  for (let i = 0; i < rows.length; i++) {
    const from = rows[i] * columns
    const factor = factors[i]
    const end = start[rows[i] + 1]
    for (let k = start[rows[i]]; k < end; k++) target[column[k]] += factor * values[from + column[k]]
  }
}

/** Four rows at once: the target is read and written a quarter as often. */
function addDenseRows(
  { values, columns }: Matrix,
  rows: Int32Array,
  { factors, target }: { readonly factors: Float64Array; readonly target: Float64Array },
): void {
  const whole = rows.length - (rows.length % 4)
  for (let i = 0; i < whole; i += 4) {
    const [p, q, r, s] = [factors[i], factors[i + 1], factors[i + 2], factors[i + 3]]
    const a = rows[i] * columns
    const b = rows[i + 1] * columns
    const c = rows[i + 2] * columns
    const d = rows[i + 3] * columns
    for (let at = 0; at < columns; at++) {
      target[at] += p * values[a + at] + q * values[b + at] + (r * values[c + at] + s * values[d + at])
    }
  }
  for (let i = whole; i < rows.length; i++) {
    const from = rows[i] * columns
    for (let at = 0; at < columns; at++) target[at] += factors[i] * values[from + at]
  }
}
