import type { Matrix } from './matrix.ts'

/** A node as it is grown. Leaves have column −1 and a value; others two children next to each other. */
export interface TreeNode {
  column: number
  /** Numbers up to it go left. */
  limit: number
  /** Where a missing value goes. */
  isMissingLeft: boolean
  /** Categories that go left; null: a number. */
  categories: readonly number[] | null
  /** Place of the left child in its tree; the right child follows it. */
  left: number
  value: number
}

/**
 * Trees whose leaves add up, as flat arrays. Plain numbers, so that they can be stored and sent to threads.
 * **Shape** all [nodes] but `roots` [trees] and `sets` [sets × 3], 24 categories a number.
 */
export interface Forest {
  readonly roots: Float32Array
  /** −1 for a leaf. The column after the last feature is the period. */
  readonly column: Float32Array
  /** Limit of a number; value of a leaf. */
  readonly limit: Float32Array
  /** Place of the left child, its right sibling follows. */
  readonly left: Float32Array
  /** 1 where missing values go left. */
  readonly missing: Float32Array
  /** Place of the set of categories that go left; −1: a number. */
  readonly set: Float32Array
  readonly sets: Float32Array
}

const wordsOfSet = 3
const bitsOfWord = 24

/** Lays trees out one after the other. */
export function layOut(trees: readonly (readonly TreeNode[])[]): Forest {
  const nodes = trees.flat()
  const roots = new Float32Array(trees.length)
  const starts: number[] = []
  let start = 0
  trees.forEach((tree, index) => {
    roots[index] = start
    for (let i = 0; i < tree.length; i++) starts.push(start)
    start += tree.length
  })
  const sets = nodes.flatMap(({ categories }) => (categories ? [categories] : []))
  let next = 0
  return {
    roots,
    column: Float32Array.from(nodes, ({ column }) => column),
    limit: Float32Array.from(nodes, ({ column, limit, value }) => (column < 0 ? value : limit)),
    left: Float32Array.from(nodes, ({ left }, place) => starts[place] + left),
    missing: Float32Array.from(nodes, ({ isMissingLeft }) => (isMissingLeft ? 1 : 0)),
    set: Float32Array.from(nodes, ({ categories }) => (categories ? next++ : -1)),
    sets: Float32Array.from(sets.flatMap(wordsOf)),
  }
}

function wordsOf(categories: readonly number[]): number[] {
  const words = new Array<number>(wordsOfSet).fill(0)
  for (const category of categories) words[Math.floor(category / bitsOfWord)] += 2 ** (category % bitsOfWord)
  return words
}

/** The integer copy of a forest that is walked. */
interface Walk {
  readonly roots: Int32Array
  readonly column: Int32Array
  readonly limit: Float32Array
  readonly left: Int32Array
  readonly missing: Uint8Array
  readonly set: Int32Array
  readonly sets: Int32Array
  /** Trees that look at the period. */
  readonly usesPeriod: readonly boolean[]
}

/** Adds up the trees of a forest for rows and periods. */
export class ForestReader {
  readonly #walk: Walk
  readonly #columns: number

  /** @param columns features of a row: the column after them is the period */
  constructor(forest: Forest, columns: number) {
    this.#columns = columns
    this.#walk = {
      roots: Int32Array.from(forest.roots),
      column: Int32Array.from(forest.column),
      limit: forest.limit,
      left: Int32Array.from(forest.left),
      missing: Uint8Array.from(forest.missing),
      set: Int32Array.from(forest.set),
      sets: Int32Array.from(forest.sets),
      usesPeriod: Array.from(forest.roots, (root, tree) =>
        forest.column.subarray(root, forest.roots[tree + 1] ?? forest.column.length).includes(columns),
      ),
    }
  }

  /**
   * Sums of the leaves of every row at some periods.
   *
   * @param periods for each wanted sum the period of every row: [sums][rows]
   * @returns [rows × sums]
   */
  sums(features: Matrix, periods: readonly ArrayLike<number>[]): Float64Array {
    const { rows, columns } = features
    const { roots, usesPeriod } = this.#walk
    const leafValue = this.#walker(features.values)
    const own = periods.length
    const sums = new Float64Array(rows * own)
    for (let from = 0; from < rows; from += rowsAtOnce) {
      const to = Math.min(rows, from + rowsAtOnce)
      for (let tree = 0; tree < roots.length; tree++) {
        const distinct = usesPeriod[tree] ? own : 1
        for (let row = from; row < to; row++) {
          let value = 0
          for (let p = 0; p < own; p++) {
            if (p < distinct) value = leafValue(roots[tree], row * columns, periods[p][row])
            sums[row * own + p] += value
          }
        }
      }
    }
    return sums
  }

  /** Adds the leaves of units, rows at a period each, to their scores. **Shape** all [units] */
  addTo(
    scores: Float64Array,
    features: Matrix,
    { row, period }: { row: Int32Array; period: ArrayLike<number> },
  ): void {
    const leafValue = this.#walker(features.values)
    for (const root of this.#walk.roots) {
      for (let i = 0; i < scores.length; i++) {
        scores[i] += leafValue(root, row[i] * features.columns, period[i])
      }
    }
  }

  /** Walks a tree from its root for the row whose features start there. */
  #walker(values: Float32Array): (root: number, start: number, period: number) => number {
    const { column, limit, left, missing, set, sets } = this.#walk
    const periodColumn = this.#columns
    return (root, start, period) => {
      let node = root
      for (let at = column[node]; at >= 0; at = column[node]) {
        const value = at === periodColumn ? period : values[start + at]
        // What is missing is below no limit.
        const isLeft =
          set[node] < 0
            ? value <= limit[node] || (missing[node] === 1 && Number.isNaN(value))
            : Number.isNaN(value)
              ? missing[node] === 1
              : holds(sets, set[node], value)
        node = isLeft ? left[node] : left[node] + 1
      }
      return limit[node]
    }
  }
}

function holds(sets: Int32Array, set: number, category: number): boolean {
  const word = sets[set * wordsOfSet + Math.floor(category / bitsOfWord)]
  return ((word >> (category % bitsOfWord)) & 1) === 1
}

/** Rows whose features stay in the processor's cache while all trees pass over them. */
const rowsAtOnce = 256
