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

/** What the forecasts say by themselves, whatever stands beside it. */
function byForecasts(report: WhatIfReport) {
  const { scenario, difference, if_causal } = report.associational ?? report
  if (!scenario || !difference) throw new Error('refused')
  return { scenario, difference, if_causal }
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
    const { difference, if_causal } = byForecasts(report)
    expect(report.edited).toBeGreaterThan(10)
    expect(difference.outcomes.churn_90.rate).toBeLessThan(0)
    expect(difference.nps['0'].value).toBeGreaterThan(0)
    expect(if_causal?.revenue_protected).toBeGreaterThan(0)
    expect(if_causal?.p_net_positive).toBeNull()
  })
  it('repeats exactly with the same seed', async () => {
    expect(await ask(fewerTickets)).toEqual(await ask(fewerTickets))
  })
  it('moves more the more tickets go', async () => {
    const moved = async (remove: number) =>
      byForecasts(await ask({ changes: [{ events: ['ticket'], remove }] })).difference.outcomes.churn_90.rate
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

describe('a population', () => {
  it('is told by an attribute, a feature and a forecast together', async () => {
    const where = [
      { field: 'plan', is: 'gold' },
      { field: 'ticket_count_90', above: 0 },
      { field: 'churn_90', below: 0.9 },
    ]
    const everybody = await ask({})
    const some = await ask({ population: { where } })
    expect(some.customers).toBeGreaterThan(5)
    expect(some.customers).toBeLessThan(everybody.customers / 2)
    const rest = await ask({ population: { where: [{ field: 'plan', in: ['gold', 'basic'] }] } })
    expect(rest.customers).toBe(everybody.customers)
  })
  it('is a segment, or a single customer', async () => {
    const { segments } = await ask({})
    const own = segments.find(({ segment }) => segment !== null)
    const report = await ask({ population: { segment: own?.segment } })
    expect(report.customers).toBe(own?.customers)
    const [{ customer_id }] = (await ask(fewerTickets)).most_moved
    const one = await ask({ ...fewerTickets, population: { customer: customer_id } })
    expect([one.customers, one.edited]).toEqual([1, 1])
    expect(one.difference?.outcomes.churn_90.rate).not.toBe(0)
  })
  it('may be looked at in a sample, which widens the intervals', async () => {
    const made = { ...company, scenario: parseScenario(fewerTickets), seed: 1, reporter: silentReporter }
    const whole = await askWhatIf(company.program, { ...made, isFull: true })
    const sample = await askWhatIf(company.program, { ...made, isFull: false })
    expect(sample.sampled).toBe(Math.min(2000, whole.customers))
  })
})

describe('an edit', () => {
  it('sets an attribute, of texts or numbers', async () => {
    const gold = await ask({ changes: [{ attribute: 'plan', set: 'gold' }] })
    expect(gold.edited).toBe(gold.customers)
    const older = await ask({ changes: [{ attribute: 'age', set: 40 }] })
    expect(older.edited).toBe(older.customers)
  })
  it('adds events, the more the more tickets the more churn', async () => {
    const report = await ask({ changes: [{ events: ['ticket'], add: 1.5 }] })
    expect(report.edited).toBe(report.customers)
    expect(report.difference?.outcomes.churn_90.rate).toBeGreaterThan(0)
  })
  it('of values reaches only events that change by it', async () => {
    const capped = await ask({ changes: [{ events: 'login', property: 'minutes', cap: 20 }] })
    const beyond = await ask({ changes: [{ events: 'login', property: 'minutes', cap: 500 }] })
    expect(capped.edited).toBeGreaterThan(10)
    expect(beyond.edited).toBe(0)
  })
  it('counts for no more customers than it reaches', async () => {
    const half = await ask({ changes: [{ attribute: 'plan', set: 'gold' }], reach: 0.5 })
    expect(half.edited / half.customers).toBeGreaterThan(0.4)
    expect(half.edited / half.customers).toBeLessThan(0.6)
    const whole = await ask({ changes: [{ attribute: 'plan', set: 'gold' }] })
    const [a, b] = [half, whole].map(({ difference }) => difference?.outcomes.upsell_90.rate as number)
    expect(Math.abs(a)).toBeLessThanOrEqual(Math.abs(b))
  })
})

describe('a breakdown', () => {
  it('by segment adds up to the whole, and names those who are moved most', async () => {
    const report = await ask(fewerTickets)
    const whole = report.segments.reduce((sum, own) => sum + own.customers * own.difference.churn_90, 0)
    expect(whole).toBeCloseTo(report.difference?.outcomes.churn_90.customers as number, 6)
    const worth = report.segments.reduce((sum, { value }) => sum + (value as number), 0)
    const { revenue_protected, revenue_gained } = report.money ?? {}
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

function askForm(data: unknown): Promise<QuestionReport> {
  return askQuestion(company.program, {
    ...company,
    question: parseQuestion(data),
    isFull: true,
    seed: 1,
    reporter: silentReporter,
  })
}

const allTickets = { changes: [{ events: ['ticket'], remove: 1 }] }

describe('a sweep', () => {
  it('goes from nothing to all, and moves more at each step', async () => {
    const answer = await askForm({ sweep: { scenario: allTickets, steps: 3 } })
    const sweep = answer.kind === 'sweep' ? answer.sweep : []
    const moved = sweep.map(({ difference }) => difference.outcomes.churn_90.rate)
    expect(sweep.map(({ strength }) => strength)).toEqual([0, 1 / 3, 2 / 3, 1])
    expect(moved[0]).toBe(0)
    expect(moved).toEqual(moved.toSorted((a, b) => b - a))
    expect(sweep[3].changes).toEqual(['remove 1 of ticket'])
  })
})

describe('a goal', () => {
  const goalOf = async (target: number) => {
    const answer = await askForm({ goal: { scenario: allTickets, figure: 'churn_90', target } })
    if (answer.kind !== 'goal') throw new Error('not a goal')
    return answer.goal
  }
  it('is reached by the mildest change that does, and not by a milder one', async () => {
    const { baseline } = await goalOf(1)
    const full = byForecasts(await ask(allTickets)).difference.outcomes.churn_90.rate
    const target = baseline + full / 2
    const goal = await goalOf(target)
    expect(goal.reached).toBe(true)
    expect(goal.value).toBeLessThanOrEqual(target)
    expect(goal.nearest.strength).toBeGreaterThan(0.2)
    expect(goal.nearest.strength).toBeLessThan(0.8)
    const milder = { changes: [{ events: ['ticket'], remove: goal.nearest.strength - 0.1 }] }
    expect(byForecasts(await ask(milder)).scenario.outcomes.churn_90.rate).toBeGreaterThan(target)
    expect(goal.statement).toMatch(/remove 0\.\d+ of ticket brings it to/)
  })
  it('that nothing reaches is told with how far it goes', async () => {
    const goal = await goalOf(0.0001)
    expect(goal.reached).toBe(false)
    expect(goal.nearest.strength).toBe(1)
    expect(goal.statement).toMatch(/No strength of it brings churn_90 .* as far as it goes/)
  })
  it('needs a figure that is known', async () => {
    const question = { goal: { scenario: allTickets, figure: 'churn_91', target: 0 } }
    await expect(askForm(question)).rejects.toThrow(/goal.figure: found churn_91; allowed: nps_0, .*churn_90/)
  })
})

it('several scenarios stand side by side as each would stand alone', async () => {
  const answer = await askForm({ compare: [fewerTickets, allTickets] })
  expect(answer).toEqual({ kind: 'compare', compare: [await ask(fewerTickets), await ask(allTickets)] })
})
