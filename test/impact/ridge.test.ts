import { describe, expect, it } from 'vitest'
import { factorise, solveFactorised } from '../../src/impact/cholesky.ts'
import {
  crossFitRidge,
  type FitSpread,
  fitRidge,
  type RidgeProblem,
  variancesAt,
} from '../../src/impact/ridge.ts'

/** Rows of three columns, the last one constant, and a target that follows the first two. */
function linearRows(rows: number, noise: number) {
  const values = new Float32Array(rows * 3)
  const target = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const [a, b, luck] = [Math.sin(row * 1.7), Math.cos(row * 2.3), Math.sin(row * 12.9898) * 2]
    values.set([a, 100 + 50 * b, 7], row * 3)
    target[row] = 3 + 2 * a - 0.5 * b + noise * luck
  }
  return {
    features: { rows, columns: 3, values },
    target,
    rows: Int32Array.from({ length: rows }, (_, row) => row),
  }
}

describe('a system of equations', () => {
  it('is solved for several sides at once', () => {
    const matrix = Float64Array.of(4, 2, 0.6, 2, 5, 1, 0.6, 1, 3)
    const known = Float64Array.of(1, 0, 2, 1, 3, -1)
    const found = solveFactorised(factorise(matrix, 3), known, 3)
    const again = Array.from({ length: 6 }, (_, at) => {
      const [row, column] = [Math.floor(at / 2), at % 2]
      return [0, 1, 2].reduce((sum, k) => sum + matrix[row * 3 + k] * found[k * 2 + column], 0)
    })
    again.forEach((value, at) => {
      expect(value).toBeCloseTo(known[at], 12)
    })
  })
  it('that has no single answer is refused', () => {
    expect(() => factorise(Float64Array.of(1, 1, 1, 1), 2)).toThrow(/not positive definite at 1/)
  })
})

function learned(problem: Pick<RidgeProblem, 'features' | 'rows' | 'targets'>) {
  const foldOf = Uint8Array.from({ length: problem.features.rows }, (_, row) => row % 2)
  return { learned: crossFitRidge({ ...problem, foldOf, folds: 2 }).learned }
}

describe('a linear fit', () => {
  it('finds the law, whatever the scale of columns and with constant ones', () => {
    const { features, target, rows } = linearRows(400, 0)
    const problem = { features, rows, targets: [target] }
    const [fit] = fitRidge(problem, {
      ...{ ...learned(problem), penalties: [1e-9], cluster: rows },
      isSpread: [true],
    })
    expect(fit.weights[0]).toBeCloseTo(2, 4)
    expect(fit.weights[1] * 50).toBeCloseTo(-0.5, 4)
    expect(fit.weights[2]).toBe(0)
    const row = { rows: 1, columns: 3, values: Float32Array.of(0, 100, 7) }
    expect(variancesAt(fit.spread as FitSpread, row)[0]).toBeLessThan(1e-9)
  })
  it('foretells each row as a fit of the other folds does', () => {
    const { features, target, rows } = linearRows(300, 0.3)
    const foldOf = rows.map((row) => row % 3)
    const problem = { features, rows, foldOf, folds: 3, targets: [target] }
    const { predictions, penalties } = crossFitRidge(problem)
    const others = rows.filter((row) => foldOf[row] !== 0)
    const rest = { ...problem, rows: others }
    const [fit] = fitRidge(rest, { ...learned(rest), penalties, cluster: rows })
    for (const row of [0, 3, 6]) {
      const x = features.values.subarray(row * 3, row * 3 + 3)
      const foretold = fit.intercept + x.reduce((sum, value, c) => sum + value * fit.weights[c], 0)
      expect(predictions[0][row]).toBeCloseTo(foretold, 3)
    }
    // Not what a fit says that has seen the row.
    const [whole] = fitRidge(problem, { ...learned(problem), penalties, cluster: rows })
    expect(Math.abs(whole.weights[0] - fit.weights[0])).toBeGreaterThan(1e-4)
  })
  it('foretells the mean where nothing can be told', () => {
    const { features, rows } = linearRows(200, 0)
    const noise = Float64Array.from(rows, (row) => ((row * 7919) % 101) / 101)
    const { penalties, explained } = crossFitRidge({
      features,
      rows,
      foldOf: rows.map((row) => (row * 31) % 5),
      folds: 5,
      targets: [noise],
    })
    expect(explained[0]).toBeLessThan(0.05)
    if (penalties[0] === null) expect(explained[0]).toBe(0)
  })
})
