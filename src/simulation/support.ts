import type { Feature } from '../features/catalogue.ts'
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
  const names = studied.features.map(({ name }) => name)
  return edited.rows === 0 ? 1 : shareInside(learnReference(studied, names), edited)
}

/** Customers whom others may look like, in some features; null where there is nothing to tell. */
export interface Reference {
  readonly names: readonly string[]
  readonly scales: readonly Scale[]
  readonly known: Points
  /** Whoever lies no farther from those known is like them. */
  readonly threshold: number
}

/**
 * Learns from customers how near others must lie to look like them.
 *
 * The distance is to the third nearest of half the reference; how large it may be is learned from the other half.
 * Numbers are on a scale that grows with the logarithm far from the middle, and missing is a value of its own.
 *
 * @param names the numeric features that are compared.
 */
export function learnReference(reference: FeatureFrame, names: readonly string[]): Reference | null {
  if (names.length === 0 || reference.rows < 4) return null
  const scales = names.map((name) => scaleOf(columnOf(reference, name)))
  const half = Math.min(referenceRows, Math.floor(reference.rows / 2))
  const known = pointsOf(reference, evenly(half, 2, 0), { names, scales })
  const held = pointsOf(reference, evenly(half, 2, 1), { names, scales })
  const distances = distancesTo(known, held).sort()
  return { names, scales, known, threshold: distances[Math.min(half - 1, Math.floor(insideQuantile * half))] }
}

/** Share of some customers that look like those of a reference. 1 where there is nothing to tell. */
export function shareInside(reference: Reference | null, asked: FeatureFrame): number {
  if (reference === null || asked.rows === 0) return 1
  const every = Math.ceil(asked.rows / mostJudged)
  const rows = evenly(Math.ceil(asked.rows / every), every, 0)
  const judged = distancesTo(reference.known, pointsOf(asked, rows, reference))
  const inside = judged.filter((distance) => distance <= reference.threshold)
  return inside.length / judged.length
}

function pointsOf(
  frame: FeatureFrame,
  rows: readonly number[],
  { names, scales }: Pick<Reference, 'names' | 'scales'>,
): Points {
  const values = new Float64Array(rows.length * names.length)
  for (const [index, name] of names.entries()) {
    const column = columnOf(frame, name)
    for (const [place, row] of rows.entries())
      values[place * names.length + index] = scaled(column[row], scales[index])
  }
  return { rows: rows.length, width: names.length, values }
}

/** So many rows, each so far from the one before. */
function evenly(count: number, step: number, first: number): number[] {
  return Array.from({ length: count }, (_, place) => first + place * step)
}

/** Rows of scaled numbers, one after the other. */
interface Points {
  readonly rows: number
  readonly width: number
  readonly values: Float64Array
}

/** Those whom an initiative was measured on, in the numbers that were known of them. */
export function learnCompared(compared: FeatureFrame, features: readonly Feature[]): Reference | null {
  const isKnown = (name: string) => columnOf(compared, name).some((value) => Number.isFinite(value))
  const names = features.flatMap(({ name, kind }) => (kind === 'number' ? [name] : []))
  return learnReference(compared, names.filter(isKnown))
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

/** Root mean square distance of each point to the third nearest of those known. */
function distancesTo(known: Points, asked: Points): Float64Array {
  const distances = new Float64Array(asked.rows)
  const place = Math.min(nearestCompared, known.rows) - 1
  for (let row = 0; row < asked.rows; row++) {
    const nearest = new Array<number>(nearestCompared).fill(Number.POSITIVE_INFINITY)
    for (let other = 0; other < known.rows; other++) {
      const sum = squaredDistance(known, asked, { other, row, enough: nearest[nearestCompared - 1] })
      if (sum >= nearest[nearestCompared - 1]) continue
      nearest[nearestCompared - 1] = sum
      nearest.sort((a, b) => a - b)
    }
    distances[row] = Math.sqrt(nearest[place] / known.width)
  }
  return distances
}

/** Missing and missing are alike; missing and known are a spread apart. @param enough adding up stops there */
function squaredDistance(
  known: Points,
  asked: Points,
  { other, row, enough }: { other: number; row: number; enough: number },
): number {
  const { width } = known
  const from = other * width
  const own = row * width
  let sum = 0
  for (let c = 0; c < width && sum < enough; c++) {
    const a = asked.values[own + c]
    const b = known.values[from + c]
    const gap = a - b
    if (!Number.isNaN(gap)) sum += gap * gap
    else if (Number.isNaN(a) !== Number.isNaN(b)) sum += 1
  }
  return sum
}
