import { describe, expect, it } from 'vitest'
import { netPromoterScore } from '../../src/model/answer-metrics.ts'
import { fitterHere } from '../../src/model/fitter.ts'
import { forecastGroup } from '../../src/model/group-forecast.ts'
import { moveLevel } from '../../src/model/predictor.ts'
import { carryForward, measureLevels } from '../../training/answer-levels.ts'
import { fitResponsePropensity, weighAnswers } from '../../training/response-propensity.ts'
import { logistic } from '../model/simulated.ts'
import { evenModel, evenPanel, firstDay, heldOutOf, makeSurvey, type SurveyLaw } from './made-survey.ts'

const later = { until: 2000, seed: 1, fitter: fitterHere }

/** NPS of everybody by a model that knows nothing but what its level is moved by. */
async function correctedNps(law: SurveyLaw, isWeighed = true) {
  const { dataset, observed, given, truth } = makeSurvey(law)
  const weights = weighAnswers(dataset, isWeighed ? await fitResponsePropensity(observed, later) : null, 2000)
  const panel = evenPanel(law.customers)
  const [level] = measureLevels(evenModel, heldOutOf(dataset, weights), {
    judged: panel,
    served: panel,
    seed: 1,
  })
  const value = netPromoterScore(moveLevel([level], 0, panel.distributions[0]))
  const { ci95 } = forecastGroup(value, law.customers, { error: level.error, range: [-100, 100] })
  const plain = (200 * given.filter(({ score }) => score === 10).length) / given.length - 100
  return { value, ci95: ci95!, plain, truth }
}

describe('the level of everybody', () => {
  it('lies in its interval where answering depends on what is known, though those who answer are far from it', async () => {
    const laws = Array.from({ length: 40 }, (_, run) => ({
      customers: 1200,
      seed: 100 + run,
      answering: (x: number) => logistic(-1 + x),
    }))
    const runs = await Promise.all(laws.map((law) => correctedNps(law)))
    const inside = runs.filter(({ ci95, truth }) => truth >= ci95[0] && truth <= ci95[1]).length
    // 95% of 40, less what chance takes away once in 300 such tests (exact binomial).
    expect(inside).toBeGreaterThanOrEqual(34)
    const distance = (of: (run: (typeof runs)[number]) => number) =>
      runs.reduce((sum, run) => sum + Math.abs(of(run) - run.truth), 0) / runs.length
    expect(distance(({ plain }) => plain)).toBeGreaterThan(15)
    expect(distance(({ value }) => value)).toBeLessThan(7)
    expect(runs.reduce((sum, { ci95 }) => sum + ci95[1] - ci95[0], 0) / runs.length).toBeLessThan(35)
  })

  it('is the plain mean of the answers where nothing but the answers is known', async () => {
    const { value, plain } = await correctedNps({ customers: 1200, seed: 2, answering: () => 0.3 }, false)
    expect(value).toBeCloseTo(plain, 0)
  })

  it('honours the weights of the survey', async () => {
    // The survey asked those with x > 0 three times as often, and says so.
    const law = {
      customers: 6000,
      seed: 3,
      answering: (x: number) => (x > 0 ? 0.3 : 0.1),
      surveyWeight: (x: number) => (x > 0 ? 1 : 3),
    }
    const { value, plain, truth } = await correctedNps(law, false)
    expect(plain - truth).toBeGreaterThan(12)
    expect(Math.abs(value - truth)).toBeLessThan(7)
  })

  it('does not mend twice what those weights mend already, where who was asked is not known', async () => {
    const surveyWeight = (x: number) => (x > 0 ? 1 : 3)
    const law = { customers: 6000, seed: 6, answering: (x: number) => (x > 0 ? 0.3 : 0.1), surveyWeight }
    const { dataset, observed, given, truth } = makeSurvey(law)
    const panel = evenPanel(law.customers)
    const valueBy = async (weight: Float32Array) => {
      const propensity = await fitResponsePropensity({ ...observed, weight }, later)
      const held = heldOutOf(dataset, weighAnswers(dataset, propensity, 2000))
      const [level] = measureLevels(evenModel, held, { judged: panel, served: panel, seed: 1 })
      return netPromoterScore(moveLevel([level], 0, panel.distributions[0]))
    }
    const mean = given.reduce((sum, { x }) => sum + surveyWeight(x), 0) / given.length
    const weighed = observed.weight.slice()
    for (const { customer, x } of given) weighed[customer] = surveyWeight(x) / mean
    expect(Math.abs((await valueBy(weighed)) - truth)).toBeLessThan(7)
    expect((await valueBy(observed.weight)) - truth).toBeLessThan(-10)
  })

  it('stays off where answering depends on what nobody sees', async () => {
    const { value, truth, ci95 } = await correctedNps({
      customers: 4000,
      seed: 4,
      answering: (_, hidden) => logistic(-1 + hidden),
    })
    expect(value - truth).toBeGreaterThan(10)
    expect(truth).toBeLessThan(ci95[0])
  })

  it('is the same for members that know already a part of what the others were off by', async () => {
    const { dataset } = makeSurvey({ customers: 2000, seed: 7, answering: (x) => logistic(-1 + x) })
    const held = heldOutOf(dataset, weighAnswers(dataset, null, 2000))
    const judged = evenPanel(500)
    const better = judged.distributions.map((own) =>
      own.map((p, at) => (at % 11 === 10 ? p + 0.1 : p > 0 ? p - 0.1 : 0)),
    )
    const served = { ...judged, distributions: better }
    const npsOf = (panel: typeof judged) => {
      const [level] = measureLevels(evenModel, held, { judged, served: panel, seed: 1 })
      return netPromoterScore(moveLevel([level], 0, panel.distributions[0]))
    }
    expect(netPromoterScore(served.distributions[0])).toBeCloseTo(20, 5)
    expect(npsOf(served)).toBeCloseTo(npsOf(judged), 0)
  })

  it('ahead is held where it was, with an error of as much as it moved before', async () => {
    const { dataset } = makeSurvey({ customers: 2000, seed: 5, answering: () => 0.5 })
    const held = heldOutOf(dataset, weighAnswers(dataset, null, 2000))
    // Every customer at five cutoffs; the share of promoters rises and falls, and 30 days ahead 40% are foreseen.
    const shares = [0.5, 0.6, 0.5, 0.4, 0.5]
    const of = (share: number) =>
      evenModel.base.map((_, answer) => (answer === 10 ? share : answer === 2 ? 1 - share : 0))
    const everyday = (share: (day: number) => number) =>
      Float64Array.from(shares.flatMap((_, day) => Array.from({ length: 40 }, () => of(share(day))).flat()))
    const panel = {
      rows: Int32Array.from({ length: 200 }, (_, row) => row),
      cutoff: Int32Array.from({ length: 200 }, (_, row) => firstDay + 30 * Math.floor(row / 40)),
      leadsDays: [0, 30],
      distributions: [everyday((day) => shares[day]), everyday(() => 0.4)],
    }
    const [today, ahead] = measureLevels(evenModel, held, { judged: panel, served: panel, seed: 1 })
    const mean = (level: typeof today, lead: number) =>
      netPromoterScore(moveLevel([level], 0, panel.distributions[lead]))
    expect(mean(ahead, 1)).toBeCloseTo(mean(today, 0), 1)
    const moved = Math.sqrt(ahead.error.standardError ** 2 - today.error.standardError ** 2)
    // Away from the mean by +20, 0, −20 and 0 points at the ends of the four pairs.
    expect(moved).toBeGreaterThan(11)
    expect(moved).toBeLessThan(16)
  })
})

describe('a level carried forward', () => {
  it('is the weighted mean of two blocks that agree', async () => {
    const { mean, standardError } = carryForward({ mean: 1, standardError: 2 }, { mean: 2, standardError: 2 })
    expect(mean).toBe(1.5)
    expect(standardError).toBeCloseTo(Math.SQRT2, 10)
  })
  it('follows the later block where they differ by more than chance, and is less sure', async () => {
    const { mean, standardError } = carryForward(
      { mean: 0, standardError: 1 },
      { mean: 10, standardError: 1 },
    )
    expect(mean).toBeGreaterThan(9.8)
    expect(standardError).toBeGreaterThan(6.5)
  })
})
