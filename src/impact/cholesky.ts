/*
 * Symmetric positive definite systems on flat arrays, row after row. A hundred of them are solved for each measurement:
 * general matrix packages took ten times as long.
 */

/**
 * Lower triangle L with L × Lᵀ = `matrix`, of which the upper triangle is read. **Shape** [size × size] both.
 *
 * Throws where the matrix is not positive definite.
 */
export function factorise(matrix: Float64Array, size: number): Float64Array {
  const lower = new Float64Array(size * size)
  for (let i = 0, a = 0; i < size; i++, a += size) {
    for (let j = 0, b = 0; j <= i; j++, b += size) {
      // Four sums at once: each addition would otherwise wait for the one before.
      let first = matrix[b + i]
      let second = 0
      let third = 0
      let fourth = 0
      let k = 0
      for (; k + 3 < j; k += 4) {
        first -= lower[a + k] * lower[b + k]
        second -= lower[a + k + 1] * lower[b + k + 1]
        third -= lower[a + k + 2] * lower[b + k + 2]
        fourth -= lower[a + k + 3] * lower[b + k + 3]
      }
      for (; k < j; k++) first -= lower[a + k] * lower[b + k]
      const rest = first + second + third + fourth
      if (i !== j) lower[a + j] = rest / lower[b + j]
      else if (rest > 0) lower[a + i] = Math.sqrt(rest)
      else throw new RangeError(`The matrix is not positive definite at ${i}.`)
    }
  }
  return lower
}

/** X with L × Lᵀ × X = `known`. **Shape** known and result [size × columns] */
export function solveFactorised(lower: Float64Array, known: Float64Array, size: number): Float64Array {
  const columns = known.length / size
  const found = known.slice()
  for (let i = 0; i < size; i++) {
    for (let k = 0; k < i; k++) subtractRow(found, columns, { to: i, from: k, factor: lower[i * size + k] })
    divideRow(found, columns, i, lower[i * size + i])
  }
  for (let i = size - 1; i >= 0; i--) {
    for (let k = i + 1; k < size; k++)
      subtractRow(found, columns, { to: i, from: k, factor: lower[k * size + i] })
    divideRow(found, columns, i, lower[i * size + i])
  }
  return found
}

function subtractRow(
  values: Float64Array,
  columns: number,
  { to, from, factor }: { to: number; from: number; factor: number },
): void {
  if (factor === 0) return
  for (let c = 0, a = to * columns, b = from * columns; c < columns; c++)
    values[a + c] -= factor * values[b + c]
}

function divideRow(values: Float64Array, columns: number, row: number, by: number): void {
  for (let at = row * columns; at < (row + 1) * columns; at++) values[at] /= by
}
