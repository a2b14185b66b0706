import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import { askWhatIf, type WhatIfReport } from '../../src/jobs/what-if.ts'
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
