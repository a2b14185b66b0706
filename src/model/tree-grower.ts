import type { TreeNode } from './forest.ts'
import type { PackedSlopes } from './packed-slopes.ts'
import { addHistogram, binStarts, type LeafUnits, type TreeTable } from './tree-histograms.ts'
import { findSplit, type LeafSplit, type SplitRules } from './tree-split.ts'

/** How far a tree grows. */
export interface GrowthRules extends SplitRules {
  readonly mostLeaves: number
}

/** A tree and, for each of its leaves, the units that fell into it. */
export interface GrownTree {
  readonly nodes: TreeNode[]
  readonly leaves: readonly { readonly node: number; readonly units: Int32Array }[]
}

interface OpenLeaf {
  readonly node: number
  readonly from: number
  readonly to: number
  readonly histogram: Float64Array
  readonly split: LeafSplit | null
}

/** Grows trees leaf by leaf, best first, from histograms. Holds the working memory of one table. */
export class TreeGrower {
  readonly #table: TreeTable
  readonly #starts: Int32Array
  readonly #order: LeafUnits
  readonly #moved: LeafUnits
  readonly #spare: Float64Array[] = []

  constructor(table: TreeTable) {
    this.#table = table
    this.#starts = binStarts(table)
    const empty = (): LeafUnits => ({
      units: new Int32Array(table.row.length),
      rows: new Int32Array(table.row.length),
      packed: new Float64Array(table.row.length),
    })
    this.#order = empty()
    this.#moved = empty()
  }

  /** @param columns those that may be split on; the number after the last feature is the period */
  grow(slopes: PackedSlopes, rules: GrowthRules, columns: Int32Array): GrownTree {
    const { units, rows, packed } = this.#order
    for (let unit = 0; unit < units.length; unit++) units[unit] = unit
    rows.set(this.#table.row)
    packed.set(slopes.packed)
    const nodes: TreeNode[] = [leafNode()]
    const scan = { table: this.#table, starts: this.#starts, columns }
    const close = (leaf: Omit<OpenLeaf, 'split'>): OpenLeaf => ({
      ...leaf,
      split: findSplit(leaf.histogram, { ...scan, slopes, rules }),
    })
    const whole = { ...this.#order, from: 0, to: units.length }
    const histogram = this.#takeHistogram()
    addHistogram(histogram, scan, whole)
    let open: OpenLeaf[] = [close({ node: 0, from: 0, to: units.length, histogram })]
    while (open.length < rules.mostLeaves) {
      const best = open.reduce((a, b) => ((b.split?.gain ?? 0) > (a.split?.gain ?? 0) ? b : a))
      if (best.split === null) break
      const { split } = best
      const middle = this.#partition(best, split)
      const left = nodes.length
      Object.assign(nodes[best.node], this.#describe(split), { left })
      nodes.push(leafNode(), leafNode())
      const isLeftSmaller = middle - best.from <= best.to - middle
      const small = this.#takeHistogram()
      const [from, to] = isLeftSmaller ? [best.from, middle] : [middle, best.to]
      addHistogram(small, scan, { ...this.#order, from, to })
      subtract(best.histogram, small, scan)
      const [leftHistogram, rightHistogram] = isLeftSmaller
        ? [small, best.histogram]
        : [best.histogram, small]
      open = open.filter((leaf) => leaf !== best)
      open.push(
        close({ node: left, from: best.from, to: middle, histogram: leftHistogram }),
        close({ node: left + 1, from: middle, to: best.to, histogram: rightHistogram }),
      )
    }
    for (const leaf of open) this.#spare.push(leaf.histogram)
    return { nodes, leaves: open.map(({ node, from, to }) => ({ node, units: units.slice(from, to) })) }
  }

  #takeHistogram(): Float64Array {
    return this.#spare.pop() ?? new Float64Array(this.#starts[this.#starts.length - 1])
  }

  /** A split in values instead of bins. */
  #describe(split: LeafSplit): Partial<TreeNode> {
    const { column, isMissingLeft, categories } = split
    const { binned, periodLimits } = this.#table
    const limits = column < binned.columns.length ? binned.columns[column].limits : periodLimits
    return {
      column,
      isMissingLeft,
      categories: categories?.map((bin) => bin - 1) ?? null,
      // Where all that is known goes left, every number does.
      limit: categories ? 0 : (limits[split.lastLeft - 1] ?? Number.POSITIVE_INFINITY),
    }
  }

  /** Puts the units that go left before those that go right; keeps their order. @returns the first that goes right */
  #partition({ from, to }: OpenLeaf, split: LeafSplit): number {
    const { binned, periodBin } = this.#table
    const isPeriod = split.column === binned.columns.length
    const bins = isPeriod
      ? periodBin
      : binned.bins.subarray(split.column * binned.rows, (split.column + 1) * binned.rows)
    const goesLeft = leftBins(split)
    const { units, rows, packed } = this.#order
    const index = isPeriod ? units : rows
    const moved = this.#moved
    let left = from
    let right = 0
    for (let i = from; i < to; i++) {
      const isLeft = goesLeft[bins[index[i]]] === 1
      const target = isLeft ? this.#order : moved
      const place = isLeft ? left++ : right++
      target.units[place] = units[i]
      target.rows[place] = rows[i]
      target.packed[place] = packed[i]
    }
    units.set(moved.units.subarray(0, right), left)
    rows.set(moved.rows.subarray(0, right), left)
    packed.set(moved.packed.subarray(0, right), left)
    return left
  }
}

function leafNode(): TreeNode {
  return { column: -1, limit: 0, isMissingLeft: false, categories: null, left: 0, value: 0 }
}

function leftBins({ lastLeft, isMissingLeft, categories }: LeafSplit): Uint8Array {
  const goesLeft = new Uint8Array(256)
  if (categories) for (const bin of categories) goesLeft[bin] = 1
  else goesLeft.fill(1, 1, lastLeft + 1)
  goesLeft[0] = isMissingLeft ? 1 : 0
  return goesLeft
}

function subtract(
  from: Float64Array,
  part: Float64Array,
  { starts, columns }: { starts: Int32Array; columns: Int32Array },
): void {
  for (const column of columns) {
    for (let bin = starts[column]; bin < starts[column + 1]; bin++) from[bin] -= part[bin]
  }
}
