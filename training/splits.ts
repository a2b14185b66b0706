import { cutIntervals } from '../src/outcomes/labels.ts'
import type { Dataset } from './dataset.ts'

/** Some rows and the last day whose events may be used to label them. */
export interface Block {
  /** Dataset rows. */
  readonly rows: Int32Array
  /** Labels are known up to this day, in days since 1970-01-01. */
  readonly censoredAfter: number
}

/**
 * How a version is judged. Blocks follow each other in time; where time is too short customers are divided instead.
 *
 * `forward`: fit, calibrate and test blocks. `forward-cross-fitted`: fit and test blocks, calibration on predictions
 * cross-fitted by customer within the fit block. `by-customer`: one block in time, a fifth of the customers as test.
 */
export interface Split {
  readonly kind: 'forward' | 'forward-cross-fitted' | 'by-customer'
  readonly fit: Block
  /** Null: predictions to calibrate on are cross-fitted by customer within the fit block. */
  readonly calibrate: Block | null
  readonly test: Block
  /** First cutoff of the test block, in days since 1970-01-01; null where customers were divided. */
  readonly testFrom: number | null
}

/** Share of what can be learned that the later block should hold. */
const heldBackShare = 0.25
/** Least share that must be left to learn from: where calibration can be cross-fitted instead, more. */
const leastShare = { test: 0.15, calibrate: 0.4 }
const fewestLabels = 25

/** Decides how rows are divided. @param asOf in days since 1970-01-01. */
export function splitRows(
  dataset: Dataset,
  { asOf, horizonsDays }: { asOf: number; horizonsDays: readonly number[] },
): Split {
  const labels = tellingLabels(dataset, { asOf, horizonsDays })
  const testFrom = chooseBoundary(labels, asOf, leastShare.test)
  if (testFrom === null) return splitByCustomer(dataset, asOf)
  const test = blockFrom(dataset, { from: testFrom, before: Infinity, censoredAfter: asOf })
  const calibrateFrom = chooseBoundary(labels, testFrom, leastShare.calibrate)
  if (calibrateFrom === null) {
    const fit = blockFrom(dataset, { from: -Infinity, before: testFrom, censoredAfter: testFrom })
    return { kind: 'forward-cross-fitted', fit, calibrate: null, test, testFrom }
  }
  return {
    kind: 'forward',
    fit: blockFrom(dataset, { from: -Infinity, before: calibrateFrom, censoredAfter: calibrateFrom }),
    calibrate: blockFrom(dataset, { from: calibrateFrom, before: testFrom, censoredAfter: testFrom }),
    test,
    testFrom,
  }
}

/** The rows of a dataset, labels known up to `asOf`: what the published version learns from. */
export function wholeBlock(dataset: Dataset, asOf: number): Block {
  return blockFrom(dataset, { from: -Infinity, before: Infinity, censoredAfter: asOf })
}

/** Two blocks that follow each other as one. */
export function joinBlocks(first: Block, second: Block): Block {
  return {
    rows: Int32Array.from([...first.rows, ...second.rows]).sort(),
    censoredAfter: second.censoredAfter,
  }
}

/** A label that tells something: one of the rarer kind, as events are among quiet intervals. Days since 1970-01-01. */
interface TellingLabel {
  readonly cutoff: number
  /** The day by which it is known. */
  readonly end: number
  /** It belongs to the longest horizon that can be learned. */
  readonly isLongest: boolean
}

/** What there is to learn from, by time: rarer interval labels of the outcomes, or answers where there are none. */
function tellingLabels(
  dataset: Dataset,
  { asOf, horizonsDays }: { asOf: number; horizonsDays: readonly number[] },
): TellingLabel[] {
  const limits = Float64Array.from(dataset.cutoff, (cutoff, row) =>
    dataset.isPopulation[row] ? asOf - cutoff : -1,
  )
  const labels = dataset.outcomes.flatMap((days) => {
    const { happened, known } = cutIntervals(days, horizonsDays, limits)
    const places = Array.from(known.keys()).filter((at) => known[at] === 1)
    const events = places.filter((at) => happened[at] === 1).length
    const telling = 2 * events <= places.length ? 1 : 0
    return places
      .filter((at) => happened[at] === telling)
      .map((at) => ({
        cutoff: dataset.cutoff[Math.floor(at / horizonsDays.length)],
        horizon: horizonsDays[at % horizonsDays.length],
      }))
  })
  if (labels.length === 0) return tellingAnswers(dataset)
  const longest = horizonsDays.findLast(
    (horizon) => labels.filter((label) => label.horizon === horizon).length >= 0.02 * labels.length,
  )
  return labels.map(({ cutoff, horizon }) => ({
    cutoff,
    end: cutoff + horizon,
    isLongest: horizon === longest,
  }))
}

function tellingAnswers({ answers, cutoff }: Dataset): TellingLabel[] {
  const rows = Array.from(answers?.row ?? []).filter((_, i) => answers?.leadDays[i] === 0)
  return rows.map((row) => ({ cutoff: cutoff[row], end: cutoff[row] + 1, isLongest: true }))
}

/**
 * The cutoff that starts the later block: the one that leaves it nearest to a quarter of the labels known by `until`,
 * with the longest horizon known on both sides. Null where there is none.
 */
function chooseBoundary(labels: readonly TellingLabel[], until: number, least: number): number | null {
  const usable = labels.filter(({ end }) => end <= until)
  const sides = [...new Set(usable.map(({ cutoff }) => cutoff))].map((from) => {
    const before = usable.filter(({ end }) => end <= from)
    const after = usable.filter(({ cutoff }) => cutoff >= from)
    return { from, before, after, distance: Math.abs(after.length / usable.length - heldBackShare) }
  })
  const possible = sides.filter(
    ({ before, after }) =>
      before.length >= Math.max(fewestLabels, least * usable.length) &&
      after.length >= fewestLabels &&
      [before, after].every((side) => side.some(({ isLongest }) => isLongest)),
  )
  if (possible.length === 0) return null
  return possible.reduce((best, other) => (other.distance < best.distance ? other : best)).from
}

function blockFrom(dataset: Dataset, range: { from: number; before: number; censoredAfter: number }): Block {
  const rows: number[] = []
  for (let row = 0; row < dataset.cutoff.length; row++) {
    const cutoff = dataset.cutoff[row]
    if (cutoff >= range.from && cutoff < range.before) rows.push(row)
  }
  return { rows: Int32Array.from(rows), censoredAfter: range.censoredAfter }
}

function splitByCustomer(dataset: Dataset, asOf: number): Split {
  const isTest = (row: number) => scrambled(dataset.customer[row]) % 5 === 0
  const rows = Array.from(dataset.customer, (_, row) => row)
  return {
    kind: 'by-customer',
    fit: { rows: Int32Array.from(rows.filter((row) => !isTest(row))), censoredAfter: asOf },
    calibrate: null,
    test: { rows: Int32Array.from(rows.filter(isTest)), censoredAfter: asOf },
    testFrom: null,
  }
}

/** A fixed shuffle of customer numbers (the finaliser of MurmurHash3), so that neighbours part. */
function scrambled(customer: number): number {
  let hash = customer + 0x9e3779b9
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
