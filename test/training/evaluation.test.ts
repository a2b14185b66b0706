import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { describe, expect, it } from 'vitest'
import { clusterBootstrap } from '../../src/model/bootstrap.ts'
import { meanOf } from '../../src/model/metrics.ts'
import type { OutcomeModel } from '../../src/model/predictor.ts'
import { crossForecast } from '../../training/cross-forecast.ts'
import { evaluateOutcome, type OutcomeEvaluation } from '../../training/evaluation.ts'
import type { Labelled } from '../../training/labelled.ts'
import { concordances } from '../../training/order.ts'
import { churn, madeDataset } from './made-dataset.ts'

const rows = 1200
const ofRows = (chance: (row: number) => number) => Array.from({ length: rows }, (_, row) => chance(row))
/** Half of the customers are seen on one day and half on another. */
const isLater = (row: number) => row >= rows / 2

/** Labels of so many customers, each with a chance of its own. */
function labelled(chances: readonly number[], seed: number): Labelled {
  const random = xoroshiro128plus(seed)
  const ones = new Uint8Array(rows).fill(1)
  const happened = Uint8Array.from(chances, (chance) => (uniformFloat64(random) < chance ? 1 : 0))
  const weight = new Float32Array(rows).fill(1)
  const every = Int32Array.from({ length: rows }, (_, row) => row)
  const outcome = { name: 'churn', intervals: 1, happened, known: ones, observed: ones, weight }
  return { rows: every, customer: every, outcomes: [outcome], answers: null }
}

/** A model's forecasts judged where a share of .1 was learned from and the customers now have these chances. */
function judge(chances: readonly number[], forecasts: readonly number[]): OutcomeEvaluation {
  const customers = ofRows((row) => row)
  const model: OutcomeModel = {
    ...{ name: 'churn', horizonsDays: [30], isAbsence: false, hasSkill: true, baseHazards: [0.1] },
    ...{ weights: [1], calibrator: [{ kind: 'none', intercept: 0, slope: 1 }], surrogate: null },
  }
  const test = { labelled: labelled(chances, 2), hazards: [[Float32Array.from(forecasts)]], answers: [] }
  const task = { outcome: churn, index: 0, intervals: 1 }
  const learned = labelled(
    ofRows(() => 0.1),
    1,
  )
  const dataset = madeDataset(
    customers.map((customer) => ({ customer, cutoff: isLater(customer) ? 1030 : 1000 })),
  )
  const tasks = { outcomes: [task], hasAnswers: false, skipped: {} }
  const cross = crossForecast(test, { tasks, horizonsDays: [30], seed: 1 })
  return evaluateOutcome({ task, index: 0, model, learned, test, cross, dataset, seed: 1 })
}

describe('skill in an outcome', () => {
  const apart = ofRows((row) => (row % 2 === 0 ? 0.15 : 0.45))

  it('is not to have met a level that moved, without telling anybody apart', () => {
    const moved = ofRows(() => 0.3)
    const { gain, order, hasSkill } = judge(
      moved,
      moved.map((chance, row) => chance + (row % 7) / 1000),
    )
    expect(hasSkill).toBe(false)
    expect(gain?.low).toBeLessThanOrEqual(0)
    expect(Math.abs(gain?.mean ?? 1)).toBeLessThan(0.005)
    expect(order?.low).toBeLessThan(0)
  })

  it('is not to know on which days more happens than on others', () => {
    const seasonal = ofRows((row) => (isLater(row) ? 0.4 : 0.1))
    expect(judge(seasonal, seasonal).hasSkill).toBe(false)
  })

  it('is to tell customers apart, also where the level moved', () => {
    expect(judge(apart, apart).hasSkill).toBe(true)
  })

  it('is to tell them apart also where the level was missed by far', () => {
    const low = apart.map((chance) => chance / 10)
    expect(judge(apart, low).hasSkill).toBe(true)
  })

  it('is to tell them apart also where forecasts reach much too far, which is corrected', () => {
    const bold = apart.map((chance) => (chance > 0.3 ? 0.99 : 0.001))
    expect(judge(apart, bold).hasSkill).toBe(true)
  })

  it('is not to tell apart those who are alike', () => {
    const { gain, order, hasSkill } = judge(
      ofRows(() => 0.1),
      apart.map((chance) => 2 * chance),
    )
    expect(hasSkill).toBe(false)
    expect(gain?.low).toBeLessThanOrEqual(0)
    expect(Math.abs(gain?.mean ?? 1)).toBeLessThan(0.005)
    expect(order?.low).toBeLessThan(0)
  })
})

describe('concordances', () => {
  it('have the share of pairs of a group that are ordered rightly, less a half, as their mean', () => {
    // 0.2 over 0.1; 0.2 under 0.3; 0.3 over 0.1; 0.3 beside 0.3: 2.5 of 4 pairs.
    const found = concordances({
      probability: [0.1, 0.2, 0.3, 0.3, 0.9],
      happened: [0, 1, 0, 1, 1],
      group: [1, 1, 1, 1, 2],
    })
    expect(found[4]).toBeNaN()
    expect(meanOf(found.subarray(0, 4))).toBeCloseTo(2.5 / 4 - 0.5, 12)
  })

  it('spread as their mean does from sample to sample', () => {
    const random = xoroshiro128plus(4)
    const samples = Array.from({ length: 200 }, () => {
      const happened = ofRows(() => +(uniformFloat64(random) < 0.05))
      const probability = ofRows((row) => uniformFloat64(random) + 0.3 * happened[row])
      const values = concordances({ probability, happened, group: ofRows((row) => row % 3) })
      return clusterBootstrap({ values, cluster: ofRows((row) => row), replicates: 200, seed: 1 })
    })
    const means = samples.map(({ mean }) => mean)
    const deviation = Math.sqrt(meanOf(means.map((mean) => (mean - meanOf(means)) ** 2)))
    const told = meanOf(samples.map(({ low, high }) => (high - low) / (2 * 1.96)))
    expect(told / deviation).toBeGreaterThan(0.85)
    expect(told / deviation).toBeLessThan(1.15)
  })
})
