import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { clusterBootstrap, type Interval } from '../src/model/bootstrap.ts'
import { expectedCalibrationError } from '../src/model/metrics.ts'

/** The range that exported probabilities, of six decimals, can tell apart. Everybody is judged within it. */
const smallest = 1e-6

/** Probabilities no nearer to 0 or 1 than {@link smallest}. */
export function clampProbabilities(probabilities: ArrayLike<number>): Float64Array {
  return Float64Array.from(probabilities, (p) => Math.min(1 - smallest, Math.max(smallest, p)))
}

/**
 * The calibration error (15 bins) that 19 of 20 perfectly calibrated forecasts of these probabilities stay below:
 * what happens is drawn from the probabilities themselves, row by row.
 *
 * Rows of one customer are drawn apart, though their futures overlap: the bound is on the strict side.
 */
export function calibrationBound(
  probability: Float64Array,
  { seed, draws = 200 }: { seed: number; draws?: number },
): number {
  const random = xoroshiro128plus(seed)
  const errors = Float64Array.from({ length: draws }, () => {
    const happened = Uint8Array.from(probability, (p) => (uniformFloat64(random) < p ? 1 : 0))
    return expectedCalibrationError({ probability, happened })
  }).sort()
  return errors[Math.min(draws - 1, Math.ceil(0.95 * draws))]
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
