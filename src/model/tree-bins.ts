import { lowerBound } from '../features/piecewise.ts'
import type { Matrix } from './matrix.ts'

/** How a raw column falls into bins: 0 for what is missing, then numbers by `limits` or categories by their place. */
export interface ColumnBins {
  /** Ascending; bin b + 1 holds the values above limit b − 1 up to limit b, the last bin all above. Empty for categories. */
  readonly limits: Float32Array
  /** Bins, the one for missing values included. */
  readonly count: number
  readonly isCategory: boolean
}

/** Rows in bins, column after column. */
export interface BinnedRows {
  readonly rows: number
  readonly columns: readonly ColumnBins[]
  /** Bin of row r of column c at c * rows + r. */
  readonly bins: Uint8Array
}

/** More than this tells learners hardly more, and a bin must fit a byte. */
export const mostBins = 254
/** Limits are quantiles of so many rows at most. */
const rowsForLimits = 50_000

/**
 * Bins of each column by what the rows hold: distinct values where they are few, else parts of equal mass.
 *
 * @param categories for each column the number of categories, 0 for a number. [columns]
 */
export function fitBins(raw: Matrix, categories: ArrayLike<number>): ColumnBins[] {
  const step = Math.max(1, Math.ceil(raw.rows / rowsForLimits))
  const present = new Float32Array(Math.ceil(raw.rows / step))
  return Array.from({ length: raw.columns }, (_, column) => {
    if (categories[column] > 0)
      return { limits: new Float32Array(0), count: categories[column] + 1, isCategory: true }
    let count = 0
    for (let row = 0; row < raw.rows; row += step) {
      const value = raw.values[row * raw.columns + column]
      if (!Number.isNaN(value)) present[count++] = value
    }
    const limits = limitsOf(present.subarray(0, count).sort())
    return { limits, count: limits.length + 2, isCategory: false }
  })
}

function limitsOf(sorted: Float32Array): Float32Array {
  const limits: number[] = []
  const wanted = sorted.length / mostBins
  let held = 0
  for (let i = 1; i < sorted.length; i++) {
    held++
    if (sorted[i] === sorted[i - 1]) continue
    if (held < wanted && sorted.length > mostBins) continue
    limits.push(between(sorted[i - 1], sorted[i]))
    held = 0
    if (limits.length === mostBins - 2) break
  }
  return Float32Array.from(limits)
}

/** A float32 from the lower value up to, but not including, the upper. */
function between(lower: number, upper: number): number {
  const middle = Math.fround(lower / 2 + upper / 2)
  return middle < upper && middle >= lower ? middle : lower
}

/** Puts rows into bins. A category that is unknown counts as missing. */
export function binRows(raw: Matrix, columns: readonly ColumnBins[]): BinnedRows {
  const { rows } = raw
  const bins = new Uint8Array(rows * columns.length)
  columns.forEach((column, place) => {
    const target = bins.subarray(place * rows, (place + 1) * rows)
    for (let row = 0; row < rows; row++) target[row] = binOf(column, raw.values[row * raw.columns + place])
  })
  return { rows, columns, bins }
}

/** The bin of one value. */
export function binOf({ limits, count, isCategory }: ColumnBins, value: number): number {
  if (Number.isNaN(value)) return 0
  if (isCategory) return value >= 0 && value < count - 1 ? value + 1 : 0
  return lowerBound(limits, value) + 1
}
