import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Encoder, encode } from '../../src/features/encoder.ts'
import { type FeatureFrame, pickFrame } from '../../src/features/features.ts'
import { fitEncoder } from '../../src/features/fit-encoder.ts'
import { DriverReader, type Explanation, meanSlope } from '../../src/model/drivers.ts'
import type { ExplainedTask } from '../../src/model/explained-tasks.ts'
import { explainedShare, type Surrogate, SurrogateFitter } from '../../src/model/surrogate.ts'
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
  weights: [1, 0.2, -0.25, -0.5, 0.1],
  means: [0, 0.1, 0, 0.5, 0.5],
  explained: 0.9,
}
const encoded = encode(encoder, frame, 'piecewise')
const reader = new DriverReader({ encoder }, frame, encoded)
const task = (unit: ExplainedTask['unit'], said: readonly number[]): ExplainedTask => ({
  name: 'churn',
  unit,
  surrogate,
  said: (row) => said[row],
})
/** Terms of ticket and of plan. */
const others = [
  { predicted: -2, terms: Float64Array.of(0.25, 0), rest: -2.25 },
  { predicted: -1, terms: Float64Array.of(-0.25, 0.4), rest: -1.15 },
]
const explain = (one: ExplainedTask, row: number) => reader.explain(one, row, others) as Explanation
const climbed = 3 / Math.sqrt(2)
const chance = (scaled: number) => 1 / (1 + Math.exp(-scaled))

describe('drivers', () => {
  it('add up the features of a behaviour, name the one that moved most, and come strongest first', () => {
    const { terms } = explain(task('points', [0, 0]), 0)
    expect(terms.map(({ behaviour, encoding }) => [behaviour, encoding])).toEqual([
      ['ticket', 0],
      ['plan', 2],
    ])
    expect(terms[0].effect).toBeCloseTo(0.75 * climbed - 0.02, 5)
    expect(terms[1].effect).toBeCloseTo(-0.5 * 0.5 - 0.1 * 0.5 - 0.2, 5)
  })

  it('add up with base and remainder to what was predicted, in points and in probability', () => {
    for (const said of [task('points', [0.7, -3]), task('probability', [0.02, 0.9])]) {
      for (const row of [0, 1]) {
        const { base, terms, remainder } = explain(said, row)
        const sum = terms.reduce((total, { effect }) => total + effect, base + remainder)
        expect(sum).toBeCloseTo(said.said(row), 9)
        expect(base).toBeCloseTo(said.unit === 'points' ? -1.5 : (chance(-2) + chance(-1)) / 2, 9)
      }
    }
  })

  it('count a feature that tells the same as another behaviour to that one, and are shown by its own features', () => {
    const merged = new DriverReader({ encoder, aliases: { tickets_30: 'plan' } }, frame, encoded)
    const nobody = [{ predicted: 0, terms: new Float64Array(2), rest: 0 }]
    const { terms } = merged.explain(task('points', [0, 0]), 0, nobody) as Explanation
    expect(terms.map(({ behaviour, encoding }) => [behaviour, encoding])).toEqual([
      ['plan', 2],
      ['ticket', 1],
    ])
    expect(terms[0].effect).toBeCloseTo(climbed - 0.02 - 0.5 * 0.5 - 0.1 * 0.5, 5)
  })

  it('are the same for a customer among many, in whatever order they are asked for, as for one alone', () => {
    const rows = 71
    const many: FeatureFrame = {
      ...frame,
      rows,
      columns: [
        Float64Array.from({ length: rows }, (_, row) => (row % 7 === 0 ? Number.NaN : row % 9)),
        Float64Array.from({ length: rows }, (_, row) => row % 5),
        Array.from({ length: rows }, (_, row) => (row % 3 === 0 ? 'gold' : null)),
      ],
    }
    const said = task('points', new Array(rows).fill(0))
    const together = new DriverReader({ encoder }, many, encode(encoder, many, 'piecewise'))
    for (const row of [0, 70, 3, 31, 32, 69, 1]) {
      const one = pickFrame(many, Int32Array.of(row))
      const alone = new DriverReader({ encoder }, one, encode(encoder, one, 'piecewise'))
      expect(together.explain(said, row, others)).toEqual(alone.explain(said, 0, others))
    }
  })

  it('are none without an additive stand-in', () => {
    expect(reader.explain({ ...task('points', [0, 0]), surrogate: null }, 0, others)).toBeNull()
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

  it('share out what lies between two probabilities by their logits, whichever way', () => {
    const logits = fc.double({ min: -8, max: 8, noNaN: true })
    fc.assert(
      fc.property(logits, logits, (from, to) => {
        const slope = meanSlope(from, to)
        expect(slope).toBeGreaterThan(0)
        expect(slope).toBeLessThanOrEqual(0.25 + 1e-9)
        expect(slope * (to - from)).toBeCloseTo(chance(to) - chance(from), 9)
      }),
    )
  })
})

describe('the additive stand-in', () => {
  const rows = 2_000
  const luck = chanceOf(1)
  const columns = Array.from({ length: 3 }, () => Float64Array.from({ length: rows }, luck.normal))
  const world: FeatureFrame = {
    rows,
    features: ['a', 'b', 'c'].map((name) => feature(name, name)),
    columns,
  }
  const all = Int32Array.from({ length: rows }, (_, row) => row)
  const bent = columns[0].map((a, row) => 2 * Math.max(0, a) - columns[1][row])
  const label = bent.map((value) => (value > 0.5 ? 1 : 0))
  const fitted = fitEncoder(world, all, { targets: [{ label, weight: new Uint8Array(rows).fill(1) }] })
  const features = encode(fitted, world, 'piecewise')
  const fitter = new SurrogateFitter(features)
  const explainedOf = (predicted: Float64Array) => explainedShare(fitter.fit(predicted), features, predicted)

  it('follows curves of single features', () => {
    expect(explainedOf(bent)).toBeGreaterThan(0.97)
  })

  it('says how much it leaves unexplained where features work together', () => {
    const crossed = columns[0].map((a, row) => a * columns[1][row])
    expect(explainedOf(crossed)).toBeLessThan(0.3)
  })

  it('has nothing to tell of a constant', () => {
    const constant = new Float64Array(rows).fill(0.3)
    expect(Math.max(...fitter.fit(constant).weights.map(Math.abs))).toBeLessThan(1e-9)
    expect(explainedOf(constant)).toBe(1)
  })
})
