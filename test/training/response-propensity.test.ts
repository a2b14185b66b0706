import { describe, expect, it } from 'vitest'
import { fitterHere } from '../../src/model/fitter.ts'
import {
  fitResponsePropensity,
  predictAnswering,
  trimWeights,
  weighAnswers,
} from '../../training/response-propensity.ts'
import { logistic } from '../model/simulated.ts'
import { firstDay, makeSurvey } from './made-survey.ts'

const byBehaviour = (x: number) => logistic(-1.5 + x)
const later = { until: 2000, seed: 1, fitter: fitterHere }

describe('the chance to answer', () => {
  it('is recovered where it depends on what is known', async () => {
    const { dataset, observed, people } = makeSurvey({ customers: 4000, seed: 3, answering: byBehaviour })
    const propensity = (await fitResponsePropensity(observed, later))!
    expect(propensity.hasSkill).toBe(true)
    expect(propensity.gain.low).toBeGreaterThan(0.02)
    expect(propensity.auc).toBeGreaterThan(0.7)
    const chances = predictAnswering(propensity, dataset.frame, dataset.customer)
    const misses = people.map(({ x }, row) => Math.abs(chances[row] - byBehaviour(x)))
    expect(misses.reduce((sum, miss) => sum + miss, 0) / misses.length).toBeLessThan(0.02)
  })

  it('cannot be told where it is the same for everybody', async () => {
    const { observed } = makeSurvey({ customers: 2000, seed: 4, answering: () => 0.2 })
    expect((await fitResponsePropensity(observed, later))?.hasSkill).toBe(false)
  })

  it('is learned from what is known by then alone', async () => {
    const { observed } = makeSurvey({ customers: 2000, seed: 5, answering: byBehaviour })
    const early = await fitResponsePropensity(observed, { ...later, until: firstDay + 15 })
    expect(early?.observations).toBe(1000)
    expect(await fitResponsePropensity(observed, { ...later, until: firstDay + 14 })).toBeNull()
  })
})

describe('the weights of answers', () => {
  it('make those who answered look like everybody', async () => {
    const { dataset, observed, given, people } = makeSurvey({
      customers: 4000,
      seed: 6,
      answering: byBehaviour,
    })
    const { level } = weighAnswers(dataset, await fitResponsePropensity(observed, later), 2000)
    const mean = (values: readonly number[], weights: ArrayLike<number>) =>
      values.reduce((sum, value, i) => sum + weights[i] * value, 0) /
      values.reduce((sum, _, i) => sum + weights[i], 0)
    const xs = given.map(({ x }) => x)
    const equal = new Float64Array(xs.length).fill(1)
    const everybody = people.reduce((sum, { x }) => sum + x, 0) / people.length
    expect(mean(xs, equal) - everybody).toBeGreaterThan(0.6)
    expect(Math.abs(mean(xs, level) - everybody)).toBeLessThan(0.15)
    expect(mean(Array.from(level), equal)).toBeCloseTo(1, 5)
  })

  it('are those of the survey alone where who answers cannot be told', async () => {
    const surveyWeight = (x: number) => (x > 0 ? 3 : 1)
    const { dataset, observed, given } = makeSurvey({
      customers: 2000,
      seed: 7,
      answering: () => 0.2,
      surveyWeight,
    })
    const { level, learning } = weighAnswers(dataset, await fitResponsePropensity(observed, later), 2000)
    const total = given.reduce((sum, { x }) => sum + surveyWeight(x), 0)
    given.forEach(({ x }, i) => {
      expect(level[i]).toBeCloseTo((surveyWeight(x) * given.length) / total, 5)
      expect(learning[i]).toBeCloseTo(level[i], 5)
    })
  })

  it('multiply those of the survey where it can', async () => {
    const law = { customers: 2000, seed: 8, answering: byBehaviour }
    const plain = makeSurvey(law)
    const weighted = makeSurvey({ ...law, surveyWeight: (x) => (x > 0 ? 3 : 1) })
    const propensity = await fitResponsePropensity(plain.observed, later)
    const own = weighAnswers(plain.dataset, propensity, 2000).level
    const both = weighAnswers(weighted.dataset, propensity, 2000).level
    const ratios = plain.given.map(({ x }, i) => both[i] / own[i] / (x > 0 ? 3 : 1))
    for (const ratio of ratios) expect(ratio).toBeCloseTo(ratios[0], 4)
  })

  it('know no answer of a later day', async () => {
    const { dataset, given } = makeSurvey({ customers: 400, seed: 9, answering: () => 0.5 })
    const { level } = weighAnswers(dataset, null, firstDay + 1)
    given.forEach(({ cutoff }, i) => {
      expect(level[i]).toBe(cutoff === firstDay ? 1 : 0)
    })
  })

  it('stay within ten times the one in the middle', async () => {
    const { weights, median } = trimWeights(Float64Array.of(0.01, 2, 3, 4, 1000))
    expect(median).toBe(3)
    expect([...weights]).toEqual([0.3, 2, 3, 4, 30])
    expect(trimWeights(new Float64Array(0))).toEqual({ weights: new Float64Array(0), median: 1 })
  })
})
