import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AffineCalibration } from '../../src/model/affine-calibration.ts'
import { type BetaCalibration, fitBeta } from '../../src/model/beta-calibration.ts'
import { cumulativeFromHazards } from '../../src/model/blend.ts'
import { applyHazardCalibrator } from '../../src/model/calibrator.ts'
import {
  correctedLogit,
  fitHazardCorrection,
  type HazardCorrection,
  shareCorrection,
} from '../../src/model/hazard-correction.ts'
import { hasEnough, logLossAt } from '../../src/model/hazard-units.ts'
import { fitIsotonic, leastForIsotonic } from '../../src/model/isotonic-calibration.ts'
import { softplus } from '../../src/model/logit.ts'
import { chanceOf, logistic } from './simulated.ts'

type Curve = (x: number) => number

/** Right below and far above even odds, too low between: one straight line, bent or not, can't mend it. */
const step: Curve = (x) => (x < -1.2 ? x : Math.max(x, 0.4))
/** Too timid below even odds, too bold above. */
const bent: Curve = (x) => 0.2 - 1.6 * softplus(-x) + 0.4 * softplus(x)
const straight: Curve = (x) => x

/** Units whose event falls with the probability that `truth` makes of the logit that is said. */
function unitsOf(truth: Curve, { rows, seed = 1 }: { rows: number; seed?: number }) {
  const chance = chanceOf(seed)
  const logit = Float64Array.from({ length: rows }, () => -0.5 + 1.5 * chance.normal())
  const happened = logit.map((x) => (chance.uniform() < logistic(truth(x)) ? 1 : 0))
  return { logit, happened, weight: new Float64Array(rows).fill(1) }
}

const every = (rows: number) => Int32Array.from({ length: rows }, (_, unit) => unit)

function chosenFor(truth: Curve, { rows, seed = 1 }: { rows: number; seed?: number }): HazardCorrection {
  return fitHazardCorrection(unitsOf(truth, { rows, seed }), { customer: every(rows), seed })
}

/** Mean log loss on other units of the same truth. */
function laterLoss(correct: Curve, truth: Curve): number {
  const { logit, happened } = unitsOf(truth, { rows: 40_000, seed: 99 })
  return logit.reduce((sum, x, unit) => sum + logLossAt(correct(x), happened[unit]), 0) / logit.length
}

/** Largest distance from the truth where most customers are. */
const worst = (correct: Curve, truth: Curve) =>
  Math.max(...Array.from({ length: 41 }, (_, i) => -3 + i / 8).map((x) => Math.abs(correct(x) - truth(x))))

describe('the correction of a hazard', () => {
  it('is beta where small and large probabilities are off in their own ways', () => {
    const correction = chosenFor(bent, { rows: 12_000 }) as BetaCalibration
    expect(correction.kind).toBe('beta')
    expect(Math.abs(correction.intercept - 0.2)).toBeLessThan(0.4)
    expect(Math.abs(correction.lower - 1.6)).toBeLessThan(0.25)
    expect(Math.abs(correction.upper - 0.4)).toBeLessThan(0.25)
    expect(worst(correctedLogit(correction), bent)).toBeLessThan(0.2)
    const later = laterLoss(correctedLogit(correction), bent)
    expect(later).toBeLessThan(laterLoss(straight, bent) - 0.01)
    expect(later - laterLoss(bent, bent)).toBeLessThan(0.001)
  })

  it('is isotonic where no parametric form fits, and then better than all of them', () => {
    const rows = 12_000
    const correction = chosenFor(step, { rows })
    expect(correction.kind).toBe('isotonic')
    const later = laterLoss(correctedLogit(correction), step)
    const beta = fitBeta(unitsOf(step, { rows }))(every(rows))
    expect(later).toBeLessThan(laterLoss(correctedLogit(beta), step) - 0.003)
    expect(later).toBeLessThan(laterLoss(straight, step) - 0.02)
    expect(later - laterLoss(step, step)).toBeLessThan(0.002)
  })

  it('is nearly always none where nothing is off, however complex it could be', () => {
    const kinds = Array.from({ length: 12 }, (_, seed) => chosenFor(straight, { rows: 2_200, seed }).kind)
    expect(kinds.filter((kind) => kind === 'none').length).toBeGreaterThanOrEqual(10)
  })

  it('is affine with few rows or few of the rarer kind, whatever the shape', () => {
    const affine = ['none', 'shift', 'temperature', 'platt']
    for (let seed = 0; seed < 5; seed++) {
      expect(affine).toContain(chosenFor(bent, { rows: 400, seed }).kind)
      expect([...affine, 'beta']).toContain(chosenFor(step, { rows: 1_900, seed }).kind)
    }
    const withEvents = (events: number) => ({
      ...unitsOf(step, { rows: 2_500 }),
      happened: Float64Array.from({ length: 2_500 }, (_, unit) => (unit < events ? 1 : 0)),
    })
    const isEnough = [299, 300, 2_200, 2_201].map((events) => hasEnough(withEvents(events), leastForIsotonic))
    expect(isEnough).toEqual([false, true, true, false])
    const faded = { ...withEvents(300), weight: Float64Array.from(every(2_500), (unit) => 0.998 ** unit) }
    expect(hasEnough(faded, leastForIsotonic)).toBe(false)
  })

  it('looks at a part of very many customers and learns from all', () => {
    const rows = 40_000
    const correction = chosenFor((x) => x + 0.3, { rows }) as AffineCalibration
    expect(correction.kind).toBe('shift')
    expect(Math.abs(correction.intercept - 0.3)).toBeLessThan(0.04)
  })
})

describe('an isotonic correction', () => {
  const rows = 4_000
  const known = unitsOf(step, { rows })
  const correction = fitIsotonic(known)(every(rows))

  it('ascends strictly, goes on with slope 1, and survives as JSON', () => {
    const correct = correctedLogit(JSON.parse(JSON.stringify(correction)))
    const places = Array.from({ length: 2_001 }, (_, i) => -10 + i / 100)
    const moved = places.map(correct)
    expect(moved).toEqual(places.map(correctedLogit(correction)))
    for (let i = 1; i < moved.length; i++) expect(moved[i]).toBeGreaterThan(moved[i - 1])
    expect(correct(12) - correct(11)).toBeCloseTo(1, 9)
    expect(correct(-11) - correct(-12)).toBeCloseTo(1, 9)
  })

  it('comes close to the truth', () => {
    const many = 40_000
    const fitted = correctedLogit(fitIsotonic(unitsOf(step, { rows: many }))(every(many)))
    expect(laterLoss(fitted, step) - laterLoss(step, step)).toBeLessThan(0.001)
    expect(worst(fitted, step)).toBeLessThan(worst(straight, step))
  })

  it('stays finite and near where everything or nothing happened', () => {
    for (const happened of [0, 1]) {
      const alike = { ...known, happened: new Float64Array(rows).fill(happened) }
      const few = correctedLogit(fitIsotonic(alike)(every(3)))
      expect(Math.abs(few(known.logit[0]) - known.logit[0])).toBeLessThan(1.5)
      const many = fitIsotonic(alike)(every(rows))
      expect([...many.from, ...many.to].every(Number.isFinite)).toBe(true)
    }
  })

  it('counts equal logits together, by weight, whatever their order', () => {
    const tied = {
      logit: Float64Array.of(0, 1, 0, 1),
      happened: Float64Array.of(1, 1, 0, 0),
      weight: Float64Array.of(1, 3, 3, 1).map((weight) => 1_000 * weight),
    }
    const { from, to } = fitIsotonic(tied)(Int32Array.of(3, 1, 0, 2))
    expect(from).toEqual([0, 1])
    expect(to[0]).toBeLessThan(0)
    expect(to[1]).toBeGreaterThan(0)
    expect(fitIsotonic({ ...tied, weight: new Float64Array(4) })(every(4))).toEqual({
      kind: 'isotonic',
      from: [0],
      to: [0],
    })
  })
})

describe('corrections of every kind', () => {
  const slope = fc.double({ min: 0.05, max: 5, noNaN: true })
  const intercept = fc.double({ min: -5, max: 5, noNaN: true })
  const rises = fc.array(fc.double({ min: 0.01, max: 2, noNaN: true }), { minLength: 6, maxLength: 6 })
  const climbing = (values: readonly number[]) =>
    values.map((_, k) => values.slice(0, k + 1).reduce((a, b) => a + b, -4))
  const any: fc.Arbitrary<HazardCorrection> = fc.oneof(
    fc.record({ kind: fc.constant('platt' as const), intercept, slope }),
    fc.record({ kind: fc.constant('beta' as const), intercept, lower: slope, upper: slope }),
    fc
      .tuple(rises, rises)
      .map(([from, to]) => ({ kind: 'isotonic' as const, from: climbing(from), to: climbing(to) })),
  )

  it('keep probabilities in range, horizons in order and the ranking of rows', () => {
    const hazard = fc.double({ min: 0, max: 1, noNaN: true })
    const hazardsOfTwo = fc.array(hazard, { minLength: 4, maxLength: 4 })
    fc.assert(
      fc.property(any, any, hazardsOfTwo, (first, second, hazards) => {
        const corrected = applyHazardCalibrator([first, second], hazards, 2)
        for (const h of corrected) expect(h > 0 && h < 1).toBe(true)
        const cumulative = cumulativeFromHazards(corrected, 2)
        expect(cumulative[1]).toBeGreaterThanOrEqual(cumulative[0])
        if (hazards[0] <= hazards[2]) expect(corrected[0]).toBeLessThanOrEqual(corrected[2])
      }),
    )
  })
})

describe('a share of a correction', () => {
  const corrections: HazardCorrection[] = [
    { kind: 'platt', intercept: 0.5, slope: 0.7 },
    { kind: 'beta', intercept: -0.3, lower: 0.6, upper: 1.4 },
    { kind: 'isotonic', from: [-2, 0, 1], to: [-1.5, 0.2, 2] },
  ]

  it.each(corrections)('moves every logit by that share: $kind', (correction) => {
    const whole = correctedLogit(correction)
    const half = correctedLogit(shareCorrection(correction, 0.5))
    for (const x of [-5, -1.3, 0, 0.4, 3]) expect(half(x)).toBeCloseTo((x + whole(x)) / 2, 10)
  })
  it('of nothing is no correction', () => {
    expect(shareCorrection(corrections[1], 0)).toEqual({ kind: 'none', intercept: 0, slope: 1 })
  })
})
