import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { describe, expect, it } from 'vitest'
import { calibrationBound, clampProbabilities, pairedRatio } from '../../bench/quality-metrics.ts'
import { expectedCalibrationError } from '../../src/model/metrics.ts'

const random = xoroshiro128plus(7)
const probability = Float64Array.from({ length: 600 }, () => uniformFloat64(random) ** 2)
const drawn = (chance: (p: number) => number) =>
  Uint8Array.from(probability, (p) => (uniformFloat64(random) < chance(p) ? 1 : 0))

const apart = (probability: Float64Array) => ({
  ...{ probability, customer: probability.map((_, row) => row) },
  ...{ cutoff: new Int32Array(probability.length), horizonDays: 90, isAbsence: false },
})

describe('the bound on the calibration error', () => {
  const bound = calibrationBound(apart(probability), { seed: 1, draws: 400 })
  const isBelow = (happened: Uint8Array) => expectedCalibrationError({ probability, happened }) <= bound

  it('lets 19 of 20 perfectly calibrated forecasts pass', () => {
    const passed = Array.from({ length: 400 }, () => isBelow(drawn((p) => p))).filter(Boolean).length
    expect(passed / 400).toBeGreaterThan(0.91)
    expect(passed / 400).toBeLessThan(0.985)
  })
  it('stops forecasts that are a fifth too high', () => {
    const passed = Array.from({ length: 100 }, () => isBelow(drawn((p) => 0.8 * p))).filter(Boolean).length
    expect(passed).toBeLessThan(50)
  })
  it('is the same for the same seed and lower with more rows', () => {
    expect(calibrationBound(apart(probability), { seed: 1, draws: 400 })).toBe(bound)
    const more = Float64Array.from({ length: 6000 }, (_, row) => probability[row % 600])
    expect(calibrationBound(apart(more), { seed: 1, draws: 100 })).toBeLessThan(bound / 2)
  })
  it('holds for events that fall when they will, looked ahead to every 30 days for 90', () => {
    const looks = 8
    const rate = Float64Array.from({ length: 120 }, () => 0.01 * uniformFloat64(random) ** 2)
    const row = Array.from({ length: rate.length * looks }, (_, at) => at)
    const customer = row.map((at) => Math.floor(at / looks))
    const cutoff = row.map((at) => 30 * (at % looks))
    const chances = Float64Array.from(customer, (one) => 1 - Math.exp(-90 * rate[one]))
    const lived = () => {
      const days = Array.from(rate, (own) => daysOfEvents(own, 30 * looks + 60))
      return Uint8Array.from(row, (at) =>
        Number(days[customer[at]].some((day) => day > cutoff[at] && day <= cutoff[at] + 90)),
      )
    }
    const rows = { ...apart(chances), customer, cutoff }
    const passing = (own: number) =>
      Array.from({ length: 300 }, () =>
        expectedCalibrationError({ probability: chances, happened: lived() }),
      ).filter((error) => error <= own).length / 300
    const share = passing(calibrationBound(rows, { seed: 1, draws: 400 }))
    expect(share).toBeGreaterThan(0.9)
    expect(share).toBeLessThan(0.99)
    const quiet = chances.map((p) => 1 - p)
    const absence = calibrationBound(
      { ...rows, probability: quiet, isAbsence: true },
      { seed: 1, draws: 400 },
    )
    expect(absence).toBeCloseTo(calibrationBound(rows, { seed: 1, draws: 400 }), 2)
    // Drawn row by row the bound would stop many that are perfectly calibrated.
    expect(passing(calibrationBound(apart(chances), { seed: 1, draws: 400 }))).toBeLessThan(0.7)
  })
})

function daysOfEvents(rate: number, until: number): number[] {
  const days: number[] = []
  for (let day = 0; day <= until; ) {
    day += -Math.log(1 - uniformFloat64(random)) / rate
    days.push(day)
  }
  return days
}

describe('the ratio of paired losses', () => {
  const rows = Array.from({ length: 500 }, (_, row) => row)
  const other = rows.map(() => 0.1 + uniformFloat64(random))

  it('is that of the means, not the mean of ratios', () => {
    const { mean } = pairedRatio({ own: [1, 3], other: [2, 2], customer: [0, 1] }, 1)
    expect(mean).toBeCloseTo(1, 12)
  })
  it('knows a constant ratio without doubt, however much the losses vary', () => {
    const own = other.map((loss) => 1.02 * loss)
    const { mean, low, high } = pairedRatio({ own, other, customer: rows }, 1)
    for (const value of [mean, low, high]) expect(value).toBeCloseTo(1.02, 10)
  })
  it('is in more doubt where rows hang together by customer', () => {
    const own = other.map((loss, row) => loss * (row % 50 < 25 ? 0.7 : 1.3))
    const width = (customer: number[]) => {
      const { low, high } = pairedRatio({ own, other, customer }, 1)
      return high - low
    }
    expect(width(rows.map((row) => row % 50))).toBeGreaterThan(2 * width(rows))
  })
  it('bears a rival who was certain and right', () => {
    const { mean, low, high } = pairedRatio(
      { own: [0.1, 0.2, 0.3], other: [0, 0.2, 0.3], customer: [0, 1, 2] },
      1,
    )
    expect(mean).toBeCloseTo(1.2, 10)
    expect(Number.isFinite(low) && Number.isFinite(high)).toBe(true)
  })
})

it('probabilities are judged within the six decimals of an export', () => {
  expect([...clampProbabilities([0, 0.25, 1])]).toEqual([1e-6, 0.25, 1 - 1e-6])
})
