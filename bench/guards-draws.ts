import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Seeded draws for companies that are made up. */
export interface Draws {
  /** At least `low`, below `high`; default 0 to 1. */
  uniform(low?: number, high?: number): number
  /** Whole, from `low` to `high` inclusive. */
  whole(low: number, high: number): number
  normal(): number
  /** Positive with a heavy tail: the median is 1, and with a spread of 1.5 one in a hundred is above 30. */
  heavy(spread: number): number
  isTrue(probability: number): boolean
  pick<T>(values: readonly T[]): T
}

export function drawsOf(seed: number): Draws {
  // Seeds in a row would begin alike.
  const generator = xoroshiro128plus(Math.imul(seed + 1, 0x9e3779b1))
  const uniform = (low = 0, high = 1) => low + (high - low) * uniformFloat64(generator)
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())
  const whole = (low: number, high: number) => low + Math.floor(uniform() * (high - low + 1))
  return {
    uniform,
    normal,
    whole,
    heavy: (spread) => Math.exp(spread * normal()),
    isTrue: (probability) => uniform() < probability,
    pick: (values) => values[whole(0, values.length - 1)],
  }
}

/** Days at which something without memory happens from `from` to before `until`. @param rate how often a day */
export function memorylessDays(
  draws: Draws,
  { from, until, rate }: { from: number; until: number; rate: (day: number) => number },
): number[] {
  const days: number[] = []
  for (let day = from; day < until; day++) if (draws.isTrue(1 - Math.exp(-rate(day)))) days.push(day)
  return days
}
