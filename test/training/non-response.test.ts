import { describe, expect, it } from 'vitest'
import { fitterHere } from '../../src/model/fitter.ts'
import { judgeEverybody } from '../../training/non-response.ts'
import { fitResponsePropensity, weighAnswers } from '../../training/response-propensity.ts'
import { chanceOf, logistic } from '../model/simulated.ts'
import { evenModel, heldOutOf, laterDay, makeSurvey, type SurveyLaw } from './made-survey.ts'

/** The card's section for a made survey; two of three customers answered at other times as well, by `otherwise`. */
async function sectionOf(law: SurveyLaw, otherwise: (customer: number) => number = () => Number.NaN) {
  const { dataset, observed, truth } = makeSurvey(law)
  const otherNetScore = Float64Array.from(dataset.customer, (customer) =>
    customer % 3 ? otherwise(customer) : Number.NaN,
  )
  const responding = { ...observed, otherNetScore }
  const propensity = await fitResponsePropensity(responding, { until: 2000, seed: 1, fitter: fitterHere })
  const own = { ...dataset, responding }
  const held = heldOutOf(own, weighAnswers(own, propensity, 2000))
  const rows = Int32Array.from(Array.from(own.cutoff.keys()).filter((row) => own.cutoff[row] === laterDay))
  const block = { rows, censoredAfter: 2000 }
  const judged = await judgeEverybody(evenModel, {
    dataset: own,
    split: { kind: 'forward-cross-fitted', fit: block, calibrate: null, test: block, testFrom: laterDay },
    horizonsDays: [],
    taught: { encoder: { encodings: [] }, members: [] },
    refitted: { encoder: { encodings: [] }, members: [] },
    held,
    test: held[1].labelled,
    propensity,
    asOf: 2000,
    seed: 1,
    fitter: fitterHere,
  })
  return { truth, ...judged, section: judged.nonResponse! }
}

/** What customers feel, which nobody sees. */
function feelingsOf(customers: number, seed: number) {
  const chance = chanceOf(seed)
  return Array.from({ length: customers }, () => chance.normal())
}

describe('what the card says of those who did not answer', () => {
  it('shows the plain mean beside the corrected one, and moves predictions to the latter', async () => {
    const feelings = feelingsOf(4000, 15)
    const { section, truth, answers, errors } = await sectionOf(
      { customers: 4000, seed: 11, answering: (x) => logistic(-1 + x) },
      (customer) => (feelings[customer] > 0 ? 100 : -100),
    )
    expect(section.asked).toBe(4000)
    expect(section.answered / section.asked).toBeCloseTo(0.3, 1)
    expect(section.propensity?.hasSkill).toBe(true)
    expect(section.effectiveAnswers).toBeLessThan(section.answers)
    expect(section.plainNps.low).toBeGreaterThan(truth + 8)
    const [low, high] = section.everybodyNps!.ci95!
    expect(low).toBeLessThan(truth)
    expect(high).toBeGreaterThan(truth)
    expect(answers.levels).toHaveLength(1)
    expect(errors.nps_0.standardError).toBeGreaterThan(1)
    expect(section.words[1]).toMatch(/^This can mend only what shows in what customers do\./)
  })

  it('claims no correction where who answers cannot be told', async () => {
    const { section } = await sectionOf({ customers: 2000, seed: 12, answering: () => 0.3 })
    expect(section.propensity?.hasSkill).toBe(false)
    expect(section.words[0]).toMatch(/no correction is claimed\.$/)
    expect(section.claimsCorrection).toBe(false)
    expect(section.effectiveAnswers).toBeCloseTo(section.answers, 5)
  })

  it('says that too little is known of a handful of answers', async () => {
    const { section } = await sectionOf({ customers: 200, seed: 13, answering: () => 0.1 })
    expect(section.propensity).toBeNull()
    expect(section.words[0]).toMatch(/^Too little is known/)
  })

  it('claims no correction where nobody answered twice', async () => {
    const { section } = await sectionOf({ customers: 2000, seed: 11, answering: (x) => logistic(-1 + x) })
    expect(section.propensity?.hasSkill).toBe(true)
    expect(section.beyondBehaviour).toBeNull()
    expect(section.words[2]).toMatch(
      /too few customers answered more than once\. No correction is claimed\.$/,
    )
    expect(section.claimsCorrection).toBe(false)
  })

  it('tells feelings beyond behaviour by what the same customers said at other times', async () => {
    const customers = 10_000
    const feelings = feelingsOf(customers, 14)
    const otherwise = (customer: number) => (feelings[customer] > 0 ? 100 : -100)
    let next = 0
    const { section: byFeeling } = await sectionOf(
      { customers, seed: 14, answering: (x) => logistic(-1 + x + 0.8 * feelings[next++ % customers]) },
      otherwise,
    )
    expect(byFeeling.beyondBehaviour?.low).toBeGreaterThan(10)
    expect(byFeeling.claimsCorrection).toBe(false)
    expect(byFeeling.words[2]).toMatch(/^There is a sign of it here\..* likely still too high\./)
    const { section: byBehaviour } = await sectionOf(
      { customers, seed: 14, answering: (x) => logistic(-1 + x) },
      otherwise,
    )
    expect(byBehaviour.beyondBehaviour?.low).toBeLessThan(0)
    expect(byBehaviour.beyondBehaviour?.high).toBeGreaterThan(0)
    expect(byBehaviour.words[2]).toMatch(/^There is no sign of it here\./)
    expect(byBehaviour.claimsCorrection).toBe(true)
  })
})
