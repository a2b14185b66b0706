import { describe, expect, it } from 'vitest'
import { encode, fitEncoder, rawCategories } from '../../src/features/encoder.ts'
import type { FeatureFrame } from '../../src/features/features.ts'
import { explainExactly } from '../../src/model/exact-drivers.ts'
import { Predictor, type PredictorParts } from '../../src/model/predictor.ts'
import { fitTrees } from '../../src/model/trees-member.ts'
import { chanceOf, drawEvents, logistic } from './simulated.ts'

const rows = 4_000
const chance = chanceOf(1)
const feature = (name: string, origin: string) => ({
  name,
  kind: 'number' as const,
  unit: 'events',
  windowDays: null,
  words: name,
  origin,
})
/** Two features of tickets, one of logins, one that tells nothing. */
const frame: FeatureFrame = {
  rows,
  features: [
    feature('ticket_30', 'ticket'),
    feature('ticket_90', 'ticket'),
    feature('login_30', 'login'),
    feature('noise', 'noise'),
  ],
  columns: Array.from({ length: 4 }, () => Float64Array.from({ length: rows }, chance.normal)),
}
const at = (column: number, row: number) => Number(frame.columns[column][row])
const hazards = Float64Array.from({ length: rows }, (_, row) =>
  logistic(1.2 * at(0, row) + 0.6 * at(1, row) - 0.8 * at(2, row) - 1),
)

function predictorOf(hasSkill: boolean): Predictor {
  const all = Int32Array.from({ length: rows }, (_, row) => row)
  const encoder = fitEncoder(frame, all, { targets: [] })
  const learning = {
    features: encode(encoder, frame, 'raw'),
    customer: all,
    outcomes: [drawEvents(hazards, { intervals: 1, chance })],
    answers: null,
  }
  const chosen = { outcomes: [{ temper: 'cautious' as const, rounds: 120 }], answers: null }
  const member = fitTrees(learning, { categories: rawCategories(encoder), seed: 1, chosen })
  const parts: Pick<PredictorParts, 'members' | 'outcomes'> = {
    members: [{ name: 'trees', member, view: 'raw' }],
    outcomes: [
      {
        name: 'churn',
        horizonsDays: [30],
        isAbsence: false,
        hasSkill,
        baseHazards: [0.3],
        weights: [1],
        calibrator: [{ kind: 'none', intercept: 0, slope: 1 }],
        surrogate: null,
      },
    ],
  }
  return new Predictor({
    ...parts,
    encoder,
    answers: null,
    catalogue: {} as PredictorParts['catalogue'],
    excluded: [],
    skipped: {},
  })
}

const pick = (from: number, to: number): FeatureFrame => ({
  ...frame,
  rows: to - from,
  columns: frame.columns.map((column) => column.slice(from, to)),
})
const predictor = predictorOf(true)

describe('exact drivers', () => {
  it('add up to the difference from the others', () => {
    for (let row = 0; row < 20; row++) {
      const compared = { customer: pick(row, row + 1), others: pick(100, 130), seed: row }
      const [{ base, predicted, effects }] = explainExactly(predictor, compared)
      const sum = effects.reduce((total, { effect }) => total + effect, base)
      expect(sum).toBeCloseTo(predicted, 9)
      const { probabilities } = predictor.predict(pick(100, 130), []).outcomes[0]
      expect(base).toBeCloseTo(probabilities.reduce((total, p) => total + p, 0) / 30, 9)
    }
  })

  it('take all features of a behaviour together, and name the one that really moved it first', () => {
    let known = 0
    let found = 0
    for (let row = 0; row < 60; row++) {
      const pushes = { ticket: 1.2 * at(0, row) + 0.6 * at(1, row), login: -0.8 * at(2, row) }
      if (Math.abs(Math.abs(pushes.ticket) - Math.abs(pushes.login)) < 0.5) continue
      const truth = Math.abs(pushes.ticket) > Math.abs(pushes.login) ? 'ticket' : 'login'
      const compared = { customer: pick(row, row + 1), others: pick(100, 140), seed: 7 }
      const [{ effects }] = explainExactly(predictor, compared)
      expect(effects.map(({ behaviour }) => behaviour).sort()).toEqual(['login', 'noise', 'ticket'])
      known++
      if (effects[0].behaviour === truth) found++
    }
    expect(known).toBeGreaterThan(20)
    expect(found / known).toBeGreaterThan(0.9)
  })

  it('are the same again with their seed, and there are none for a base rate', () => {
    const compared = { customer: pick(0, 1), others: pick(100, 110), seed: 3 }
    expect(explainExactly(predictor, compared)).toEqual(explainExactly(predictor, compared))
    expect(explainExactly(predictorOf(false), compared)).toEqual([])
  })
})
