import { describe, expect, it } from 'vitest'
import { fitterHere } from '../../src/model/fitter.ts'
import { judgeEverybody } from '../../training/non-response.ts'
import { fitResponsePropensity, weighAnswers } from '../../training/response-propensity.ts'
import { chanceOf, logistic } from '../model/simulated.ts'
import { evenModel, heldOutOf, laterDay, makeSurvey, type SurveyLaw } from './made-survey.ts'

/** The card's section for a made survey in which two of three had answered before, by `before`. */
async function sectionOf(law: SurveyLaw, before: (customer: number) => number = () => Number.NaN) {
  const { dataset, observed, truth } = makeSurvey(law)
  const last = { ...dataset.frame.features[0], name: 'nps_last' }
  const column = Float64Array.from(dataset.customer, (customer) =>
    customer % 3 ? before(customer) : Number.NaN,
  )
  const frame = {
    rows: dataset.frame.rows,
    features: [...dataset.frame.features, last],
    columns: [...dataset.frame.columns, column],
  }
  const responding = { ...observed, frame }
  const propensity = await fitResponsePropensity(responding, { until: 2000, seed: 1, fitter: fitterHere })
  const own = { ...dataset, frame, responding }
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

/** What customers answered before: the pleased are promoters, by something that nobody sees now. */
function feelingsOf(customers: number, seed: number) {
  const chance = chanceOf(seed)
  return Array.from({ length: customers }, () => chance.normal())
}

describe('what the card says of those who did not answer', () => {
  it('shows the plain mean beside the corrected one, and moves predictions to the latter', async () => {
    const { section, truth, answers, errors } = await sectionOf({
      customers: 4000,
      seed: 11,
      answering: (x) => logistic(-1 + x),
    })
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
    expect(section.words).toHaveLength(2)
    expect(section.claimsCorrection).toBe(true)
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

  it('finds a sign of feelings where promoters answer again and detractors do not, behaving alike', async () => {
    const customers = 4000
    const feelings = feelingsOf(customers, 14)
    const before = (customer: number) => (feelings[customer] > 0 ? 10 : 3)
    let next = 0
    const { section: byFeeling } = await sectionOf(
      { customers, seed: 14, answering: (x) => logistic(-1 + x + 0.8 * feelings[next++ % customers]) },
      before,
    )
    expect(byFeeling.returning?.low).toBeGreaterThan(0.1)
    expect(byFeeling.claimsCorrection).toBe(false)
    expect(byFeeling.words[2]).toMatch(/likely still too high: it is not corrected for that\.$/)
    const { section: byBehaviour } = await sectionOf(
      { customers, seed: 14, answering: (x) => logistic(-1 + x) },
      before,
    )
    expect(byBehaviour.returning?.low).toBeLessThan(0)
    expect(byBehaviour.returning?.high).toBeGreaterThan(0)
    expect(byBehaviour.words).toHaveLength(2)
  })
})
