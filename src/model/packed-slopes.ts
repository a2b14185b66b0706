import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Curvatures take the lower bits, gradients the upper ones. */
const base = 2 ** 26

/** The sum of gradients in a packed sum, in quantised steps. */
export function gradientOf(packed: number): number {
  return Math.floor(packed / base)
}

/** The sum of curvatures in a packed sum, in quantised steps. */
export function curvatureOf(packed: number): number {
  return packed - Math.floor(packed / base) * base
}

/**
 * Gradients and curvatures rounded to whole steps and put into one number each: one addition sums both, exactly, so
 * histograms come out the same in whatever order they are added and subtracted.
 *
 * Rounding is random without bias. With n units a step is n / 2^26 of the largest value, at most a sixteenth of it
 * for four million units: far less noise than one label has.
 *
 * Source: Shi et al. 2022, "Quantized training of gradient boosting decision trees".
 */
export interface PackedSlopes {
  readonly packed: Float64Array
  /** What one step of each is worth. */
  readonly gradientStep: number
  readonly curvatureStep: number
}

/** @param into where to put them, [units]; taken as the result's `packed` */
export function packSlopes(
  gradient: Float64Array,
  curvature: Float64Array,
  { seed, into }: { seed: number; into: Float64Array },
): PackedSlopes {
  const steps = Math.max(1, Math.floor(base / (gradient.length + 1)) - 1)
  const gradientStep = largest(gradient) / steps || 1
  const curvatureStep = largest(curvature) / steps || 1
  const random = xoroshiro128plus(seed)
  for (let i = 0; i < into.length; i++) {
    const bits = random.next()
    const low = (bits & 0xffff) / 0x10000
    const high = (bits >>> 16) / 0x10000
    into[i] =
      Math.floor(gradient[i] / gradientStep + low) * base + Math.floor(curvature[i] / curvatureStep + high)
  }
  return { packed: into, gradientStep, curvatureStep }
}

function largest(values: Float64Array): number {
  let most = 0
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]))
  return most
}
