import { curvatureOf, gradientOf, type PackedSlopes } from './packed-slopes.ts'
import type { TreeTable } from './tree-histograms.ts'

/** What a split must give. */
export interface SplitRules {
  /** Least sum of curvatures on each side: for probabilities, the effective number of labels × p (1 − p). */
  readonly leastCurvature: number
  /** Added to a leaf's curvature: pulls its value towards zero. */
  readonly l2: number
  /** Gain in nats below which a leaf stays whole. */
  readonly leastGain: number
}

/** A leaf's best split, in bins. */
export interface LeafSplit {
  readonly column: number
  /** Number bins 1 … lastLeft go left. */
  readonly lastLeft: number
  readonly isMissingLeft: boolean
  /** Category bins that go left; null: a number. */
  readonly categories: readonly number[] | null
  /** Nats. */
  readonly gain: number
}

export interface SplitScan {
  readonly table: TreeTable
  readonly starts: Int32Array
  readonly columns: Int32Array
  readonly slopes: PackedSlopes
  readonly rules: SplitRules
}

/** More pull for categories: there are very many ways to divide them. */
const categoryL2 = 10

/** The split that lowers the loss most, or null where none does enough. */
export function findSplit(histogram: Float64Array, scan: SplitScan): LeafSplit | null {
  const { starts, columns, table } = scan
  const total = sumOf(histogram, starts[columns[0]], starts[columns[0] + 1])
  let best: LeafSplit | null = null
  for (const column of columns) {
    const bins = histogram.subarray(starts[column], starts[column + 1])
    const isCategory = column < table.binned.columns.length && table.binned.columns[column].isCategory
    const order = isCategory ? categoryOrder(bins, scan.slopes) : null
    const found = scanColumn(bins, total, { ...scan, order, leastGain: best?.gain ?? scan.rules.leastGain })
    if (found) best = { column, ...found }
  }
  return best
}

function sumOf(values: Float64Array, from: number, to: number): number {
  let sum = 0
  for (let i = from; i < to; i++) sum += values[i]
  return sum
}

/** Categories that occur, by their mean slope: the best division of two sides is then a prefix (Fisher 1958). */
function categoryOrder(bins: Float64Array, { gradientStep, curvatureStep }: PackedSlopes): Int32Array {
  const slope = (bin: number) =>
    (gradientOf(bins[bin]) * gradientStep) / (curvatureOf(bins[bin]) * curvatureStep + categoryL2)
  const present: number[] = []
  for (let bin = 1; bin < bins.length; bin++) if (bins[bin] !== 0) present.push(bin)
  return Int32Array.from(present.sort((a, b) => slope(a) - slope(b) || a - b))
}

/** Sums of a side of a split, in quantised steps. */
interface Side {
  readonly gradient: number
  readonly curvature: number
}

function sideOf(packed: number): Side {
  return { gradient: gradientOf(packed), curvature: curvatureOf(packed) }
}

/**
 * Tries every prefix of a column's bins, with what is missing on either side. Counts in steps, and turns into nats what
 * it compares with others.
 */
function scanColumn(
  bins: Float64Array,
  total: number,
  { slopes, rules, order, leastGain }: SplitScan & { order: Int32Array | null; leastGain: number },
): Omit<LeafSplit, 'column'> | null {
  const { gradientStep, curvatureStep } = slopes
  const nats = (gradientStep * gradientStep) / (2 * curvatureStep)
  const l2 = (rules.l2 + (order ? categoryL2 : 0)) / curvatureStep
  const least = rules.leastCurvature / curvatureStep
  const all = sideOf(total)
  const missing = sideOf(bins[0])
  const whole = (all.gradient * all.gradient) / (all.curvature + l2)
  const divided = (gradient: number, curvature: number) => {
    const rest = all.curvature - curvature
    if (curvature < least || rest < least) return 0
    const other = all.gradient - gradient
    const [a, b] = [curvature + l2, rest + l2]
    return (gradient * gradient * b + other * other * a) / (a * b)
  }
  const count = order ? order.length : bins.length - 1
  let most = whole + leastGain / nats
  let place = -1
  let isMissingLeft = false
  let gradient = 0
  let curvature = 0
  for (let i = 0; i < count; i++) {
    const own = bins[order ? order[i] : i + 1]
    if (own === 0) continue
    gradient += gradientOf(own)
    curvature += curvatureOf(own)
    const apart = divided(gradient, curvature)
    if (apart > most) [most, place, isMissingLeft] = [apart, i, false]
    if (bins[0] === 0) continue
    const together = divided(gradient + missing.gradient, curvature + missing.curvature)
    if (together > most) [most, place, isMissingLeft] = [together, i, true]
  }
  if (place < 0) return null
  // What was never missing here goes with the larger side later.
  if (bins[0] === 0) isMissingLeft = 2 * curvatureOf(prefixSum(bins, place, order)) > all.curvature
  const categories = order ? Array.from(order.subarray(0, place + 1)) : null
  return { lastLeft: place + 1, isMissingLeft, categories, gain: (most - whole) * nats }
}

function prefixSum(bins: Float64Array, place: number, order: Int32Array | null): number {
  let sum = 0
  for (let i = 0; i <= place; i++) sum += bins[order ? order[i] : i + 1]
  return sum
}
