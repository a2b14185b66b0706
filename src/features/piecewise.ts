/** A yes-or-no label to be told apart by a feature's bins. **Shape** aligned with the learning rows. */
export interface BinaryTarget {
  readonly label: ArrayLike<number>
  /** 0 leaves the row out. */
  readonly weight: ArrayLike<number>
}

interface Cell {
  /** First and last candidate bin, and what fell into them. */
  readonly from: number
  readonly to: number
  readonly gain: number
  readonly at: number
}

const candidateBins = 128
const leastGain = 1

/** Where a one-feature tree would split, and the range of the values. */
export interface PiecewiseSplits {
  /** Gain in nats; best first. */
  readonly splits: readonly { readonly cut: number; readonly gain: number }[]
  readonly low: number
  readonly high: number
}

/**
 * Splits of a one-feature tree grown on log-loss gain, merged over the tasks. None where no split is worth it.
 *
 * Source: Gorishniy et al. 2022, "On embeddings for numerical features in tabular deep learning".
 */
export function findPiecewiseSplits(
  column: Float64Array,
  rows: Int32Array,
  { targets, mostBins }: { targets: readonly BinaryTarget[]; mostBins: number },
): PiecewiseSplits {
  const none = { splits: [], low: 0, high: 0 }
  const { present, values } = presentOf(column, rows)
  if (present.length < 32 || targets.length === 0) return none
  const sorted = values.slice().sort()
  const cuts = candidateCuts(sorted)
  if (cuts.length === 0) return none
  const place = new Uint8Array(values.length)
  for (let k = 0; k < values.length; k++) place[k] = lowerBound(cuts, values[k])
  const fewest = Math.max(16, 0.004 * rows.length)
  const chosen = new Map<number, number>()
  for (const target of targets) {
    const sums = binSums(target, { present, place, bins: cuts.length + 1 })
    for (const { at, gain } of growTree(sums, { fewest, mostSplits: mostBins - 1 })) {
      chosen.set(at, Math.max(gain, chosen.get(at) ?? 0))
    }
  }
  const best = [...chosen].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, mostBins - 1)
  return {
    splits: best.map(([at, gain]) => ({ cut: cuts[at], gain })),
    low: sorted[Math.floor(0.002 * (sorted.length - 1))],
    high: sorted[Math.ceil(0.998 * (sorted.length - 1))],
  }
}

/** Positions in `rows` whose value is finite, and those values. */
function presentOf(column: Float64Array, rows: Int32Array): { present: Int32Array; values: Float64Array } {
  const present = new Int32Array(rows.length)
  const values = new Float64Array(rows.length)
  let count = 0
  for (let i = 0; i < rows.length; i++) {
    const value = column[rows[i]]
    if (!Number.isFinite(value)) continue
    present[count] = i
    values[count++] = value
  }
  return { present: present.subarray(0, count), values: values.subarray(0, count) }
}

/** Ascending edges of the bins between the splits that gain at least so much; empty without any. */
export function piecewiseEdges({ splits, low, high }: PiecewiseSplits, leastGain = 0): number[] {
  const inner = splits
    .filter(({ gain }) => gain >= leastGain)
    .map(({ cut }) => cut)
    .sort((a, b) => a - b)
  if (inner.length === 0) return []
  const last = inner[inner.length - 1]
  return [
    low < inner[0] ? low : inner[0] - stepFrom(inner[0]),
    ...inner,
    high > last ? high : last + stepFrom(last),
  ]
}

/** A width that is not lost in the rounding of large numbers. */
function stepFrom(edge: number): number {
  return Math.max(1, Math.abs(edge) * 1e-9)
}

/** Distinct midpoints between neighbouring quantiles. */
function candidateCuts(sorted: Float64Array): Float64Array {
  const cuts: number[] = []
  let next = 1
  for (let bin = 1; bin < candidateBins; bin++) {
    const index = Math.floor((bin * sorted.length) / candidateBins)
    if (index < next || index >= sorted.length) continue
    next = index
    while (next < sorted.length && sorted[next] === sorted[index - 1]) next++
    if (next >= sorted.length) continue
    const cut = sorted[next - 1] / 2 + sorted[next] / 2
    if (cuts.length === 0 || cut > cuts[cuts.length - 1]) cuts.push(cut)
  }
  return Float64Array.from(cuts)
}

/** Index of the first cut not below the value; their number where there is none. @param cuts ascending */
export function lowerBound(cuts: ArrayLike<number>, value: number): number {
  let low = 0
  let high = cuts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (cuts[middle] < value) low = middle + 1
    else high = middle
  }
  return low
}

/** Index of the first cut above the value; their number where there is none. @param cuts ascending */
export function upperBound(cuts: ArrayLike<number>, value: number): number {
  let low = 0
  let high = cuts.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (cuts[middle] <= value) low = middle + 1
    else high = middle
  }
  return low
}

interface BinSums {
  readonly weight: Float64Array
  readonly positive: Float64Array
}

function binSums(
  target: BinaryTarget,
  { present, place, bins }: { present: Int32Array; place: Uint8Array; bins: number },
): BinSums {
  const { label, weight: own } = target
  const weight = new Float64Array(bins)
  const positive = new Float64Array(bins)
  for (let k = 0; k < present.length; k++) {
    const i = present[k]
    if (own[i] === 0) continue
    weight[place[k]] += own[i]
    positive[place[k]] += own[i] * label[i]
  }
  return { weight, positive }
}

function growTree(sums: BinSums, { fewest, mostSplits }: { fewest: number; mostSplits: number }): Cell[] {
  const splits: Cell[] = []
  const open: Cell[] = [bestSplit(sums, { from: 0, to: sums.weight.length - 1, fewest })]
  while (splits.length < mostSplits) {
    let best = 0
    for (let i = 1; i < open.length; i++) if (open[i].gain > open[best].gain) best = i
    const cell = open[best]
    if (!cell || cell.gain < leastGain) break
    splits.push(cell)
    open.splice(
      best,
      1,
      bestSplit(sums, { from: cell.from, to: cell.at, fewest }),
      bestSplit(sums, { from: cell.at + 1, to: cell.to, fewest }),
    )
  }
  return splits
}

function bestSplit(sums: BinSums, { from, to, fewest }: { from: number; to: number; fewest: number }): Cell {
  let weight = 0
  let positive = 0
  for (let bin = from; bin <= to; bin++) {
    weight += sums.weight[bin]
    positive += sums.positive[bin]
  }
  const whole = entropyLoss(weight, positive)
  let gain = 0
  let at = from
  let leftWeight = 0
  let leftPositive = 0
  for (let bin = from; bin < to; bin++) {
    leftWeight += sums.weight[bin]
    leftPositive += sums.positive[bin]
    if (leftWeight < fewest || weight - leftWeight < fewest) continue
    const split =
      whole -
      entropyLoss(leftWeight, leftPositive) -
      entropyLoss(weight - leftWeight, positive - leftPositive)
    if (split > gain) {
      gain = split
      at = bin
    }
  }
  return { from, to, gain, at }
}

/** Log loss in nats of predicting the mean. */
function entropyLoss(weight: number, positive: number): number {
  if (positive <= 0 || positive >= weight) return 0
  return -(positive * Math.log(positive / weight) + (weight - positive) * Math.log(1 - positive / weight))
}
