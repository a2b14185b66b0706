import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { describe, expect, it } from 'vitest'
import { clusterBootstrap } from '../../src/model/bootstrap.ts'

const random = xoroshiro128plus(5)
/** Roughly normal, mean 0, standard deviation 1. */
const noise = () => Array.from({ length: 12 }, () => uniformFloat64(random)).reduce((a, b) => a + b, -6)

describe('bootstrap over customers', () => {
  it('finds the textbook interval of a mean of independent rows', () => {
    const values = Array.from({ length: 400 }, () => 3 + 2 * noise())
    const { mean, low, high } = clusterBootstrap({
      values,
      cluster: values.map((_, i) => i),
      seed: 1,
      replicates: 2000,
    })
    expect(mean).toBeCloseTo(values.reduce((a, b) => a + b, 0) / 400, 9)
    expect(high - low).toBeCloseTo((2 * 1.96 * 2) / Math.sqrt(400), 1)
    expect((high - low) / ((2 * 1.96 * 2) / 20)).toBeGreaterThan(0.85)
    expect((high - low) / ((2 * 1.96 * 2) / 20)).toBeLessThan(1.15)
  })

  it('is no narrower when every customer is repeated ten times', () => {
    const values = Array.from({ length: 200 }, noise)
    const once = clusterBootstrap({ values, cluster: values.map((_, i) => i), seed: 2 })
    const copies = Array.from({ length: 2000 }, (_, i) => values[i % 200])
    const often = clusterBootstrap({ values: copies, cluster: copies.map((_, i) => i % 200), seed: 2 })
    expect(often.low).toBeCloseTo(once.low, 9)
    expect(often.high).toBeCloseTo(once.high, 9)
  })

  it('merges very many customers without changing the width much', () => {
    const values = Array.from({ length: 20_000 }, noise)
    const { low, high } = clusterBootstrap({ values, cluster: values.map((_, i) => i), seed: 3 })
    const wanted = (2 * 1.96) / Math.sqrt(20_000)
    expect((high - low) / wanted).toBeGreaterThan(0.88)
    expect((high - low) / wanted).toBeLessThan(1.12)
  })

  it('holds the true mean, between both ends and above the lower bound, in about 95 of 100 samples', () => {
    let held = 0
    let above = 0
    for (let sample = 0; sample < 300; sample++) {
      const values: number[] = []
      const cluster: number[] = []
      for (let customer = 0; customer < 60; customer++) {
        const own = noise()
        for (let row = 0; row <= customer % 3; row++) {
          values.push(own + noise())
          cluster.push(customer)
        }
      }
      const { low, lowerBound, high } = clusterBootstrap({ values, cluster, seed: sample, replicates: 300 })
      if (low <= 0 && high >= 0) held++
      if (lowerBound <= 0) above++
      expect(lowerBound).toBeGreaterThan(low)
    }
    expect(held).toBeGreaterThanOrEqual(270)
    expect(held).toBeLessThanOrEqual(297)
    expect(above).toBeGreaterThanOrEqual(270)
    expect(above).toBeLessThanOrEqual(297)
  })

  it('repeats exactly with its seed and honours weights', () => {
    const input = { values: [1, 5, 2, 8], weights: [1, 0, 1, 0], cluster: [0, 1, 2, 3], seed: 4 }
    expect(clusterBootstrap(input)).toEqual(clusterBootstrap(input))
    expect(clusterBootstrap(input).mean).toBe(1.5)
  })

  it('says so where there is nothing to average', () => {
    expect(() => clusterBootstrap({ values: [], cluster: [], seed: 1 })).toThrow('no mean')
  })
})
