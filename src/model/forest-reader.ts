import { bitsOfWord, type Forest, wordsOfSet } from './forest.ts'
import type { Matrix } from './matrix.ts'

/** Units that pass a tree together: what it looks at stays in the processor's cache. */
const unitsAtOnce = 256
/** A little more, so that columns do not compete for the same lines of the cache. */
const columnStride = unitsAtOnce + 16
/** What a stretch of trees may look at, and its nodes. One tree never has so many. */
const mostColumns = 512
const mostNodes = 16_384

/*
 * Work space at fixed places: a loop over arrays that never change runs more than twice as fast as one over arrays
 * that are handed to it. Every thread has its own, and nothing stays in it from one call to the next.
 */
const seen = new Float32Array(mostColumns * columnStride)
const seenFrom = new Int32Array(mostColumns)
const seenMissing = new Float32Array(mostColumns)
const nodeColumn = new Int32Array(mostNodes)
const nodeLimit = new Float32Array(mostNodes)
const nodeRight = new Int32Array(mostNodes)
const nodeValue = new Float32Array(mostNodes)
const total = new Float64Array(unitsAtOnce)

/** A column as some nodes see it. */
interface SeenColumn {
  /** Of a row's features; the one after the last is the period. */
  readonly from: number
  /** Minus infinity, below every limit, or NaN, below none. */
  readonly missing: number
  /** Place of the set of categories that go left: they are seen as 0, others as 1. −1: a number. */
  readonly set: number
}

interface Tree {
  readonly root: number
  /** Steps to the deepest leaf. */
  readonly depth: number
}

/**
 * Trees that follow each other, ready to be walked without a branch: each step goes to the right child, or one place
 * back to the left one. A leaf looks at a column of zeros and stays where it is.
 */
interface Stretch {
  readonly trees: Tree[]
  readonly columns: SeenColumn[]
  readonly column: number[]
  readonly limit: number[]
  readonly right: number[]
  readonly value: number[]
}

/** Rows at a period each. **Shape** both [units] */
interface Units {
  readonly features: Matrix
  readonly row: ArrayLike<number>
  readonly period: ArrayLike<number>
}

/** Adds up the trees of a forest for rows and periods. */
export class ForestReader {
  /** Trees that look at the period, and those that do not. */
  readonly #ofPeriod: readonly Stretch[]
  readonly #others: readonly Stretch[]
  /** As what the categories of each set are seen. **Shape** [sets × 72] */
  readonly #sides: Float32Array
  /** Features of a row. */
  readonly #columns: number

  /** @param columns features of a row: the column after them is the period */
  constructor(forest: Forest, columns: number) {
    const usesPeriod = (tree: number) => forest.column.subarray(...nodesOf(forest, tree)).includes(columns)
    const trees = [...forest.roots.keys()]
    this.#columns = columns
    this.#sides = sidesOf(forest.sets)
    this.#ofPeriod = stretchesOf(forest, trees.filter(usesPeriod))
    this.#others = stretchesOf(
      forest,
      trees.filter((tree) => !usesPeriod(tree)),
    )
  }

  /**
   * Sums of the leaves of every row at some periods.
   *
   * @param periods for each wanted sum the period of every row: [sums][rows]
   * @returns [rows × sums]
   */
  sums(features: Matrix, periods: readonly ArrayLike<number>[]): Float64Array {
    const { rows } = features
    const row = Int32Array.from({ length: rows }, (_, own) => own)
    const common = new Float64Array(rows)
    this.#add(common, this.#others, { features, row, period: row })
    const sums = new Float64Array(rows * periods.length)
    for (const [place, period] of periods.entries()) {
      const own = common.slice()
      this.#add(own, this.#ofPeriod, { features, row, period })
      for (let at = 0; at < rows; at++) sums[at * periods.length + place] = own[at]
    }
    return sums
  }

  /** Adds the leaves of units, rows at a period each, to their scores. **Shape** all [units] */
  addTo(scores: Float64Array, features: Matrix, units: Pick<Units, 'row' | 'period'>): void {
    this.#add(scores, this.#others, { features, ...units })
    this.#add(scores, this.#ofPeriod, { features, ...units })
  }

  #add(sums: Float64Array, stretches: readonly Stretch[], { features, row, period }: Units): void {
    for (const stretch of stretches) {
      layDown(stretch, this.#columns)
      for (let from = 0; from < sums.length; from += unitsAtOnce) {
        const count = Math.min(unitsAtOnce, sums.length - from)
        look(stretch.columns.length, features, { row, from, count })
        this.#refine(stretch.columns, period, { from, count })
        for (let unit = 0; unit < count; unit++) total[unit] = sums[from + unit]
        for (const { root, depth } of stretch.trees) walk(root, depth, count)
        for (let unit = 0; unit < count; unit++) sums[from + unit] = total[unit]
      }
    }
  }

  /** Shows the period, and categories as nodes see them. */
  #refine(
    columns: readonly SeenColumn[],
    period: ArrayLike<number>,
    { from, count }: { readonly from: number; readonly count: number },
  ): void {
    for (const [place, column] of columns.entries()) {
      const first = place * columnStride
      if (column.from === this.#columns)
        for (let unit = 0; unit < count; unit++) seen[first + unit] = period[from + unit]
      if (column.set >= 0) sortOut(this.#sides, column.set, { first, count })
    }
  }
}

/** Puts a stretch where it is walked. */
function layDown({ columns, column, limit, right, value }: Stretch, width: number): void {
  nodeColumn.set(column)
  nodeLimit.set(limit)
  nodeRight.set(right)
  nodeValue.set(value)
  for (const [place, { from, missing }] of columns.entries()) {
    seenFrom[place] = from < width ? from : 0
    seenMissing[place] = missing
  }
}

/** Lays the columns that nodes look at side by side. The first one stays 0. */
function look(
  columns: number,
  { columns: width, values }: Matrix,
  { row, from, count }: { readonly row: ArrayLike<number>; readonly from: number; readonly count: number },
): void {
  for (let unit = 0; unit < count; unit++) {
    const start = row[from + unit] * width
    for (let place = 1, to = columnStride + unit; place < columns; place++, to += columnStride) {
      const value = values[start + seenFrom[place]]
      seen[to] = Number.isNaN(value) ? seenMissing[place] : value
    }
  }
}

/** Categories that a set holds. */
const categoriesOfSet = wordsOfSet * bitsOfWord

/** Categories of a set are seen as 0, others as 1. */
function sidesOf(sets: Float32Array): Float32Array {
  return Float32Array.from({ length: sets.length * bitsOfWord }, (_, at) => {
    const isHeld = (sets[Math.floor(at / bitsOfWord)] >> (at % bitsOfWord)) & 1
    return isHeld === 1 ? 0 : 1
  })
}

/** Shows categories as a set sees them; what stands for missing stays. */
function sortOut(sides: Float32Array, set: number, { first, count }: { first: number; count: number }): void {
  const own = set * categoriesOfSet
  for (let at = first; at < first + count; at++) {
    const category = seen[at]
    if (category >= 0) seen[at] = sides[own + Math.trunc(category)]
  }
}

/** Adds the leaf of each unit to its total. Four units at once: each step of one waits for the step before, and others go on meanwhile. */
function walk(root: number, depth: number, count: number): void {
  const whole = count - (count % 4)
  for (let unit = 0; unit < whole; unit += 4) {
    let [a, b, c, d] = [root, root, root, root]
    for (let step = 0; step < depth; step++) {
      a = nodeRight[a] - Number(seen[nodeColumn[a] + unit] <= nodeLimit[a])
      b = nodeRight[b] - Number(seen[nodeColumn[b] + unit + 1] <= nodeLimit[b])
      c = nodeRight[c] - Number(seen[nodeColumn[c] + unit + 2] <= nodeLimit[c])
      d = nodeRight[d] - Number(seen[nodeColumn[d] + unit + 3] <= nodeLimit[d])
    }
    total[unit] += nodeValue[a]
    total[unit + 1] += nodeValue[b]
    total[unit + 2] += nodeValue[c]
    total[unit + 3] += nodeValue[d]
  }
  for (let unit = whole; unit < count; unit++) {
    let a = root
    for (let step = 0; step < depth; step++)
      a = nodeRight[a] - Number(seen[nodeColumn[a] + unit] <= nodeLimit[a])
    total[unit] += nodeValue[a]
  }
}

function stretchesOf(forest: Forest, trees: readonly number[]): Stretch[] {
  const stretches: Stretch[] = []
  let places = new Map<string, number>()
  for (const tree of trees) {
    const [start, end] = nodesOf(forest, tree)
    const last = stretches[stretches.length - 1]
    const isFull =
      last === undefined ||
      last.column.length + end - start > mostNodes ||
      last.columns.length + end - start > mostColumns
    if (isFull) places = new Map()
    const stretch = isFull ? emptyStretch() : last
    if (isFull) stretches.push(stretch)
    const root = stretch.column.length
    stretch.trees.push({ root, depth: depthOf(forest, start) })
    for (let node = start; node < end; node++) addNode(stretch, places, { forest, node, moved: root - start })
  }
  return stretches
}

/** The first node of a tree, and behind its last. */
function nodesOf({ roots, column }: Forest, tree: number): [start: number, end: number] {
  return [roots[tree], roots[tree + 1] ?? column.length]
}

/** The first column is the one of leaves. */
function emptyStretch(): Stretch {
  const zeros = { from: 0, missing: 0, set: -1 }
  return { trees: [], columns: [zeros], column: [], limit: [], right: [], value: [] }
}

function depthOf({ column, left }: Pick<Forest, 'column' | 'left'>, node: number): number {
  return column[node] < 0
    ? 0
    : 1 + Math.max(...[0, 1].map((side) => depthOf({ column, left }, left[node] + side)))
}

function addNode(
  { columns, column, limit, right, value }: Stretch,
  places: Map<string, number>,
  { forest, node, moved }: { forest: Forest; node: number; moved: number },
): void {
  const from = forest.column[node]
  const isLeaf = from < 0
  value.push(isLeaf ? forest.limit[node] : 0)
  if (isLeaf) {
    column.push(0)
    limit.push(0)
    right.push(node + moved + 1)
    return
  }
  const set = forest.set[node]
  const missing = forest.missing[node] === 1 ? Number.NEGATIVE_INFINITY : Number.NaN
  const key = [from, missing, set].join()
  const place = places.get(key) ?? columns.push({ from, missing, set }) - 1
  places.set(key, place)
  column.push(place * columnStride)
  limit.push(set < 0 ? forest.limit[node] : 0)
  right.push(forest.left[node] + moved + 1)
}
