import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WhatIfSession } from '../../src/jobs/what-if-session.ts'
import { withScratchDatabase } from '../../src/lake/scratch-database.ts'
import { parseScenario } from '../../src/simulation/scenario.ts'
import { answerScenario, type ScenarioAnswer } from '../../src/simulation/what-if.ts'
import { Workplace } from '../../src/simulation/workplace.ts'
import { makeTrainedCompany, type TrainedCompany } from '../api/trained-company.ts'

let company: TrainedCompany
let session: WhatIfSession

beforeAll(async () => {
  company = await makeTrainedCompany()
  session = new WhatIfSession(company.program, company)
}, 600_000)
afterAll(async () => {
  await session.close()
  await company.remove()
})

interface Size {
  readonly most?: number
  readonly atOnce?: number
  readonly seed?: number
}

async function ask(
  scenario: Record<string, unknown>,
  { most, atOnce, seed = 1 }: Size = {},
): Promise<ScenarioAnswer> {
  const { asked, card } = await session.current()
  return withScratchDatabase(asked.lake.folder, company.program, (database) =>
    answerScenario(new Workplace(database), {
      ...{ asked, card, seed, most: most ?? null, onDraw: () => {} },
      ...(atOnce !== undefined && { atOnce }),
      scenario: parseScenario(scenario),
    }),
  )
}

const fewerTickets = { changes: [{ events: ['ticket'], remove: 0.5 }] }
const longerLogins = { changes: [{ events: ['login'], property: 'minutes', scale: 1.1 }] }

const reachedHalf = { ...longerLogins, reach: 0.5 }

describe('a population that is looked at in parts', () => {
  const asked = {
    'random edits': fewerTickets,
    'certain edits': longerLogins,
    'added events': { changes: [{ events: ['ticket'], add: 1.5 }] },
    attributes: { changes: [{ attribute: 'plan', set: 'gold' }] },
    'some customers': { ...fewerTickets, population: { where: [{ field: 'plan', is: 'gold' }] } },
  }
  it.each(Object.entries(asked))('is answered as in one, %s', async (_, scenario) => {
    const [whole, parts] = [await ask(scenario), await ask(scenario, { atOnce: 20 })]
    expect(whole.scope.parts).toBe(1)
    expect(parts.scope.parts).toBeGreaterThan(4)
    expect(parts.evaluation.edited).toEqual(whole.evaluation.edited)
    expect(parts.evaluation.baseline).toEqual(whole.evaluation.baseline)
    expect(parts.evaluation.difference).toEqual(whole.evaluation.difference)
    expect(parts.support).toEqual(whole.support)
    const cost = ({ evaluation }: ScenarioAnswer) =>
      evaluation.replications.reduce((sum, { contactsAvoided }) => sum + contactsAvoided, 0)
    expect(cost(parts)).toBeCloseTo(cost(whole), 9)
    for (const [quantity, variance] of whole.evaluation.drawVariance.entries())
      expect(parts.evaluation.drawVariance[quantity]).toBeCloseTo(variance, 12)
  })
})

describe('a sample of a population', () => {
  it('gives an interval that holds what the whole population gives', async () => {
    const whole = (await ask(longerLogins)).figures.difference
    let [held, all] = [0, 0]
    for (const seed of [1, 2, 3, 4, 5]) {
      const { scope, figures } = await ask(longerLogins, { most: 60, seed })
      expect(scope.sampled).toBe(60)
      expect(scope.customers).toBeGreaterThan(scope.sampled)
      for (const [name, { ci95 }] of Object.entries(figures.difference.outcomes)) {
        const truth = whole.outcomes[name].rate
        if (ci95[0] <= truth && truth <= ci95[1]) held++
        all++
      }
    }
    expect(held / all).toBeGreaterThanOrEqual(0.9)
  })
  it('is spread evenly over segments', async () => {
    const share = ({ scope }: ScenarioAnswer) =>
      scope.segment.filter((segment) => segment !== null).length / scope.sampled
    const [whole, sample] = [await ask({}), await ask({}, { most: 60 })]
    expect(Math.abs(share(sample) - share(whole))).toBeLessThan(0.05)
  })
})

describe('the random choices of draws', () => {
  it('are made once where nothing is left to chance', async () => {
    const { evaluation } = await ask(longerLogins)
    expect(evaluation.replications.length).toBe(1)
    expect(new Set(evaluation.drawVariance)).toEqual(new Set([0]))
  })
  it('have an error of their own, which tells how far draws lie apart', async () => {
    const { evaluation } = await ask(reachedHalf)
    const { replications, drawVariance, list } = evaluation
    const quantity = list.findIndex(({ name }) => name === 'churn_90')
    const means: number[] = []
    for (let seed = 1; seed <= 10; seed++) {
      const { evaluation } = await ask(reachedHalf, { seed })
      means.push(...evaluation.replications.slice(0, 2).map(({ mean }) => mean[quantity]))
    }
    const mean = means.reduce((sum, own) => sum + own, 0) / means.length
    const seen = means.reduce((sum, own) => sum + (own - mean) ** 2, 0) / (means.length - 1)
    // 20 draws tell a variance to within a factor of two and a half, 199 of 200 times.
    const told = drawVariance[quantity] * replications.length
    expect(told / seen).toBeGreaterThan(1 / 2.5)
    expect(told / seen).toBeLessThan(2.5)
  })
})

describe('a session', () => {
  it('keeps version and lake while they stay the same', async () => {
    const [first, second] = [await session.current(), await session.current()]
    expect(second.asked.predictor).toBe(first.asked.predictor)
    expect(second.asked.lake.state).toBe(first.asked.lake.state)
  })
})
