import { describe, expect, it } from 'vitest'
import { forecastGroup } from '../../src/model/group-forecast.ts'
import { chanceOf } from './simulated.ts'

const range = [0, 1] as const

describe('the interval of a group', () => {
  it('holds what is counted in about 95 of 100 groups, large or small', () => {
    const chance = chanceOf(4)
    const level = 0.02
    for (const customers of [40, 400, 4000]) {
      let held = 0
      for (let group = 0; group < 1000; group++) {
        // The forecast of every customer is off by the same amount, which a large group does not average out.
        const truth = 0.3 + level * chance.normal()
        let happened = 0
        for (let customer = 0; customer < customers; customer++) if (chance.uniform() < truth) happened++
        const error = { standardError: level, spread: Math.sqrt(0.3 * 0.7) }
        const [low, high] = forecastGroup(0.3, customers, { error, range }).ci95 ?? [1, 0]
        if (happened / customers >= low && happened / customers <= high) held++
      }
      // Exact binomial 99.9% around 95% of 1000.
      expect(held).toBeGreaterThan(926)
      expect(held).toBeLessThan(972)
    }
  })
  it('stays within what can be', () => {
    const error = { standardError: 0.5, spread: 0.5 }
    expect(forecastGroup(0.9, 10, { error, range }).ci95?.[1]).toBe(1)
    expect(forecastGroup(0.1, 10, { error, range }).ci95?.[0]).toBe(0)
  })
  it('is absent where the error is not known or nobody is in the group', () => {
    expect(forecastGroup(0.3, 10, { error: null, range })).toEqual({ value: 0.3, ci95: null })
    expect(forecastGroup(0.3, 0, { error: { standardError: 0.1, spread: 0.1 }, range }).ci95).toBeNull()
  })
})
