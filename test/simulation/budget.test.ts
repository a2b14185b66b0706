import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import { nextBestActions } from '../../src/jobs/actions.ts'
import type { BudgetReport } from '../../src/jobs/budget-report.ts'
import { writeTargets } from '../../src/jobs/targets.ts'
import { askQuestion, askWhatIf } from '../../src/jobs/what-if.ts'
import { renderReport } from '../../src/jobs/what-if-report/report.ts'
import { WhatIfSession } from '../../src/jobs/what-if-session.ts'
import { parseQuestion } from '../../src/simulation/question-forms.ts'
import { parseScenario } from '../../src/simulation/scenario.ts'
import { queryRows } from '../programs.ts'
import { calledAgain, makeTreatedCompany, type TreatedCompany, treatedDay } from './treated-company.ts'

let company: TreatedCompany

beforeAll(async () => {
  company = await makeTreatedCompany()
}, 600_000)
afterAll(() => company.remove())

async function ask(budget: Record<string, unknown>, seed = 1): Promise<BudgetReport> {
  const answer = await askQuestion(company.program, {
    ...company,
    question: parseQuestion({ budget }),
    isFull: true,
    seed,
    reporter: silentReporter,
  })
  if (answer.kind !== 'budget') throw new Error('not a budget')
  return answer.budget
}

/** Sum in ten-thousandths, of which all amounts are whole numbers. */
function sumOf(amounts: readonly (number | null)[]): number {
  return amounts.reduce<number>((sum, own) => sum + Math.round((own ?? 0) * 10_000), 0) / 10_000
}

describe('a budget for an initiative that keeps customers', () => {
  it('is spent on those who bring most for their cost, with a net gain that is an experiment’s', async () => {
    const report = await ask({ amount: 300, initiatives: ['call'] })
    expect(report).toMatchObject({ evidence: 'experiment', unit: 'money', treated: 60, spent: 300 })
    expect(report.money?.net?.value).toBeGreaterThan(0)
    expect(report.money?.p_net_positive).toBeGreaterThan(0.9)
    expect(report.if_causal).toBeUndefined()
    const nets = report.chosen.map(({ net }) => net as number)
    expect(nets).toEqual(nets.toSorted((a, b) => b - a))
    expect(report.break_even?.customers).toBe(report.offered)
  })
  it('adds up to the last digit, each customer once', async () => {
    const { chosen, spent, money } = await ask({ amount: 1234.56 })
    expect(chosen.length).toBeGreaterThan(200)
    expect(new Set(chosen.map(({ customer_id }) => customer_id)).size).toBe(chosen.length)
    expect(sumOf(chosen.map(({ cost }) => cost))).toBe(spent)
    expect(sumOf(chosen.map(({ net }) => net))).toBe(money?.net?.value)
    expect(sumOf(chosen.map(({ expected_gain }) => expected_gain))).toBe(money?.expected_gain.value)
  })
  it('of nothing treats nobody', async () => {
    const report = await ask({ amount: 0 })
    expect(report).toMatchObject({ treated: 0, spent: 0, chosen: [] })
    expect(report.money).toMatchObject({ p_net_positive: null, p_net_positive_reason: 'nobody is treated' })
    expect(report.statement).toMatch(/Nobody is treated/)
  })
  it('larger than everybody treats all who are worth it, and costs no more than they do', async () => {
    const report = await ask({ amount: 1e9, initiatives: ['call'] })
    expect(report.treated).toBe(report.worth_treating)
    expect(report.spent).toBe(5 * report.treated)
    expect(report.most_missed).toBe(0)
  })
  it('brings what the what-if of the initiative does where everybody is treated for nothing', async () => {
    const report = await ask({ amount: 0, initiatives: ['call'], cost_per_customer: 0 })
    const whole = await askWhatIf(company.program, {
      ...company,
      scenario: parseScenario({ changes: [{ initiative: 'call' }] }),
      ...{ isFull: true, seed: 1, reporter: silentReporter },
    })
    // Those who were called again lately are offered nothing.
    const left = report.customers - report.offered
    expect(left).toBeGreaterThan(0)
    const all = whole.money?.revenue_protected as number
    const mean = all / report.customers
    expect(report.curve.at(-1)?.by_net.value).toBeGreaterThan(all - 3 * left * mean)
    expect(report.curve.at(-1)?.by_net.value).toBeLessThan(all)
  })
  it('goes to others than those whom it reached lately, in either arm', async () => {
    const report = await ask({ amount: 1e9, initiatives: ['call'] })
    const chosen = new Set(report.chosen.map(({ customer_id }) => customer_id))
    expect(calledAgain.filter((id) => chosen.has(id))).toEqual([])
    const [{ offered }] = report.initiatives
    expect(offered).toBe(report.offered)
    expect(offered).toBeLessThan(report.customers)
    expect(report.assumptions.join(' ')).toMatch(/within the last 60 days are not offered it: \d of call/)
  })
  it('may be asked of one customer', async () => {
    const [{ customer_id }] = (await ask({ amount: 5, initiatives: ['call'] })).chosen
    const one = await ask({ amount: 100, initiatives: ['call'], population: { customer: customer_id } })
    expect(one.customers).toBe(1)
    expect(one.chosen.map((own) => own.customer_id)).toEqual([customer_id])
    const dear = { amount: 1, initiatives: ['call'], population: { customer: customer_id } }
    expect((await ask(dear)).treated).toBe(0)
  })
  it('has an interval that shrinks no faster than its customers', async () => {
    const half = (report: BudgetReport) => {
      const { value = 0, ci95 = [0, 0] } = report.money?.net ?? {}
      return (ci95[1] - ci95[0]) / 2 / (value + report.spent)
    }
    const [few, many] = [await ask({ amount: 250 }), await ask({ amount: 2500 })]
    // Were errors of customers independent, a tenfold budget would be surer by a factor of three.
    expect(half(many)).toBeGreaterThan(half(few) / 2)
  })
  it('repeats exactly with the same seed', async () => {
    expect(await ask({ amount: 500 }, 3)).toEqual(await ask({ amount: 500 }, 3))
  })
})

describe('the curve of a budget', () => {
  it('goes from nobody to everybody, where all orders meet', async () => {
    const { curve, offered } = await ask({ amount: 300 })
    expect(curve).toHaveLength(21)
    expect(curve[0].by_net).toEqual({ spent: 0, value: 0, ci80: [0, 0], ci95: [0, 0] })
    const last = curve[20]
    expect(last.customers).toBe(offered)
    expect(last.by_risk?.value).toBeCloseTo(last.by_net.value, 6)
    expect(last.at_random.value).toBeCloseTo(last.by_net.value, 6)
    for (const { by_net, by_risk, at_random } of curve) {
      expect(by_net.value).toBeGreaterThanOrEqual((by_risk?.value as number) - 1e-6)
      expect(by_net.value).toBeGreaterThanOrEqual(at_random.value - 1e-6)
    }
  })
  it('at random is a straight line', async () => {
    const { curve, offered } = await ask({ amount: 300 })
    const all = curve[20].at_random.value
    for (const { customers, at_random } of curve)
      expect(at_random.value).toBeCloseTo((all * customers) / offered, 6)
  })
  it('is checked on the customers of the experiment', async () => {
    const [{ orders }] = (await ask({ amount: 300, initiatives: ['call'] })).initiatives
    expect(orders?.customers).toBeGreaterThan(500)
    expect(orders?.by_net.gains[10]).toBeCloseTo(orders?.everybody as number, 9)
    const [low, high] = orders?.by_net.ci95 ?? [0, 0]
    expect(low).toBeLessThan(orders?.by_net.qini as number)
    expect(orders?.by_net_than_chance).toBe(low > 0 ? 'better' : high < 0 ? 'worse' : 'not_shown')
    expect(orders?.by_risk).not.toBeNull()
  })
})

describe('a session', () => {
  it('answers a scenario after a budget as before it', async () => {
    const session = new WhatIfSession(company.program, company)
    const settings = { ...company, session, isFull: false, seed: 1, reporter: silentReporter }
    const scenario = parseScenario({ changes: [{ events: ['ticket'], remove: 1 }] })
    const before = await askWhatIf(company.program, { ...settings, scenario })
    const question = parseQuestion({
      budget: { amount: 1000, population: { where: [{ field: 'ticket_count_90', above: 2 }] } },
    })
    await askQuestion(company.program, { ...settings, question })
    expect(await askWhatIf(company.program, { ...settings, scenario })).toEqual(before)
    await session.close()
  })
})

describe('initiatives', () => {
  it('that did nothing bring nothing that is sure', async () => {
    const report = await ask({ amount: 1000, initiatives: ['letter'] })
    const [low, high] = report.money?.net?.ci95 ?? [0, 0]
    if (report.treated > 0) {
      expect([low < 0, high > 0]).toEqual([true, true])
      expect(report.statement).toMatch(/The interval holds 0: that treating pays has not been shown/)
    }
    const [{ orders }] = report.initiatives
    expect(orders?.by_net_than_chance).toBe('not_shown')
    expect(report.statement).toMatch(/No order has been shown to be better than chance/)
  })
  it('are all asked of where none is named, each customer getting the best', async () => {
    const report = await ask({ amount: 1e9 })
    expect(report.initiatives.map(({ initiative }) => initiative)).toEqual(['call', 'letter'])
    expect(report.left_out.map(({ initiative }) => initiative)).toEqual(['banner', 'gift'])
    const alone = await ask({ amount: 1e9, initiatives: ['call'] })
    expect(report.money?.net?.value).toBeGreaterThanOrEqual(alone.money?.net?.value as number)
    expect(report.assumptions.join(' ')).toMatch(/best of several uncertain gains/)
  })
  it('cost what is said, for all or by name', async () => {
    const one = await ask({ amount: 100, initiatives: ['gift'], cost_per_customer: 2 })
    expect(one.initiatives[0]).toMatchObject({ cost_per_customer: 2, cost_origin: 'question' })
    const named = { amount: 100, initiatives: ['gift', 'call'], cost_per_customer: { gift: 3 } }
    const both = await ask(named)
    expect(both.initiatives.map((own) => [own.cost_per_customer, own.cost_origin])).toEqual([
      [3, 'question'],
      [5, 'as tried'],
    ])
  })
  it('that cost more than they bring treat nobody', async () => {
    const report = await ask({ amount: 1e6, initiatives: ['call'], cost_per_customer: 5000 })
    expect(report).toMatchObject({ worth_treating: 0, treated: 0, break_even: { customers: 0 } })
  })
  it('move an outcome where that is asked for', async () => {
    const report = await ask({ amount: 300, initiatives: ['call'], outcome: 'churn' })
    expect(report).toMatchObject({ unit: 'outcome', outcome: 'churn', treated: 60, break_even: null })
    expect(report.outcome_gain?.net).toBeNull()
    expect(report.outcome_gain?.expected_gain.value).toBeGreaterThan(0)
    expect(report.money).toBeUndefined()
  })
})

describe('a budget that cannot be used', () => {
  const wrong: readonly [string, Record<string, unknown>, RegExp][] = [
    ['no amount', {}, /budget.amount: missing. Add it: an amount in the currency/],
    ['less than nothing', { amount: -1 }, /found -1; allowed: an amount/],
    [
      'an unknown initiative',
      { amount: 1, initiatives: ['cal'] },
      /Did you mean call\? Allowed: banner, call/,
    ],
    ['one arm only', { amount: 1, initiatives: ['banner'] }, /banner has one arm only/],
    ['no cost known', { amount: 1, initiatives: ['gift'] }, /gift is not known.*cost_per_customer/],
    ['costs of others', { amount: 1, cost_per_customer: { gifts: 1 } }, /Did you mean gift/],
    [
      'an unknown outcome',
      { amount: 1, outcome: 'upsell' },
      /budget.outcome: found "upsell".* Allowed: churn/,
    ],
    ['a day without predictions', { amount: 1, date: '2024-01-01' }, /There are predictions of: 2024-05-31/],
    ['hindsight backwards', { amount: 1, as_of: '2024-05-01' }, /found 2024-05-01; allowed: 2024-05-31/],
    ['an unknown key', { amount: 1, initiative: 'call' }, /not a known key. Did you mean initiatives/],
    ['nobody', { amount: 1, population: { customer: 'nobody' } }, /nobody is no customer at risk/],
  ]
  it.each(wrong)('asks of %s', async (_, budget, words) => {
    await expect(async () => ask(budget)).rejects.toThrow(words)
  })
})

describe('chosen customers', () => {
  it.each(['csv', 'ndjson', 'parquet'])('are written as %s in their order', async (format) => {
    const report = await ask({ amount: 100 })
    const folder = await mkdtemp(join(tmpdir(), 'loyalcast-targets-'))
    try {
      const file = join(folder, `targets.${format}`)
      expect(await writeTargets(report, file)).toBe(report.treated)
      const reader = { csv: 'read_csv', ndjson: 'read_json', parquet: 'read_parquet' }[format]
      const rows = await queryRows(`select * from ${reader}('${file}')`)
      expect(rows.map(({ customer_id }) => customer_id)).toEqual(
        report.chosen.map(({ customer_id }) => customer_id),
      )
      if (format === 'csv')
        expect((await readFile(file, 'utf8')).split('\n')[0]).toBe(
          'program,date,place,customer_id,initiative,arm,expected_gain,cost,net,risk',
        )
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})

describe('the page of a budget', () => {
  it('names what it brings, both orders against chance, and who is treated first', async () => {
    const budget = await ask({ amount: 100 })
    const { program } = company
    const answer = { kind: 'budget', budget } as const
    const page = renderReport({ answer, scenarios: [], asked: {}, program, seed: 1, isFull: true })
    expect(page).toContain('By expected net value, against treating at random')
    expect(page).toContain('By risk, against treating at random')
    expect(page).toContain('Is the order better than chance?')
    expect(page.match(/<bdi>/g)).toHaveLength(Math.min(20, budget.treated))
    expect(page).toContain(`<bdi>${budget.chosen[0].customer_id}</bdi>`)
    expect(page).not.toMatch(/NaN|undefined|Infinity|<script/)
  })
})

describe('the next best action', () => {
  const options = { date: null, customerId: null, seed: 1, reporter: silentReporter }
  it('of each customer is the initiative that a boundless budget gives', async () => {
    const { rows, ...report } = await nextBestActions(company.program, { ...company, ...options })
    const { chosen, customers, left_out } = await ask({ amount: 1e9 })
    expect(report).toMatchObject({ date: treatedDay, customers, actions: chosen.length })
    expect(report.left_out).toEqual(left_out)
    const acted = rows.filter(({ initiative }) => initiative !== null)
    expect(new Map(acted.map((own) => [own.customer_id, [own.initiative, own.net]]))).toEqual(
      new Map(chosen.map((own) => [own.customer_id, [own.initiative, own.net]])),
    )
    for (const { gain_low, gain_high, expected_gain, reason } of acted) {
      expect(gain_low).toBeLessThanOrEqual(expected_gain as number)
      expect(gain_high).toBeGreaterThanOrEqual(expected_gain as number)
      expect(reason).toBeNull()
    }
  })
  it('of one customer is that of the list', async () => {
    const { rows } = await nextBestActions(company.program, { ...company, ...options })
    const { customer_id } = rows[7]
    const one = await nextBestActions(company.program, { ...company, ...options, customerId: customer_id })
    expect(one.rows).toEqual([rows[7]])
    const nobody = nextBestActions(company.program, { ...company, ...options, customerId: 'nobody' })
    await expect(nobody).rejects.toThrow(/nobody is no customer at risk on 2024-05-31/)
  })
})
