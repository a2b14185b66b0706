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

/** Rows that are added at once: the sums are read and written once for all of them. */
const rowsAtOnce = 8

/** Sums of the products of the columns of some rows: upper triangle of [size × size]. */
export function sumProducts(rows: readonly Float64Array[], size: number): Float64Array {
  const products = new Float64Array(size * size)
  const none = new Float64Array(size)
  for (let from = 0; from < rows.length; from += rowsAtOnce)
    addBlock(
      products,
      Array.from({ length: rowsAtOnce }, (_, place) => rows[from + place] ?? none),
    )
  return products
}

/** One pass over the rows. */
export function sumByFold(request: SumRequest, scaled: Scaled): Sums[] {
  const { rows, foldOf, folds } = request
  return Array.from({ length: folds }, (_, fold) =>
    sumRows(
      request,
      scaled,
      rows.filter((row) => foldOf[row] === fold),
    ),
  )
}

function sumRows({ features, targets }: SumRequest, scaled: Scaled, rows: Int32Array): Sums {
  const { columns, values } = features
  const size = columns + 1
  const products = new Float64Array(size * size)
  const withTargets = new Float64Array(size * targets.length)
  const block = Array.from({ length: rowsAtOnce }, () => new Float64Array(size))
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    for (const [place, x] of block.entries()) {
      if (from + place < rows.length) readRow(x, values, rows[from + place], { columns, scaled })
      else x.fill(0)
    }
    addBlock(products, block)
    for (const [place, x] of block.entries()) {
      if (from + place >= rows.length) continue
      for (const [t, target] of targets.entries()) {
        const own = target[rows[from + place]]
        for (let i = 0, at = t; i < size; i++, at += targets.length) withTargets[at] += x[i] * own
      }
    }
  }
  const squares = Float64Array.from(targets, (target) => rows.reduce((sum, row) => sum + target[row] ** 2, 0))
  return { rows: rows.length, size, products, withTargets, squares }
}

/** Adds the products of the columns of eight rows to the upper triangle. */
function addBlock(products: Float64Array, [a, b, c, d, e, f, g, h]: readonly Float64Array[]): void {
  const size = a.length
  for (let i = 0; i < size; i++) {
    const [a0, b0, c0, d0, e0, f0, g0, h0] = [a[i], b[i], c[i], d[i], e[i], f[i], g[i], h[i]]
    for (let j = i, at = i * size + i; j < size; j++, at++)
      products[at] +=
        a0 * a[j] + b0 * b[j] + (c0 * c[j] + d0 * d[j]) + (e0 * e[j] + f0 * f[j] + (g0 * g[j] + h0 * h[j]))
  }
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
