import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import type { WhatIfReport } from '../../src/jobs/answer-report.ts'
import { measure } from '../../src/jobs/measure.ts'
import { askWhatIf } from '../../src/jobs/what-if.ts'
import { parseScenario } from '../../src/simulation/scenario.ts'
import { makeTreatedCompany, type TreatedCompany, treatedDay } from './treated-company.ts'

let company: TreatedCompany

beforeAll(async () => {
  company = await makeTreatedCompany()
}, 600_000)
afterAll(() => company.remove())

function ask(scenario: Record<string, unknown>): Promise<WhatIfReport> {
  const settings = { isFull: true, seed: 1, reporter: silentReporter }
  return askWhatIf(company.program, { ...company, scenario: parseScenario(scenario), ...settings })
}

describe('a what-if of an initiative', () => {
  it('differs by what was measured, as an experiment', async () => {
    const report = await ask({ changes: [{ initiative: 'call' }] })
    const settings = { initiative: 'call', asOf: treatedDay, seed: 1, reporter: silentReporter }
    const { results } = await measure(company.program, { ...company, ...settings })
    expect(report.evidence).toBe('experiment')
    for (const days of [30, 60]) {
      const measured = results.find((own) => own.metric === 'churn' && own.horizon_days === days)
      const found = report.difference?.outcomes[`churn_${days}`].rate as number
      expect(found).toBeGreaterThan(measured?.ci95[0] as number)
      expect(found).toBeLessThan(measured?.ci95[1] as number)
    }
    expect(report.difference?.outcomes.churn_60.rate).toBeLessThan(-0.05)
  })
  it('has money with the probability that it pays, less what treating cost when it was tried', async () => {
    const { money, if_causal, cost, customers } = await ask({ changes: [{ initiative: 'call' }] })
    expect(cost).toBeCloseTo(5 * customers, 6)
    expect(if_causal).toBeUndefined()
    expect(money?.net).toBeCloseTo((money?.revenue_protected as number) - cost, 6)
    expect(money?.p_net_positive).toBeGreaterThan(0.9)
  })
  it('brings in proportion to its reach', async () => {
    const changes = [{ initiative: 'call' }]
    const [half, whole] = [await ask({ changes, reach: 0.5 }), await ask({ changes })].map(
      ({ difference }) => difference?.outcomes.churn_60.rate as number,
    )
    expect(half).toBeCloseTo(whole / 2, 9)
  })
  it('is the same of what was measured before and of what is measured now', async () => {
    const asked = { changes: [{ initiative: 'call' }] }
    await ask(asked)
    const kept = await ask(asked)
    await rm(join(company.dataFolder, company.program.name, 'measured'), { recursive: true })
    expect(await ask(asked)).toEqual(kept)
  })
  it('that did nothing shows no difference', async () => {
    const { difference, money } = await ask({ changes: [{ initiative: 'letter' }] })
    const [low, high] = difference?.outcomes.churn_60.ci95 ?? [0, 0]
    expect([low < 0, high > 0]).toEqual([true, true])
    expect(money?.p_net_positive).toBeLessThan(0.99)
  })
  it('needs an arm that there is, and one to compare it with', async () => {
    const unknown = ask({ changes: [{ initiative: 'call', arm: 'emailed' }] })
    await expect(unknown).rejects.toThrow(/call has no treated arm emailed\. Name one as arm: treated/)
    const alone = ask({ changes: [{ initiative: 'banner' }] })
    await expect(alone).rejects.toThrow(/banner has one arm only: there is nobody to compare it with/)
  })
  it('that is not known names those that are', async () => {
    const wrong = ask({ changes: [{ initiative: 'calls' }] })
    await expect(wrong).rejects.toThrow(/Did you mean call\? Allowed: banner, call, gift, letter/)
  })
})
