import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Encoder } from '../../src/features/encoder.ts'
import type { FeatureFrame } from '../../src/features/features.ts'
import { DriverReader, effectOnAnswer, effectOnProbability } from '../../src/model/drivers.ts'

const feature = (name: string, kind: 'number' | 'category') => ({
  name,
  kind,
  unit: 'events',
  windowDays: null,
  words: `${name} in words`,
  origin: name,
})
const frame: FeatureFrame = {
  rows: 2,
  features: [feature('tickets', 'number'), feature('plan', 'category')],
  columns: [Float64Array.of(4, Number.NaN), ['gold', null]],
}
const encoder: Encoder = {
  encodings: [
    {
      kind: 'number',
      name: 'tickets',
      isLogged: false,
      low: 0,
      high: 10,
      center: 1,
      scale: 1,
      hasMissing: true,
      edges: [],
    },
    { kind: 'category', name: 'plan', categories: ['gold'] },
  ],
}
/** Columns: tickets, tickets missing, plan gold, plan other. */
const weights = { weights: [1, 0.2, -0.5, 0.1], means: [0, 0.1, 0.5, 0.5] }

describe('drivers', () => {
  it('add up the columns of a feature and come strongest first', () => {
    const reader = new DriverReader(encoder, frame)
    const [first, second] = reader.strongest(weights, 0, 3)
    expect(first.encoding).toBe(0)
    expect(first.term).toBeCloseTo(3 / Math.sqrt(2) - 0.02, 5)
    expect(second.term).toBeCloseTo(-0.5 * 0.5 - 0.1 * 0.5, 5)
  })

  it('show the value that the customer has, and null where it is missing', () => {
    const reader = new DriverReader(encoder, frame)
    const effect = { effect: 0.1, unit: 'probability', outcome: 'churn' } as const
    const [term] = reader.strongest(weights, 0, 1)
    expect(reader.describe(term, 0, effect)).toMatchObject({
      feature: 'tickets',
      words: 'tickets in words',
      value: 4,
    })
    expect(reader.describe({ encoding: 1, term: 1 }, 1, effect)).toMatchObject({
      feature: 'plan',
      value: null,
    })
  })

  it('move a probability towards their sign and stay within it', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: -8, max: 8, noNaN: true }),
        (p, term) => {
          const effect = effectOnProbability(p, term)
          expect(effect * term).toBeGreaterThanOrEqual(-1e-7)
          expect(p - effect).toBeGreaterThanOrEqual(0)
          expect(p - effect).toBeLessThanOrEqual(1)
        },
      ),
    )
  })

  it('move an expected answer towards their sign: a higher location is a better answer', () => {
    const distribution = [0.05, 0.02, 0.03, 0.05, 0.05, 0.1, 0.1, 0.15, 0.2, 0.15, 0.1]
    expect(effectOnAnswer(distribution, 0)).toBeCloseTo(0, 9)
    expect(effectOnAnswer(distribution, 0.7)).toBeGreaterThan(0.3)
    expect(effectOnAnswer(distribution, -0.7)).toBeLessThan(-0.3)
  })
})
