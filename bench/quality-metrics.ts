import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'
import { clusterBootstrap, type Interval } from '../src/model/bootstrap.ts'
import { densePositions } from '../src/model/folds.ts'
import { expectedCalibrationError } from '../src/model/metrics.ts'

/** The range that exported probabilities, of six decimals, can tell apart. Everybody is judged within it. */
const smallest = 1e-6

/** Probabilities no nearer to 0 or 1 than {@link smallest}. */
export function clampProbabilities(probabilities: ArrayLike<number>): Float64Array {
  return Float64Array.from(probabilities, (p) => Math.min(1 - smallest, Math.max(smallest, p)))
}

/** Forecasts of rows whose futures may overlap. **Shape** all [rows] */
export interface ForecastRows {
  readonly probability: Float64Array
  readonly customer: ArrayLike<number>
  /** Day from whose end each row looks ahead. */
  readonly cutoff: ArrayLike<number>
  readonly horizonDays: number
  /** True where what is forecast is that no event falls. */
  readonly isAbsence: boolean
}

/**
 * The calibration error (15 bins) that 19 of 20 perfectly calibrated forecasts of these probabilities stay below:
 * what happens is drawn from the probabilities themselves.
 *
 * A customer's rows look ahead to days that they have in common, and an event that falls on one of these falls for all
 * of them. So events are drawn as points of a Poisson process over days and heights: those below a row's rate, within
 * its horizon, are events of this row, which sees one with just its probability.
 */
export function calibrationBound(
  rows: ForecastRows,
  { seed, draws = 200 }: { seed: number; draws?: number },
): number {
  const { probability, isAbsence } = rows
  const random = xoroshiro128plus(seed)
  const lives = livesOf(rows)
  const happened = new Uint8Array(probability.length)
  const errors = Float64Array.from({ length: draws }, () => {
    happened.fill(isAbsence ? 1 : 0)
    for (const life of lives)
      for (const row of drawRowsWithEvent(life, random)) happened[row] = isAbsence ? 0 : 1
    return expectedCalibrationError({ probability, happened })
  }).sort()
  return errors[Math.min(draws - 1, Math.ceil(0.95 * draws))]
}

/** The rows of one customer: from a day to another, and with how many events a day. */
interface Life {
  readonly spans: readonly {
    readonly row: number
    readonly from: number
    readonly until: number
    readonly rate: number
  }[]
  readonly from: number
  readonly until: number
  readonly highest: number
}

function livesOf({ probability, customer, cutoff, horizonDays, isAbsence }: ForecastRows): Life[] {
  const spans = Array.from(probability, (p, row) => {
    const quiet = isAbsence ? p : 1 - p
    const rate = -Math.log(quiet) / horizonDays
    return { row, from: cutoff[row], until: cutoff[row] + horizonDays, rate }
  })
  const { position, count } = densePositions(customer)
  const groups = Array.from({ length: count }, (): typeof spans => [])
  for (const span of spans) groups[position[span.row]].push(span)
  return groups.map((own) => ({
    spans: own,
    from: Math.min(...own.map(({ from }) => from)),
    until: Math.max(...own.map(({ until }) => until)),
    highest: Math.max(...own.map(({ rate }) => rate)),
  }))
}

function* drawRowsWithEvent(
  { spans, from, until, highest }: Life,
  random: RandomGenerator,
): Generator<number> {
  const uniform = () => uniformFloat64(random)
  const nextAfter = (day: number) => day - Math.log(1 - uniform()) / highest
  for (let day = nextAfter(from); day <= until; day = nextAfter(day)) {
    const height = highest * uniform()
    for (const span of spans) if (day > span.from && day <= span.until && height < span.rate) yield span.row
  }
}

/** Losses of two forecasters of the same rows. **Shape** all [rows]; several rows may belong to a customer. */
export interface PairedLosses {
  readonly own: ArrayLike<number>
  readonly other: ArrayLike<number>
  readonly customer: ArrayLike<number>
}

/** Own mean loss over the other's with its 95% interval, both drawn together, customer by customer. */
export function pairedRatio({ own, other, customer }: PairedLosses, seed: number): Interval {
  // A mean of ratios weighted by the other's losses is the ratio of the means.
  const weights = Float64Array.from(other, (loss) => Math.max(loss, 1e-12))
  const values = weights.map((loss, row) => own[row] / loss)
  return clusterBootstrap({ values, weights, cluster: customer, seed })
}
