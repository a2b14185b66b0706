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

function ask(scenario: Record<string, unknown>, isFull = true, seed = 1): Promise<WhatIfReport> {
  return askWhatIf(company.program, {
    ...company,
    scenario: parseScenario(scenario),
    isFull,
    seed,
    reporter: silentReporter,
  })
}

/** All differences of an answer. */
function differencesOf({ difference }: WhatIfReport): number[] {
  return [
    ...Object.values(difference?.nps ?? {}).map(({ value }) => value),
    ...Object.values(difference?.outcomes ?? {}).map(({ rate }) => rate),
  ]
}

const fewerTickets = { changes: [{ events: ['ticket'], remove: 0.5 }] }

describe('a scenario that changes nothing', () => {
  const nothing = {
    'has no changes': [],
    'removes a share of 0': [{ events: ['ticket'], remove: 0 }],
    'adds none': [{ events: ['ticket'], add: 0 }],
    'scales by 1': [{ events: ['login'], property: 'minutes', scale: 1 }],
  }
  it.each(Object.entries(nothing))('%s and makes exactly no difference', async (_, changes) => {
    const report = await ask({ changes })
    expect(report.customers).toBeGreaterThan(50)
    expect(report.edited).toBe(0)
    expect(new Set(differencesOf(report))).toEqual(new Set([0]))
    expect(report.if_causal?.net).toBe(0)
  })
  it('reaches nobody', async () => {
    const report = await ask({ ...fewerTickets, reach: 0 })
    expect(new Set(differencesOf(report))).toEqual(new Set([0]))
  })
})

describe('a scenario of fewer tickets', () => {
  it('keeps more customers and pleases more, which is worth something if it is the cause', async () => {
    const report = await ask({ ...fewerTickets, cost: { fixed: 100 } })
    expect(report.evidence).toBe('associational')
    expect(report.edited).toBeGreaterThan(10)
    expect(report.difference?.outcomes.churn_90.rate).toBeLessThan(0)
    expect(report.difference?.nps['0'].value).toBeGreaterThan(0)
    expect(report.money).toBeUndefined()
    expect(report.if_causal?.revenue_protected).toBeGreaterThan(0)
    expect(report.if_causal?.p_net_positive).toBeNull()
  })
  it('repeats exactly with the same seed', async () => {
    expect(await ask(fewerTickets)).toEqual(await ask(fewerTickets))
  })
  it('moves more the more tickets go', async () => {
    const moved = async (remove: number) =>
      (await ask({ changes: [{ events: ['ticket'], remove }] })).difference?.outcomes.churn_90.rate as number
    expect(await moved(0.8)).toBeLessThan(await moved(0.2))
  })
  it('is the difference between scenario and baseline', async () => {
    const { baseline, scenario, difference } = await ask(fewerTickets)
    const [now, then, moved] = [baseline, scenario, difference].map(
      (part) => part?.outcomes.churn_30.rate ?? 0,
    )
    expect(then - now).toBeCloseTo(moved, 12)
  })
})

describe('a scenario that leaves what is known', () => {
  it('is refused with the change that does and how far it may go', async () => {
    const changes = [
      { events: ['login'], property: 'minutes', scale: 1.05 },
      { events: ['ticket'], add: 60 },
    ]
    const report = await ask({ changes })
    expect(report.support).toMatchObject({ refused: true })
    expect(report.support.reason).toMatch(
      /changes\[1\] \(add 60 of ticket\)\. At most add [\d.]+ of ticket stays/,
    )
    expect(report).toMatchObject({ baseline: null, scenario: null, difference: null, segments: [] })
    const [, farthest] = /At most add ([\d.]+)/.exec(report.support.reason ?? '') ?? []
    const milder = await ask({ changes: [changes[0], { events: ['ticket'], add: Number(farthest) * 0.9 }] })
    expect(milder.support.refused).toBe(false)
  })
})

describe('a breakdown', () => {
  it('by segment adds up to the whole, and names those who are moved most', async () => {
    const report = await ask(fewerTickets)
    const whole = report.segments.reduce((sum, own) => sum + own.customers * own.difference.churn_90, 0)
    expect(whole).toBeCloseTo(report.difference?.outcomes.churn_90.customers as number, 6)
    const worth = report.segments.reduce((sum, { value }) => sum + (value as number), 0)
    const { revenue_protected, revenue_gained } = report.if_causal ?? {}
    expect(worth).toBeCloseTo((revenue_protected as number) + (revenue_gained as number), 6)
    expect(report.most_moved.length).toBe(10)
    const values = report.most_moved.map(({ value }) => Math.abs(value as number))
    expect(values).toEqual(values.toSorted((a, b) => b - a))
  })
})

describe('a scenario that cannot be used', () => {
  const wrong: readonly [string, Record<string, unknown>, RegExp][] = [
    [
      'an unknown event',
      { changes: [{ events: ['tickets'], remove: 0.5 }] },
      /Did you mean ticket\? Allowed: .*login/,
    ],
    [
      'a share above 1',
      { changes: [{ events: ['ticket'], remove: 1.5 }] },
      /remove: found 1.5; allowed: a number from 0 to 1/,
    ],
    [
      'nobody',
      { population: { where: [{ field: 'churn_90', above: 0.999 }] } },
      /Nobody fits all conditions/,
    ],
    ['an unknown customer', { population: { customer: 'nobody' } }, /nobody is no customer at risk/],
    ['a value never seen', { changes: [{ attribute: 'plan', set: 'platinum' }] }, /Allowed: basic, gold/],
    ['a number never seen', { changes: [{ attribute: 'age', set: 900 }] }, /allowed: a number from 2\d to/],
    [
      'a day without predictions',
      { date: '2025-02-11' },
      /There are predictions of: 2025-01-25, 2025-02-10, 2025-02-20/,
    ],
    [
      'an unknown field',
      { population: { where: [{ field: 'churn_91', above: 0 }] } },
      /Did you mean churn_90/,
    ],
    [
      'a text for a number',
      { population: { where: [{ field: 'churn_90', is: 'high' }] } },
      /allowed: a number/,
    ],
    ['an unknown key', { change: [] }, /not a known key. Did you mean changes/],
  ]
  it.each(wrong)('asks of %s', async (_, scenario, words) => {
    await expect(async () => ask(scenario)).rejects.toThrow(words)
  })
})
