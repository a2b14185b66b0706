import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { describe, expect, it } from 'vitest'
import { effectOnExposed } from '../../src/impact/effect-on-exposed.ts'
import { meanOf } from '../../src/model/metrics.ts'

const effect = 0.1

/** Rows of which those with trouble are exposed more often and fare worse anyhow; exposure adds `effect`. */
function simulate(seed: number, rows = 1500) {
  const generator = xoroshiro128plus(seed)
  const random = () => uniformFloat64(generator)
  const trouble = Float64Array.from({ length: rows }, random)
  const chance = trouble.map((own) => 0.05 + 0.5 * own)
  const isExposed = Uint8Array.from(chance, (own) => (random() < own ? 1 : 0))
  const ifSpared = trouble.map((own) => 0.1 + 0.6 * own)
  const outcome = ifSpared.map((own, row) => (random() < own + effect * isExposed[row] ? 1 : 0))
  const customer = Int32Array.from({ length: rows }, (_, row) => row)
  return { isExposed, outcome, chance, ifSpared, customer, weight: new Float64Array(rows).fill(1) }
}

describe('the effect on those exposed', () => {
  it('is exact where the outcomes are foretold exactly', () => {
    const found = effectOnExposed({
      isExposed: Uint8Array.of(1, 1, 0, 0),
      outcome: [3, 4, 1, 2],
      chance: [0.5, 0.5, 0.2, 0.4],
      ifSpared: [2, 3, 1, 2],
      customer: [0, 1, 2, 3],
      weight: [1, 1, 1, 1],
    })
    expect(found.effect).toBe(1)
    expect(found.standardError).toBe(0)
    expect(found.exposed).toBe(2)
  })
  it('weighs those spared by their odds of exposure', () => {
    const found = effectOnExposed({
      isExposed: Uint8Array.of(1, 0, 0),
      outcome: [10, 1, 4],
      chance: [0.5, 0.2, 0.5],
      ifSpared: [0, 0, 0],
      customer: [0, 1, 2],
      weight: [1, 1, 1],
    })
    // Odds 1/4 and 1: (1/4 + 4) / (5/4) = 3.4 without exposure; (5/4)² / (1/16 + 1) rows that weigh alike.
    expect(found.effect).toBeCloseTo(6.6, 12)
    expect(found.effectiveSpared).toBeCloseTo(1.5625 / 1.0625, 12)
  })
  it.each([
    ['the chances alone', false, true],
    ['the outcomes alone', true, false],
    ['both', true, true],
  ])('is found where %s are right', (_, hasOutcomes, hasChances) => {
    const errors = Array.from({ length: 40 }, (_, seed) => {
      const world = simulate(seed)
      const found = effectOnExposed({
        ...world,
        ifSpared: hasOutcomes ? world.ifSpared : new Float64Array(world.outcome.length),
        chance: hasChances ? world.chance : world.chance.map(() => 0.3),
      })
      return found.effect - effect
    })
    expect(Math.abs(meanOf(errors))).toBeLessThan(0.015)
  })
  it('has intervals that hold it as often as they say', () => {
    let held = 0
    for (let seed = 0; seed < 300; seed++) {
      const found = effectOnExposed(simulate(seed))
      if (Math.abs(found.effect - effect) <= 1.96 * found.standardError) held++
    }
    // The exact binomial 99% region of 300 at 95%.
    expect(held).toBeGreaterThanOrEqual(275)
    expect(held).toBeLessThanOrEqual(294)
  })
  it('is less sure of the same rows where they belong to fewer customers', () => {
    const world = simulate(1)
    const pairs = world.customer.map((row) => Math.floor(row / 10))
    const twice = (values: ArrayLike<number>) =>
      Float64Array.from([...Array.from(values), ...Array.from(values)])
    const doubled = {
      isExposed: Uint8Array.from(twice(world.isExposed)),
      ...{ outcome: twice(world.outcome), chance: twice(world.chance), ifSpared: twice(world.ifSpared) },
      weight: twice(world.weight),
      customer: twice(world.customer),
    }
    expect(effectOnExposed(doubled).standardError).toBeCloseTo(effectOnExposed(world).standardError, 4)
    expect(effectOnExposed({ ...world, customer: pairs }).standardError).not.toBe(
      effectOnExposed(world).standardError,
    )
  })
})
