import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import type { WhatIfReport } from '../../src/jobs/answer-report.ts'
import { askQuestion, askWhatIf, type QuestionReport } from '../../src/jobs/what-if.ts'
import { parseQuestion } from '../../src/simulation/question-forms.ts'
import { parseScenario } from '../../src/simulation/scenario.ts'
import { makeTrainedCompany, type TrainedCompany } from '../api/trained-company.ts'

let company: TrainedCompany

beforeAll(async () => {
  company = await makeTrainedCompany()
}, 600_000)
afterAll(() => company.remove())

function ask(data: Record<string, unknown>): Promise<WhatIfReport> {
  const scenario = parseScenario(data)
  return askWhatIf(company.program, { ...company, scenario, isFull: true, seed: 1, reporter: silentReporter })
}

function askForm(data: Record<string, unknown>): Promise<QuestionReport> {
  const question = parseQuestion(data)
  return askQuestion(company.program, {
    ...company,
    question,
    isFull: true,
    seed: 1,
    reporter: silentReporter,
  })
}

const fewerTickets = { changes: [{ events: ['ticket'], remove: 0.5 }] }

describe('a change of how often events come', () => {
  it('is compared with days of others, which has a probability, and says so', async () => {
    const report = await ask({ ...fewerTickets, cost: { fixed: 100 } })
    expect(report.evidence).toBe('adjusted')
    expect(report.evidence_reason).toMatch(/^\d+ days with ticket were compared with days of others/)
    expect(report.if_causal).toBeUndefined()
    expect(report.money?.p_net_positive).toBeGreaterThan(0)
    expect(report.money?.p_net_positive).toBeLessThan(1)
    expect(Object.keys(report.baseline?.nps ?? {})).toEqual(['0', '30', '60', '90'])
    expect(Object.keys(report.difference?.outcomes ?? {})).toContain('churn_90')
  })
  it('is twice as strong for twice the share where days are compared', async () => {
    const moved = async (remove: number) =>
      (await ask({ changes: [{ events: ['ticket'], remove }] })).difference?.outcomes.churn_90.rate as number
    expect(await moved(0.8)).toBeCloseTo(4 * (await moved(0.2)), 12)
  })
})

describe('a change at several strengths', () => {
  const allTickets = { changes: [{ events: ['ticket'], remove: 1 }] }
  it('is compared at each, as a scenario of that strength is', async () => {
    const answer = await askForm({ sweep: { scenario: allTickets, steps: 2 } })
    if (answer.kind !== 'sweep') throw new Error('not a sweep')
    const half = await ask(fewerTickets)
    expect(answer.origin.evidence).toBe('adjusted')
    expect(answer.sweep.map(({ money }) => money !== undefined)).toEqual([true, true, true])
    expect(answer.sweep[0].difference.outcomes.churn_90.rate).toBeCloseTo(0, 12)
    expect(answer.sweep[1].difference).toEqual(half.difference)
    expect(answer.sweep[1].associational).toEqual(half.associational)
  })
  it('is sought by what was compared, and by the forecasts where a figure was not', async () => {
    const whole = await ask(allTickets)
    const { churn_90 } = whole.baseline?.outcomes ?? {}
    const target = churn_90.rate + (whole.difference?.outcomes.churn_90.rate as number) / 2
    const found = await askForm({ goal: { scenario: allTickets, figure: 'churn_90', target } })
    if (found.kind !== 'goal') throw new Error('not a goal')
    expect(found.origin.evidence).toBe('adjusted')
    expect(found.goal.reached).toBe(true)
    expect(Math.abs(found.goal.nearest.strength - 0.5)).toBeLessThanOrEqual(1 / 32)
    expect(found.goal.statement).toMatch(/by what days with such events were measured to do/)
    const nps = Object.keys(whole.associational?.difference.nps ?? {})
    const onlyForecast = nps.find((days) => !(days in (whole.difference?.nps ?? {}))) as string
    const sought = await askForm({
      goal: { scenario: allTickets, figure: `nps_${onlyForecast}`, target: -100 },
    })
    expect(sought.kind === 'goal' && sought.origin.evidence).toBe('associational')
  })
})

describe('a change that no days can be compared for', () => {
  const changes: readonly [string, Record<string, unknown>, RegExp][] = [
    ['an attribute', { attribute: 'plan', set: 'gold' }, /another attribute differs in more than that/],
    ['an amount', { events: ['login'], property: 'minutes', scale: 0.9 }, /amounts are not compared/],
    ['what an outcome is made of', { events: ['upgrade'], remove: 1 }, /the outcome upsell is made of such/],
  ]
  it.each(changes)('%s is associational, without a probability, and says why', async (_, change, why) => {
    const report = await ask({ changes: [change] })
    expect(report.evidence).toBe('associational')
    expect(report.evidence_reason).toMatch(why)
    expect(report.associational).toBeNull()
    expect(report.money).toBeUndefined()
    expect(report.if_causal?.p_net_positive).toBeNull()
  })
})
