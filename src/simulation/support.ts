import type { FeatureFrame } from '../features/features.ts'
import type { EditedFrames } from './edited-features.ts'

/** Beyond this share outside, a scenario is refused. */
export const mostOutside = 0.2
/** Customers whom others are compared with, and as many who show how far apart customers are. */
const referenceRows = 1000
const nearestCompared = 3
/** Customers of those asked about who are looked at; evenly over all. */
const mostJudged = 500
/** Of customers as they are, this share lies nearer to others than the threshold. */
const insideQuantile = 0.99

/** Share of the edited customers who look like some that there are, in the features that the edits move. */
export function measureSupport({ studied, edited }: EditedFrames): number {
  return shareInside(
    studied,
    edited,
    studied.features.map(({ name }) => name),
  )
}

/**
 * Share of some customers that look like customers of a reference. 1 where there is nothing to tell.
 *
 * The distance is to the third nearest of half the reference; how large it may be is learned from the other half.
 * Numbers are on a scale that grows with the logarithm far from the middle, and missing is a value of its own.
 *
 * @param names the numeric features that are compared, which both frames have.
 */
export function shareInside(reference: FeatureFrame, asked: FeatureFrame, names: readonly string[]): number {
  if (asked.rows === 0 || names.length === 0 || reference.rows < 4) return 1
  const scales = names.map((name) => scaleOf(columnOf(reference, name)))
  const points = (frame: FeatureFrame) =>
    names.map((name, index) => columnOf(frame, name).map((value) => scaled(value, scales[index])))
  const known = points(reference)
  const half = Math.min(referenceRows, Math.floor(reference.rows / 2))
  const others = Array.from({ length: half }, (_, place) => place * 2)
  const held = others.map((row) => row + 1)
  const distances = held
    .map((row) => distanceTo(known, others, { columns: known, row }))
    .sort((a, b) => a - b)
  const threshold = distances[Math.min(half - 1, Math.floor(insideQuantile * half))]
  const columns = points(asked)
  const every = Math.ceil(asked.rows / mostJudged)
  let inside = 0
  let judged = 0
  for (let row = 0; row < asked.rows; row += every, judged++)
    if (distanceTo(known, others, { columns, row }) <= threshold) inside++
  return inside / judged
}

function columnOf({ features, columns }: FeatureFrame, name: string): Float64Array {
  return columns[features.findIndex((feature) => feature.name === name)] as Float64Array
}

interface Scale {
  readonly center: number
  readonly width: number
}

/** Median and spread of what is there. */
function scaleOf(column: Float64Array): Scale {
  const sorted = column.filter((value) => Number.isFinite(value)).sort()
  if (sorted.length === 0) return { center: 0, width: 1 }
  const at = (share: number) => sorted[Math.floor(share * (sorted.length - 1))]
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length
  const deviation = Math.sqrt(sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0) / sorted.length)
  return { center: at(0.5), width: Math.max((at(0.75) - at(0.25)) / 1.35, deviation / 4) || 1 }
}

function scaled(value: number, { center, width }: Scale): number {
  return Number.isFinite(value) ? Math.asinh((value - center) / width) : Number.NaN
}

/** Root mean square distance to the third nearest of some rows. */
function distanceTo(
  known: readonly Float64Array[],
  others: readonly number[],
  { columns, row }: { columns: readonly Float64Array[]; row: number },
): number {
  const nearest = new Array<number>(nearestCompared).fill(Number.POSITIVE_INFINITY)
  for (const other of others) {
    let sum = 0
    for (let c = 0; c < known.length && sum < nearest[nearestCompared - 1]; c++)
      sum += squaredGap(columns[c][row], known[c][other])
    if (sum >= nearest[nearestCompared - 1]) continue
    nearest[nearestCompared - 1] = sum
    nearest.sort((a, b) => a - b)
  }
  return Math.sqrt(nearest[Math.min(nearestCompared, others.length) - 1] / known.length)
}

/** Missing and missing are alike; missing and known are a spread apart. */
function squaredGap(a: number, b: number): number {
  const isMissing = Number.isNaN(a)
  if (isMissing || Number.isNaN(b)) return isMissing === Number.isNaN(b) ? 0 : 1
  return (a - b) ** 2
}
