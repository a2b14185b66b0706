import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AffineCalibration } from '../../src/model/affine-calibration.ts'
import { answerLogLosses } from '../../src/model/answer-metrics.ts'
import { cumulativeFromHazards } from '../../src/model/blend.ts'
import {
  applyAnswerCalibrator,
  applyHazardCalibrator,
  fitAnswerCalibrator,
  fitHazardCalibrator,
} from '../../src/model/calibrator.ts'
import type { HazardLabels } from '../../src/model/member.ts'
import { answersOf, chanceOf, drawEvents, drawScores, logistic, ordinalTruth } from './simulated.ts'

/** Two intervals of true hazards, and what a member says whose logits are off: logit(said) = (logit(truth) − a) / b. */
function offBy(a: number, b: number, { rows = 4000, seed = 1 } = {}) {
  const chance = chanceOf(seed)
  const logits = Float64Array.from({ length: rows * 2 }, () => -1.5 + 1.2 * chance.normal())
  const labels = drawEvents(logits.map(logistic), { intervals: 2, chance, censoredShare: 0.2 })
  const said = logits.map((x) => logistic((x - a) / b))
  return { said, labels, customer: Int32Array.from({ length: rows }, (_, row) => row), seed: 1 }
}

/** Nothing here is off by more than shift and slope. */
const fitted = ({ said, labels, ...options }: ReturnType<typeof offBy>) =>
  fitHazardCalibrator(said, labels as HazardLabels, options) as readonly AffineCalibration[]

describe('calibration of hazards', () => {
  it('leaves good hazards alone', () => {
    expect(fitted(offBy(0, 1)).map(({ kind }) => kind)).toEqual(['none', 'none'])
  })

  it('recovers a shift', () => {
    for (const { kind, intercept, slope } of fitted(offBy(0.8, 1))) {
      expect([kind, slope]).toEqual(['shift', 1])
      expect(Math.abs(intercept - 0.8)).toBeLessThan(0.15)
    }
  })

  it('recovers a temperature', () => {
    for (const { kind, slope } of fitted(offBy(0, 0.5))) {
      expect(kind).toBe('temperature')
      expect(Math.abs(slope - 0.5)).toBeLessThan(0.08)
    }
  })

  it('recovers shift and slope together', () => {
    for (const { kind, intercept, slope } of fitted(offBy(-1.2, 0.4, { rows: 8000 }))) {
      expect(kind).toBe('platt')
      expect(Math.abs(intercept + 1.2)).toBeLessThan(0.2)
      expect(Math.abs(slope - 0.4)).toBeLessThan(0.1)
    }
  })

  it('does not follow the noise of a few labels', () => {
    let changed = 0
    for (let seed = 0; seed < 30; seed++) {
      changed += fitted(offBy(0, 1, { rows: 40, seed })).filter(({ kind }) => kind !== 'none').length
    }
    expect(changed).toBeLessThanOrEqual(18)
  })

  it('leaves everything alone with a single customer', () => {
    const world = offBy(1, 1, { rows: 50 })
    expect(fitted({ ...world, customer: new Int32Array(50) })[0].kind).toBe('none')
  })

  it('keeps probabilities in range, horizons in order and the ranking of rows', () => {
    const correction = fc.record({
      kind: fc.constant('platt' as const),
      intercept: fc.double({ min: -5, max: 5, noNaN: true }),
      slope: fc.double({ min: 0.05, max: 5, noNaN: true }),
    })
    const hazard = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(
        correction,
        correction,
        fc.array(hazard, { minLength: 4, maxLength: 4 }),
        (a, b, hazards) => {
          const corrected = applyHazardCalibrator([a, b], hazards, 2)
          for (const h of corrected) expect(h > 0 && h < 1).toBe(true)
          const cumulative = cumulativeFromHazards(corrected, 2)
          expect(cumulative[1]).toBeGreaterThanOrEqual(cumulative[0])
          if (hazards[0] <= hazards[2]) expect(corrected[0]).toBeLessThanOrEqual(corrected[2])
        },
      ),
    )
  })

  it('survives as JSON', () => {
    const calibrator = fitted(offBy(0.8, 1))
    expect(JSON.parse(JSON.stringify(calibrator))).toEqual(calibrator)
  })
})

describe('calibration of answers', () => {
  const chance = chanceOf(7)
  const locations = Array.from({ length: 3000 }, () => 1.5 * chance.normal())
  const score = drawScores(ordinalTruth(locations), chance)
  const answers = answersOf(score, new Float32Array(score.length))
  const options = { customer: Int32Array.from(score, (_, i) => i), seed: 1 }

  it('leaves good distributions alone', () => {
    expect(fitAnswerCalibrator(ordinalTruth(locations), answers, options).kind).toBe('none')
  })

  it('recovers a shift of the location', () => {
    const { kind, intercept } = fitAnswerCalibrator(
      ordinalTruth(locations.map((x) => x + 0.7)),
      answers,
      options,
    )
    expect(kind).toBe('shift')
    expect(Math.abs(intercept - 0.7)).toBeLessThan(0.1)
  })

  it('mends overconfident distributions', () => {
    const sharp = applyAnswerCalibrator(
      { kind: 'temperature', intercept: 0, slope: 2 },
      ordinalTruth(locations),
    )
    const calibrator = fitAnswerCalibrator(sharp, answers, options)
    expect(calibrator.kind).toBe('temperature')
    expect(Math.abs(calibrator.slope - 0.5)).toBeLessThan(0.06)
    const total = (distributions: ArrayLike<number>) =>
      answerLogLosses({ distributions, score }).reduce((a, b) => a + b, 0)
    expect(total(applyAnswerCalibrator(calibrator, sharp))).toBeLessThan(total(sharp))
  })

  it('gives distributions, whatever it is applied to', () => {
    const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 11, maxLength: 11 })
    fc.assert(
      fc.property(
        shares.filter((own) => own.some((share) => share > 0)),
        fc.double({ min: -5, max: 5, noNaN: true }),
        fc.double({ min: 0.05, max: 5, noNaN: true }),
        (own, intercept, slope) => {
          const sum = own.reduce((a, b) => a + b, 0)
          const distribution = own.map((share) => share / sum)
          const corrected = applyAnswerCalibrator({ kind: 'platt', intercept, slope }, distribution)
          expect(corrected.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5)
          for (const share of corrected) expect(share).toBeGreaterThanOrEqual(0)
        },
      ),
    )
  })
})
