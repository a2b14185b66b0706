/** Rows × columns of float32, row after row. */
export interface Matrix {
  readonly rows: number
  readonly columns: number
  /** Length rows × columns; element (r, c) at r * columns + c. */
  readonly values: Float32Array
}

/** The named rows, in the order of `rows`. */
export function selectRows(matrix: Matrix, rows: ArrayLike<number>): Matrix {
  const { columns } = matrix
  const values = new Float32Array(rows.length * columns)
  for (let i = 0; i < rows.length; i++) {
    values.set(matrix.values.subarray(rows[i] * columns, (rows[i] + 1) * columns), i * columns)
  }
  return { rows: rows.length, columns, values }
}
