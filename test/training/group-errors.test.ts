import { describe, expect, it } from 'vitest'
import { measureGroupErrors } from '../../training/group-errors.ts'
import type { HeldOut } from '../../training/held-out.ts'

const rows = 1000
const share = (part: number) => Uint8Array.from({ length: rows }, (_, row) => (row % 10 < 10 * part ? 1 : 0))
const customer = Int32Array.from({ length: rows }, (_, row) => row)

function testOf(happened: Uint8Array): HeldOut {
  const labels = {
    name: 'churn',
    intervals: 1,
    happened,
    known: new Uint8Array(rows).fill(1),
    observed: new Uint8Array(rows).fill(1),
    weight: new Float32Array(rows).fill(1),
  }
  return {
    labelled: { rows: customer, customer, outcomes: [labels], answers: null },
    hazards: [],
    answers: [],
  }
}

/** The base rate serves: 30% churn. */
const calibrator = { kind: 'none', intercept: 0, slope: 1 } as const
const blended = {
  outcomes: [
    {
      name: 'churn',
      horizonsDays: [30],
      isAbsence: false,
      hasSkill: false,
      baseHazards: [0.3],
      weights: [],
      calibrator: [calibrator],
      surrogate: null,
    },
  ],
}

describe('the error of group forecasts', () => {
  it('is chance alone where the level held', () => {
    const errors = measureGroupErrors(blended, testOf(share(0.3)), { seed: 1 })
    expect(errors.churn_30.standardError).toBeCloseTo(Math.sqrt((0.3 * 0.7) / rows), 2)
    expect(errors.churn_30.spread).toBeCloseTo(Math.sqrt(0.3 * 0.7), 3)
  })
  it('is no smaller than the level was off', () => {
    const errors = measureGroupErrors(blended, testOf(share(0.5)), { seed: 1 })
    expect(errors.churn_30.standardError).toBeCloseTo(0.2, 3)
  })
})
