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

const heldBackShare = 0.25
const fewestCompleteRows = 50

/** Decides how rows are divided. @param asOf in days since 1970-01-01. */
export function splitRows(
  dataset: Dataset,
  { asOf, horizonsDays }: { asOf: number; horizonsDays: readonly number[] },
): Split {
  const ends = completionDays(dataset, horizonsDays)
  const testFrom = chooseBoundary(dataset, ends, asOf)
  if (testFrom === null) return splitByCustomer(dataset, asOf)
  const test = blockFrom(dataset, { from: testFrom, before: Infinity, censoredAfter: asOf })
  const calibrateFrom = chooseBoundary(dataset, ends, testFrom)
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

/** The day on which a row's last learnable label is known; NaN where it has none. */
function completionDays(dataset: Dataset, horizonsDays: readonly number[]): Float64Array {
  const rows = dataset.customer.length
  const ends = new Float64Array(rows).fill(Number.NaN)
  const longest = longestKnownHorizon(dataset, horizonsDays)
  if (longest > 0) {
    for (let row = 0; row < rows; row++) {
      const isComplete = dataset.outcomes.some((days) => days.known[row] >= longest)
      if (dataset.isPopulation[row] && isComplete) ends[row] = dataset.cutoff[row] + longest
    }
    return ends
  }
  const { answers } = dataset
  if (answers === null) return ends
  for (let i = 0; i < answers.row.length; i++) {
    if (answers.leadDays[i] === 0) ends[answers.row[i]] = dataset.cutoff[answers.row[i]] + 1
  }
  return ends
}

/** The longest horizon that is known for at least a twentieth of the rows whose shortest is; 0 without outcomes. */
function longestKnownHorizon(dataset: Dataset, horizonsDays: readonly number[]): number {
  const rowsKnown = (horizon: number) =>
    Math.max(
      0,
      ...dataset.outcomes.map(
        (days) => days.known.filter((known, row) => dataset.isPopulation[row] && known >= horizon).length,
      ),
    )
  const any = rowsKnown(horizonsDays[0])
  return any === 0 ? 0 : (horizonsDays.findLast((horizon) => rowsKnown(horizon) >= 0.05 * any) ?? 0)
}

/** The cutoff that starts the later block, or null where either side would be without complete labels. */
function chooseBoundary(dataset: Dataset, ends: Float64Array, until: number): number | null {
  const complete: number[] = []
  for (let row = 0; row < ends.length; row++) if (ends[row] <= until) complete.push(row)
  if (complete.length < 2 * fewestCompleteRows) return null
  const cutoffs = complete.map((row) => dataset.cutoff[row]).sort((a, b) => a - b)
  const wanted = cutoffs[Math.floor((1 - heldBackShare) * (cutoffs.length - 1))]
  const last = cutoffs[cutoffs.length - 1]
  for (const from of new Set([wanted, last])) {
    const before = complete.filter((row) => ends[row] <= from).length
    const after = complete.filter((row) => dataset.cutoff[row] >= from).length
    if (before >= fewestCompleteRows && after >= fewestCompleteRows) return from
  }
  return null
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
