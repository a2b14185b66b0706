import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Encoder, encode, fitEncoder } from '../../src/features/encoder.ts'
import type { FeatureFrame } from '../../src/features/features.ts'
import { DriverReader, effectOnProbability } from '../../src/model/drivers.ts'
import { type Surrogate, SurrogateFitter } from '../../src/model/surrogate.ts'
import { chanceOf } from './simulated.ts'

const feature = (name: string, origin: string, kind: 'number' | 'category' = 'number') => ({
  name,
  kind,
  unit: 'events',
  windowDays: null,
  words: `${name} in words`,
  origin,
})
const frame: FeatureFrame = {
  rows: 2,
  features: [
    feature('tickets_30', 'ticket'),
    feature('tickets_90', 'ticket'),
    feature('plan', 'plan', 'category'),
  ],
  columns: [Float64Array.of(4, Number.NaN), Float64Array.of(4, 0), ['gold', null]],
}
const number = { kind: 'number', isLogged: false, low: 0, high: 10, center: 1, scale: 1, edges: [] } as const
const encoder: Encoder = {
  encodings: [
    { ...number, name: 'tickets_30', hasMissing: true },
    { ...number, name: 'tickets_90', hasMissing: false },
    { kind: 'category', name: 'plan', categories: ['gold'] },
  ],
}
/** Columns: tickets_30, missing, tickets_90, plan gold, plan other. */
const surrogate: Surrogate = {
  base: -2,
  weights: [1, 0.2, -0.25, -0.5, 0.1],
  means: [0, 0.1, 0, 0.5, 0.5],
  explained: 0.9,
}
const reader = new DriverReader(encoder, frame, encode(encoder, frame, 'piecewise'))
const climbed = 3 / Math.sqrt(2)

describe('drivers', () => {
  it('add up the features of a behaviour, name the one that moved most, and come strongest first', () => {
    const { terms } = reader.explain(surrogate, 0, 0)
    expect(terms.map(({ encoding }) => encoding)).toEqual([0, 2])
    expect(terms[0].term).toBeCloseTo(0.75 * climbed - 0.02, 5)
    expect(terms[1].term).toBeCloseTo(-0.5 * 0.5 - 0.1 * 0.5, 5)
  })

  it('leave a remainder: base, behaviours and remainder add up to what was predicted', () => {
    for (const [row, predicted] of [0.7, -3].entries()) {
      const { terms, remainder } = reader.explain(surrogate, row, predicted)
      const sum = terms.reduce((total, { term }) => total + term, surrogate.base + remainder)
      expect(sum).toBeCloseTo(predicted, 9)
    }
  })

  it('show the value that the customer has, and null where it is missing', () => {
    const effect = { effect: 0.1, unit: 'probability', outcome: 'churn' } as const
    expect(reader.describe({ encoding: 0 }, 0, effect)).toMatchObject({
      feature: 'tickets_30',
      words: 'tickets_30 in words',
      value: 4,
    })
    expect(reader.describe({ encoding: 2 }, 1, effect)).toMatchObject({ feature: 'plan', value: null })
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
})

describe('the additive stand-in', () => {
  const rows = 2_000
  const chance = chanceOf(1)
  const columns = Array.from({ length: 3 }, () => Float64Array.from({ length: rows }, chance.normal))
  const world: FeatureFrame = {
    rows,
    features: ['a', 'b', 'c'].map((name) => feature(name, name)),
    columns,
  }
  const all = Int32Array.from({ length: rows }, (_, row) => row)
  const bent = columns[0].map((a, row) => 2 * Math.max(0, a) - columns[1][row])
  const label = bent.map((value) => (value > 0.5 ? 1 : 0))
  const fitted = fitEncoder(world, all, { targets: [{ label, weight: new Uint8Array(rows).fill(1) }] })
  const fitter = new SurrogateFitter(encode(fitted, world, 'piecewise'))

  it('follows curves of single features', () => {
    const { explained, base } = fitter.fit(bent)
    expect(explained).toBeGreaterThan(0.97)
    expect(base).toBeCloseTo(bent.reduce((sum, value) => sum + value, 0) / rows, 9)
  })

  it('says how much it leaves unexplained where features work together', () => {
    const crossed = columns[0].map((a, row) => a * columns[1][row])
    expect(fitter.fit(crossed).explained).toBeLessThan(0.3)
  })

  it('has nothing to tell of a constant', () => {
    const { weights, explained } = fitter.fit(new Float64Array(rows).fill(0.3))
    expect(Math.max(...weights.map(Math.abs))).toBeLessThan(1e-9)
    expect(explained).toBe(1)
  })
})
