import { describe, expect, it } from 'vitest'
import type { HazardLabels } from '../../src/model/member.ts'
import { meanOf } from '../../src/model/metrics.ts'
import { calibratedHazards, type OutcomeModel } from '../../src/model/predictor.ts'
import { chooseHalfLife, holdLevels, weighByAge } from '../../training/recency.ts'
import { chanceOf, logistic } from '../model/simulated.ts'

const days = 300

/** One row a day and customer; members say .2 throughout, and it happens as `trueLogit` of the day says. */
function datedRows(trueLogit: (day: number) => number, customers = 20) {
  const chance = chanceOf(5)
  const rows = days * customers
  const cutoff = Int32Array.from({ length: rows }, (_, row) => Math.floor(row / customers))
  const labels: HazardLabels = {
    name: 'upsell',
    intervals: 1,
    happened: Uint8Array.from(cutoff, (day) => (chance.uniform() < logistic(trueLogit(day)) ? 1 : 0)),
    known: new Uint8Array(rows).fill(1),
    weight: new Float32Array(rows).fill(1),
  }
  const customer = Int32Array.from({ length: rows }, (_, row) => row % customers)
  return { hazards: new Float32Array(rows).fill(0.2), labels, cutoff, customer }
}

describe('how fast labels lose weight', () => {
  it('is not at all where the level stays', () => {
    expect(chooseHalfLife(datedRows(() => -1))).toBe(Number.POSITIVE_INFINITY)
  })

  it('is fast where the level runs away, the faster the faster it runs', () => {
    const running = chooseHalfLife(datedRows((day) => -3 + (4 * day) / days))
    expect(running).toBeLessThanOrEqual(60)
    const creeping = chooseHalfLife(datedRows((day) => -1.5 + (0.7 * day) / days))
    expect(creeping).toBeGreaterThanOrEqual(running)
  })

  it('is not told from a handful of events', () => {
    expect(chooseHalfLife(datedRows((day) => -8 + (5 * day) / days, 5))).toBe(Number.POSITIVE_INFINITY)
  })

  it('halves the weight of a label with each half-life', () => {
    expect(Array.from(weighByAge([0, 30, 60], 30))).toEqual([0.25, 0.5, 1])
    expect(Array.from(weighByAge([0, 60], Number.POSITIVE_INFINITY))).toEqual([1, 1])
  })
})

describe('the level', () => {
  const model: OutcomeModel = {
    name: 'upsell',
    horizonsDays: [30],
    isAbsence: false,
    hasSkill: true,
    baseHazards: [0.2],
    weights: [1],
    calibrator: [{ kind: 'shift', intercept: 1, slope: 1 }],
    surrogate: null,
  }

  const heldTo = (labels: HazardLabels, said: Float32Array, { of = model, hasMoved = false } = {}) => {
    const outcomes = [{ ...labels, observed: new Uint8Array(labels.weight.length) }]
    const [held] = holdLevels([of], { outcomes }, { refitted: { hazards: [[said]] }, hasMoved: [hasMoved] })
    return meanOf(calibratedHazards(held, [said]))
  }

  it('is that of the latest rows where members that have seen them know already what the correction adds', () => {
    const { labels } = datedRows(() => 1)
    const share = meanOf(Float32Array.from(labels.happened))
    const said = new Float32Array(labels.happened.length).fill(share)
    expect(meanOf(calibratedHazards(model, [said]))).toBeGreaterThan(share + 0.1)
    expect(Math.abs(heldTo(labels, said) - share)).toBeLessThan(0.005)
  })

  it('is that of the latest rows without a correction where levels move, and else what members say', () => {
    const { labels } = datedRows(() => 1)
    const share = meanOf(Float32Array.from(labels.happened))
    const said = new Float32Array(labels.happened.length).fill(share / 2)
    const of: OutcomeModel = { ...model, calibrator: [{ kind: 'none', intercept: 0, slope: 1 }] }
    expect(heldTo(labels, said, { of })).toBeCloseTo(share / 2, 5)
    expect(Math.abs(heldTo(labels, said, { of, hasMoved: true }) - share)).toBeLessThan(0.01)
  })

  it('is not moved far by a handful of rows in which nothing happened', () => {
    const { labels } = datedRows(() => -30, 1)
    const few = { ...labels, known: labels.known.map((_, row) => (row < 20 ? 1 : 0)) }
    const said = new Float32Array(labels.happened.length).fill(0.05)
    expect(heldTo(few, said)).toBeGreaterThan(0.05)
  })
})
