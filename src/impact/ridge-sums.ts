import type { Matrix } from '../model/matrix.ts'

/** What brings columns to one scale. **Shape** both [columns] */
export interface Scaled {
  readonly mean: Float64Array
  /** 1 / standard deviation; 0 for a constant column, which is then left out. */
  readonly scale: Float64Array
}

/** Learns the scale of each column from some rows. */
export function scaleColumns({ columns, values }: Matrix, rows: Int32Array): Scaled {
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

/** Reads a row as linear fits see it: a leading 1, then each column on the common scale. */
export function readRow(
  x: Float64Array,
  values: ArrayLike<number>,
  row: number,
  { columns, scaled }: { columns: number; scaled: Scaled },
): void {
  x[0] = 1
  for (let column = 0; column < columns; column++)
    x[column + 1] = (values[row * columns + column] - scaled.mean[column]) * scaled.scale[column]
}

/** Sums of squares and products of one fold: of the columns, a leading 1 included, and of these with the targets. */
export interface Sums {
  readonly rows: number
  /** 1 + columns. */
  readonly size: number
  /** Upper triangle of [size × size]. */
  readonly products: Float64Array
  /** [size × targets] */
  readonly withTargets: Float64Array
  /** [targets] */
  readonly squares: Float64Array
}

export interface SumRequest {
  readonly features: Matrix
  readonly rows: Int32Array
  readonly foldOf: ArrayLike<number>
  readonly folds: number
  readonly targets: readonly ArrayLike<number>[]
}

/** One pass over the rows. */
export function sumByFold(request: SumRequest, scaled: Scaled): Sums[] {
  const { features, rows, foldOf, folds, targets } = request
  const { columns, values } = features
  const size = columns + 1
  const counts = new Int32Array(folds)
  const all = Array.from({ length: folds }, () => ({
    size,
    products: new Float64Array(size * size),
    withTargets: new Float64Array(size * targets.length),
    squares: new Float64Array(targets.length),
  }))
  const x = new Float64Array(size)
  for (const row of rows) {
    const { products, withTargets, squares } = all[foldOf[row]]
    counts[foldOf[row]]++
    readRow(x, values, row, { columns, scaled })
    for (let i = 0; i < size; i++) {
      const own = x[i]
      if (own === 0) continue
      for (let j = i, at = i * size; j < size; j++) products[at + j] += own * x[j]
      for (let t = 0, at = i * targets.length; t < targets.length; t++)
        withTargets[at + t] += own * targets[t][row]
    }
    for (let t = 0; t < targets.length; t++) squares[t] += targets[t][row] ** 2
  }
  return all.map((sums, fold) => ({ ...sums, rows: counts[fold] }))
}

export function addUp([first, ...others]: readonly Sums[]): Sums {
  return others.reduce((sum, part) => combined(sum, part, 1), first)
}

/** `a` with `b` added, or taken out where the sign is −1. */
export function combined(a: Sums, b: Sums, sign: 1 | -1): Sums {
  const add = (own: Float64Array, other: Float64Array) => own.map((value, i) => value + sign * other[i])
  return {
    rows: a.rows + sign * b.rows,
    size: a.size,
    products: add(a.products, b.products),
    withTargets: add(a.withTargets, b.withTargets),
    squares: add(a.squares, b.squares),
  }
}
