import { describe, expect, it } from 'vitest'
import { measureGroupErrors } from '../../training/group-errors.ts'
import type { HeldOut } from '../../training/held-out.ts'

const rows = 1000
const share = (part: number) => Uint8Array.from({ length: rows }, (_, row) => (row % 10 < 10 * part ? 1 : 0))
const customer = Int32Array.from({ length: rows }, (_, row) => row)

function testOf(happened: Uint8Array, score: Uint8Array): HeldOut {
  const labels = {
    name: 'churn',
    intervals: 1,
    happened,
    known: new Uint8Array(rows).fill(1),
    observed: new Uint8Array(rows).fill(1),
    weight: new Float32Array(rows).fill(1),
  }
  const answers = {
    row: Int32Array.from(score, (_, at) => at),
    leadDays: new Float32Array(score.length),
    score,
    weight: new Float32Array(score.length).fill(1),
  }
  return { labelled: { rows: customer, customer, outcomes: [labels], answers }, hazards: [], answers: [] }
}

/** Base rates serve: 30% churn, every answer a 9 or a 3 as likely. */
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
  answers: {
    hasSkill: false,
    base: [0, 0, 0, 0.5, 0, 0, 0, 0, 0, 0.5, 0],
    weights: [],
    calibrator,
    conformal: { classes: [], all: 0 } as never,
    surrogate: null,
  },
}
const options = { horizonsDays: [30], seed: 1 }

describe('the error of group forecasts', () => {
  it('is chance alone where the level held', () => {
    const even = Uint8Array.from({ length: 400 }, (_, at) => (at % 2 ? 9 : 3))
    const errors = measureGroupErrors(blended, testOf(share(0.3), even), options)
    expect(errors.churn_30.standardError).toBeCloseTo(Math.sqrt((0.3 * 0.7) / rows), 2)
    expect(errors.churn_30.spread).toBeCloseTo(Math.sqrt(0.3 * 0.7), 3)
    expect(errors.nps_0.standardError).toBeCloseTo(100 / Math.sqrt(400), 0)
    expect(errors.nps_0.spread).toBeCloseTo(100, 0)
  })
  it('is no smaller than the level was off', () => {
    const better = Uint8Array.from({ length: 400 }, (_, at) => (at % 4 ? 9 : 3))
    const errors = measureGroupErrors(blended, testOf(share(0.5), better), options)
    expect(errors.churn_30.standardError).toBeCloseTo(0.2, 3)
    expect(errors.nps_0.standardError).toBeCloseTo(50, 1)
  })
  it('is that of all leads where one has too few answers', () => {
    const few = Uint8Array.from({ length: 60 }, () => 9)
    const errors = measureGroupErrors(blended, testOf(share(0.3), few), options)
    expect(errors.nps_30).toEqual(errors.nps_0)
  })
})
