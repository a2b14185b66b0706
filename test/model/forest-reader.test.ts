import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { layOut, type TreeNode } from '../../src/model/forest.ts'
import { ForestReader } from '../../src/model/forest-reader.ts'

/** Three numbers and two categories. */
const columns = 5
const numbers = 3
const periods = [0, 1, 2]

const split = fc.record({
  column: fc.integer({ min: 0, max: columns }),
  limit: fc.constantFrom(Number.NEGATIVE_INFINITY, -1, 0, 0.5, 1, 2, Number.POSITIVE_INFINITY),
  isMissingLeft: fc.boolean(),
  categories: fc.option(fc.uniqueArray(fc.integer({ min: 0, max: 60 }), { maxLength: 9 }), { nil: null }),
})

/** A tree that is grown by splitting one of its leaves after the other. */
const tree = fc
  .record({
    splits: fc.array(fc.tuple(fc.nat(), split), { maxLength: 12 }),
    values: fc.infiniteStream(fc.float({ min: -1, max: 1, noNaN: true })),
  })
  .map(({ splits, values }) => {
    const leaf = (): TreeNode => ({
      column: -1,
      limit: 0,
      isMissingLeft: false,
      categories: null,
      left: 0,
      value: values.next().value,
    })
    const nodes = [leaf()]
    for (const [which, own] of splits) {
      const leaves = [...nodes.keys()].filter((node) => nodes[node].column < 0)
      const node = leaves[which % leaves.length]
      const isCategory = own.column >= numbers && own.column < columns
      const categories = isCategory ? (own.categories ?? []) : null
      nodes[node] = { ...own, categories, left: nodes.length, value: 0 }
      nodes.push(leaf(), leaf())
    }
    return nodes
  })

const number = fc.constantFrom(Number.NaN, -1, 0, 0.5, 1, 2)
const category = fc.option(fc.integer({ min: 0, max: 60 }), { nil: Number.NaN })

/** As a person would read a tree. */
function leafOf(nodes: readonly TreeNode[], row: readonly number[], period: number): number {
  let node = nodes[0]
  while (node.column >= 0) {
    const seen = node.column === columns ? period : row[node.column]
    const isBelow = node.categories === null ? seen <= node.limit : node.categories.includes(seen)
    node = nodes[node.left + ((Number.isNaN(seen) ? node.isMissingLeft : isBelow) ? 0 : 1)]
  }
  return node.value
}

function expectSameSums(trees: readonly TreeNode[][], rows: readonly number[][]): void {
  const reader = new ForestReader(layOut(trees), columns)
  const features = { rows: rows.length, columns, values: Float32Array.from(rows.flat()) }
  const units = rows.flatMap((_, row) => periods.map((period) => ({ row, period })))
  const expected = units.map(({ row, period }) =>
    trees.reduce((sum, nodes) => sum + Math.fround(leafOf(nodes, rows[row], period)), 0),
  )
  const sums = reader.sums(
    features,
    periods.map((period) => new Float32Array(rows.length).fill(period)),
  )
  for (const [at, sum] of sums.entries()) expect(sum).toBeCloseTo(expected[at], 12)
  const scores = new Float64Array(units.length).fill(1)
  reader.addTo(scores, features, {
    row: Int32Array.from(units, ({ row }) => row),
    period: Float32Array.from(units, ({ period }) => period),
  })
  for (const [at, score] of scores.entries()) expect(score).toBeCloseTo(1 + expected[at], 12)
}

describe('a forest', () => {
  test('says what its trees say one after the other', () => {
    const rows = fc.array(fc.tuple(number, number, number, category, category), {
      minLength: 1,
      maxLength: 9,
    })
    fc.assert(fc.property(fc.array(tree, { maxLength: 9 }), rows, expectSameSums))
  })

  test('of many columns, trees and rows is read in stretches', () => {
    const width = 700
    const trees = Array.from({ length: 1500 }, (_, place): TreeNode[] => [
      { column: place % width, limit: place, isMissingLeft: false, categories: null, left: 1, value: 0 },
      ...[1, 2].map((value) => ({
        column: -1,
        limit: 0,
        isMissingLeft: false,
        categories: null,
        left: 0,
        value,
      })),
    ])
    const rows = 301
    const values = Float32Array.from({ length: rows * width }, (_, at) => (at * 7919) % 1500)
    const features = { rows, columns: width, values }
    const sums = new ForestReader(layOut(trees), width).sums(features, [new Float32Array(rows)])
    for (let row = 0; row < rows; row++) {
      const said = trees.map((_, place) => (values[row * width + (place % width)] <= place ? 1 : 2))
      expect(sums[row]).toBe(said.reduce((sum, one) => sum + one, 0))
    }
  })
})
