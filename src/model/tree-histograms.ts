import type { BinnedRows } from './tree-bins.ts'

/**
 * What trees learn from: units (a row at a period) and the bins of what is known about them.
 *
 * The columns are those of the rows and, as the last one, the unit's period.
 */
export interface TreeTable {
  readonly binned: BinnedRows
  /** Row of each unit. [units] */
  readonly row: Int32Array
  /** Bin of each unit's period. [units] */
  readonly periodBin: Uint8Array
  /** Highest period in each bin but the last, as {@link ColumnBins.limits}. */
  readonly periodLimits: Float32Array
}

/** Units of a leaf in their order, beside what the histograms add up. */
export interface LeafUnits {
  readonly units: Int32Array
  readonly rows: Int32Array
  readonly packed: Float64Array
}

/** Where each column's bins start in a histogram, and how many there are in all. */
export function binStarts(table: TreeTable): Int32Array {
  const starts = new Int32Array(table.binned.columns.length + 2)
  table.binned.columns.forEach(({ count }, column) => {
    starts[column + 1] = starts[column] + count
  })
  starts[starts.length - 1] = starts[starts.length - 2] + table.periodLimits.length + 2
  return starts
}

/**
 * Adds up, for some columns, the packed slopes of the units from `from` to `to` by bin. Other columns' bins are left as
 * they are.
 *
 * Four columns at a time: the units' rows and slopes are then read once for four additions.
 */
export function addHistogram(
  histogram: Float64Array,
  { table, starts, columns }: { table: TreeTable; starts: Int32Array; columns: Int32Array },
  leaf: LeafUnits & { from: number; to: number },
): void {
  const { rows: tableRows, bins } = table.binned
  const column = (c: number) => bins.subarray(c * tableRows, (c + 1) * tableRows)
  const features = columns.filter((c) => c < table.binned.columns.length)
  for (const c of columns) histogram.fill(0, starts[c], starts[c + 1])
  let at = 0
  for (; at + 4 <= features.length; at += 4) {
    const four = features.subarray(at, at + 4)
    addFour(
      Array.from(four, (c) => histogram.subarray(starts[c], starts[c + 1])),
      Array.from(four, column),
      leaf,
    )
  }
  for (; at < features.length; at++) {
    const c = features[at]
    addOne(histogram.subarray(starts[c], starts[c + 1]), column(c), { ...leaf, index: leaf.rows })
  }
  if (features.length < columns.length) {
    const c = table.binned.columns.length
    addOne(histogram.subarray(starts[c], starts[c + 1]), table.periodBin, { ...leaf, index: leaf.units })
  }
}

function addFour(
  [sum0, sum1, sum2, sum3]: readonly Float64Array[],
  [bin0, bin1, bin2, bin3]: readonly Uint8Array[],
  { rows, packed, from, to }: LeafUnits & { from: number; to: number },
): void {
  for (let i = from; i < to; i++) {
    const row = rows[i]
    const value = packed[i]
    sum0[bin0[row]] += value
    sum1[bin1[row]] += value
    sum2[bin2[row]] += value
    sum3[bin3[row]] += value
  }
}

function addOne(
  sums: Float64Array,
  bins: Uint8Array,
  { index, packed, from, to }: { index: Int32Array; packed: Float64Array; from: number; to: number },
): void {
  for (let i = from; i < to; i++) sums[bins[index[i]]] += packed[i]
}
