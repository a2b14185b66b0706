import { describe, expect, it } from 'vitest'
import type { OutcomeModel } from '../../src/model/predictor.ts'
import { carryCorrections } from '../../training/carried-corrections.ts'
import type { HeldOut } from '../../training/held-out.ts'
import { chanceOf, logistic } from '../model/simulated.ts'

const rows = 4000
const model: OutcomeModel = {
  ...{
    name: 'churn',
    horizonsDays: [30],
    isAbsence: false,
    hasSkill: true,
    baseHazards: [0.2],
    weights: [1],
  },
  ...{ calibrator: [{ kind: 'shift', intercept: 0.8, slope: 1 }], surrogate: null },
}

/** Members say logits from −2 to 0; it happens as these plus an offset say. */
function nextBlock(offset: number): HeldOut {
  const chance = chanceOf(3)
  const said = Array.from({ length: rows }, (_, row) => (2 * row) / rows - 2)
  const every = Int32Array.from({ length: rows }, (_, row) => row)
  const ones = new Uint8Array(rows).fill(1)
  const labels = {
    ...{ name: 'churn', intervals: 1, known: ones, observed: ones, weight: new Float32Array(rows).fill(1) },
    happened: Uint8Array.from(said, (x) => (chance.uniform() < logistic(x + offset) ? 1 : 0)),
  }
  return {
    labelled: { rows: every, customer: every, outcomes: [labels], answers: null },
    hazards: [[Float32Array.from(said, logistic)]],
    answers: [],
  }
}

const carried = (offset: number, { hasMoved = false } = {}) =>
  carryCorrections([model], { first: [model], next: nextBlock(offset), hasMoved: [hasMoved] })[0].calibrator

describe('a correction that was learned on one block', () => {
  it('is kept where the next block asks for it too', () => {
    expect(carried(0.8)).toEqual(model.calibrator)
  })
  it('is dropped where the next block does not ask for it', () => {
    expect(carried(0)).toEqual([{ kind: 'none', intercept: 0, slope: 1 }])
  })
  it('is halved where the next block asks for half of it', () => {
    expect(carried(0.4)).toEqual([{ kind: 'shift', intercept: 0.4, slope: 1 }])
  })
  it('is dropped where the level of its outcome has moved, whatever the next block asks for', () => {
    expect(carried(0.8, { hasMoved: true })).toEqual([{ kind: 'none', intercept: 0, slope: 1 }])
  })
})
