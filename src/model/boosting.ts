import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { shuffledIndices } from './folds.ts'
import { layOut, type TreeNode } from './forest.ts'
import { ForestReader } from './forest-reader.ts'
import type { Matrix } from './matrix.ts'
import { packSlopes } from './packed-slopes.ts'
import type { BinnedRows } from './tree-bins.ts'
import { type GrowthRules, TreeGrower } from './tree-grower.ts'
import type { TreeTable } from './tree-histograms.ts'
import type { Slopes, TreeTask } from './tree-objectives.ts'

export interface BoostingSettings extends GrowthRules {
  /** Share of each tree's values that is taken. */
  readonly rate: number
  /** Share of the columns that a tree may look at. */
  readonly columnShare: number
  /** Share of the rows that a tree learns from. */
  readonly rowShare: number
  readonly mostRounds: number
  /** Rounds without a better validation loss after which learning stops. */
  readonly patience: number
}

/** What one task's trees learned. */
export interface Boosted {
  readonly trees: readonly (readonly TreeNode[])[]
  /** As the task reads scores. */
  readonly offsets: Float64Array
  /** Validation loss at the kept round; null without validation. */
  readonly loss: number | null
}

export interface BoostingOptions {
  readonly settings: BoostingSettings
  readonly seed: number
  /** Labels to stop by, not learned from, with their raw features. Without: all rounds are made. */
  readonly validation?: { readonly task: TreeTask; readonly raw: Matrix }
  readonly onRound?: (round: number) => void
}

/** Offsets move with the scores every so many rounds. */
const roundsBetweenSettling = 5

/**
 * Gradient boosting: each tree is grown on the slopes of the loss that those before it left.
 *
 * Source: Friedman 2001, "Greedy function approximation"; Chen & Guestrin 2016, "XGBoost" (second order).
 */
export function boost(
  task: TreeTask & { readonly offsets: Float64Array },
  binned: BinnedRows,
  options: BoostingOptions,
): Boosted {
  const { settings, seed, validation, onRound } = options
  const table = tableOf(task, binned)
  const grower = new TreeGrower(table)
  const columns = binned.columns.length + 1
  const scores = new Float64Array(task.row.length)
  const offsets = task.offsets.slice()
  const slopes = { gradient: scores.slice(), curvature: scores.slice() }
  const packed = scores.slice()
  const exam = validation && new Exam(validation)
  const trees: TreeNode[][] = []
  let best = { rounds: 0, loss: exam?.loss(offsets) ?? null, offsets: offsets.slice() }
  for (let round = 1; round <= settings.mostRounds; round++) {
    task.slopes(scores, offsets, slopes)
    leaveOut(1 - settings.rowShare, slopes, { row: task.row, rows: binned.rows, seed: seed + round })
    const drawn = drawColumns(columns, settings.columnShare, seed + round)
    const { gradient, curvature } = slopes
    const rounded = packSlopes(gradient, curvature, { seed: seed + round, into: packed })
    const { nodes, leaves } = grower.grow(rounded, settings, drawn)
    if (nodes.length === 1) break
    for (const { node, units } of leaves) {
      const value = leafValue(units, slopes, settings)
      nodes[node].value = value
      for (const unit of units) scores[unit] += value
    }
    trees.push(nodes)
    if (round % roundsBetweenSettling === 0) task.settle(scores, offsets)
    const loss = exam?.add(nodes, offsets) ?? null
    onRound?.(round)
    if (loss === null || best.loss === null || loss < best.loss)
      best = { rounds: round, loss, offsets: offsets.slice() }
    else if (round - best.rounds >= settings.patience) break
  }
  return { trees: trees.slice(0, best.rounds), offsets: best.offsets, loss: best.loss }
}

/**
 * Lets a share of the rows, drawn at random, tell nothing in one round.
 *
 * Source: Friedman 2002, "Stochastic gradient boosting".
 */
function leaveOut(
  share: number,
  { gradient, curvature }: Slopes,
  { row, rows, seed }: { row: Int32Array; rows: number; seed: number },
): void {
  if (share <= 0) return
  const random = xoroshiro128plus(seed)
  const isOut = new Uint8Array(rows)
  for (let one = 0; one < rows; one++) isOut[one] = +(uniformFloat64(random) < share)
  for (let unit = 0; unit < row.length; unit++) {
    if (isOut[row[unit]] === 0) continue
    gradient[unit] = 0
    curvature[unit] = 0
  }
}

function tableOf({ row, period }: TreeTask, binned: BinnedRows): TreeTable {
  const distinct = [...new Set(period)].sort((a, b) => a - b).slice(0, 250)
  const periodLimits = Float32Array.from(distinct.slice(0, -1))
  const places = new Map(distinct.map((value, place) => [value, place + 1]))
  return {
    binned,
    row,
    periodLimits,
    periodBin: Uint8Array.from(period, (value) => places.get(value) ?? distinct.length),
  }
}

/** A newton step for the units of a leaf, from their exact slopes. */
function leafValue(
  units: Int32Array,
  { gradient, curvature }: Slopes,
  { rate, l2 }: BoostingSettings,
): number {
  let sum = 0
  let curved = 0
  for (const unit of units) {
    sum += gradient[unit]
    curved += curvature[unit]
  }
  return Math.fround((-rate * sum) / (curved + l2))
}

function drawColumns(columns: number, share: number, seed: number): Int32Array {
  const kept = Math.max(1, Math.round(share * columns))
  return shuffledIndices(columns, seed).slice(0, kept).sort()
}

/** Scores of labels that are not learned from, kept up to date tree by tree. */
class Exam {
  readonly #task: TreeTask
  readonly #raw: Matrix
  readonly #scores: Float64Array

  constructor({ task, raw }: { task: TreeTask; raw: Matrix }) {
    this.#task = task
    this.#raw = raw
    this.#scores = new Float64Array(task.row.length)
  }

  loss(offsets: Float64Array): number {
    return this.#task.loss(this.#scores, offsets)
  }

  add(tree: TreeNode[], offsets: Float64Array): number {
    const { row, period } = this.#task
    const reader = new ForestReader(layOut([tree]), this.#raw.columns)
    reader.addTo(this.#scores, this.#raw, { row, period })
    return this.loss(offsets)
  }
}
