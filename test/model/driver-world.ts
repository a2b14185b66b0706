import { encode, rawCategories } from '../../src/features/encoder.ts'
import type { FeatureFrame } from '../../src/features/features.ts'
import { fitEncoder } from '../../src/features/fit-encoder.ts'
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
export const frame: FeatureFrame = {
  rows,
  features: [
    feature('ticket_30', 'ticket'),
    feature('ticket_90', 'ticket'),
    feature('login_30', 'login'),
    feature('noise', 'noise'),
  ],
  columns: Array.from({ length: 4 }, () => Float64Array.from({ length: rows }, chance.normal)),
}
/** A value of the frame. */
export const at = (column: number, row: number) => Number(frame.columns[column][row])
const hazards = Float64Array.from({ length: rows }, (_, row) =>
  logistic(1.2 * at(0, row) + 0.6 * at(1, row) - 0.8 * at(2, row) - 1),
)

/** Trees that learned one outcome from the frame. */
export function predictorOf(hasSkill: boolean): Predictor {
  const all = Int32Array.from({ length: rows }, (_, row) => row)
  const encoder = fitEncoder(frame, all, { targets: [] })
  const learning = {
    features: encode(encoder, frame, 'raw'),
    customer: all,
    outcomes: [drawEvents(hazards, { intervals: 1, chance })],
    answers: null,
  }
  const chosen = { outcomes: [{ temper: 'cautious' as const, telling: 900, rounds: 120 }], answers: null }
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

/** Rows from … to − 1. */
export const pick = (from: number, to: number): FeatureFrame => ({
  ...frame,
  rows: to - from,
  columns: frame.columns.map((column) => column.slice(from, to)),
})
