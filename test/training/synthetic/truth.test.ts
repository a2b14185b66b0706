import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TrueEffects } from '../../../training/synthetic/truth.ts'
import { type MadeCompany, makeCompany, truthDay } from './made-company.ts'

let company: MadeCompany
let hidden: MadeCompany
beforeAll(async () => {
  const options = { customers: 2500, days: 400, seed: 11, truthDays: [truthDay], replications: 60 }
  company = await makeCompany(options)
  hidden = await makeCompany({ ...options, answering: 'hidden', replications: 1 })
})
afterAll(async () => {
  await company.remove()
  await hidden.remove()
})

/** Customers at risk on the truth day, what was true of them, and what then happened within `days`. */
const realised = (days: number) => `
  , realised as (
    select
      truth.*,
      customer_id in (${happened(days, ['cancel'])}) as left_us,
      customer_id in (${happened(days, ['upgrade'])}) as upgraded,
      customer_id in (${happened(days, ['referral', 'review'])}) as advocated
    from truth
  )`
const happened = (days: number, types: readonly string[]) => `
  select customer_id from events
  where type in (${types.map((type) => `'${type}'`).join(', ')})
    and "at" >= date '${truthDay}' + 1 and "at" < date '${truthDay}' + 1 + ${days}`

describe('true probabilities', () => {
  it('are told of exactly those who were customers at the end of the day', async () => {
    const [counts] = await company.query<{ told: number; at_risk: number }>(`
      select
        (select count(*) from truth) as told,
        (select count(distinct customer_id) from customers where joined_at < date '${truthDay}' + 1)
          - (select count(*) from events where type = 'cancel' and "at" < date '${truthDay}' + 1) as at_risk`)
    expect(counts.told).toBe(counts.at_risk)
  })
  it.each([30, 60, 90])('are met by what happened within %i days', async (days) => {
    for (const [outcome, column] of [
      ['churn', 'left_us'],
      ['upsell', 'upgraded'],
      ['advocacy', 'advocated'],
    ]) {
      const [{ expected, count, spread }] = await company.query<Record<string, number>>(`
        ${realised(days)}
        select
          sum(${outcome}_${days}) as expected,
          count(*) filter (where ${column}) as count,
          sqrt(sum(${outcome}_${days} * (1 - ${outcome}_${days}))) as spread
        from realised`)
      // Outages to come hit many at once, which widens the spread a little: four of it are room enough.
      expect(Math.abs(count - expected), `${outcome} ${days}`).toBeLessThan(4 * spread)
      expect(expected).toBeGreaterThan(15)
    }
  })
  it('tell those apart who leave: ten times as many of the fifth with the highest as of the lowest', async () => {
    const rows = await company.query<{ fifth: number; expected: number; happened: number }>(`
      ${realised(90)}
      select fifth, avg(churn_90) as expected, avg(left_us::integer) as happened
      from (select *, ntile(5) over (order by churn_90) as fifth from realised)
      group by fifth order by fifth`)
    expect(rows[4].expected).toBeGreaterThan(10 * rows[0].expected)
    for (const { expected, happened } of rows)
      expect(Math.abs(happened - expected)).toBeLessThan(4 * Math.sqrt(expected / 300))
  })
  it('are probabilities that agree with each other', async () => {
    const [{ wrong }] = await company.query<{ wrong: number }>(`
      select count(*) as wrong from truth
      where not (churn_30 between 0 and churn_60 and churn_60 <= churn_90 and churn_90 <= 1)
        or upsell_30 > upsell_60 or advocacy_60 > advocacy_90
        or abs(p_detractor + p_passive + p_promoter - 1) > 1e-9
        or abs(churn_90 + stays_90 - 1) > 1e-9
        or nps_score_90 not between 0 and 10`)
    expect(wrong).toBe(0)
  })
})

describe('who answers', () => {
  const plainAndTrue = `
    select
      (select 100 * avg((score >= 9)::integer - (score <= 6)::integer) from responses
        where metric = 'nps' and "at" >= date '${truthDay}' - 89 and "at" < date '${truthDay}' + 1) as plain,
      (select 100 * avg(p_promoter - p_detractor) from truth) as truth`
  it.each([
    ['observed', () => company],
    ['hidden', () => hidden],
  ] as const)('feels at least eight points of NPS better than everybody (%s)', async (_, made) => {
    const [{ plain, truth }] = await made().query<{ plain: number; truth: number }>(plainAndTrue)
    expect(plain - truth).toBeGreaterThan(8)
    expect(plain - truth).toBeLessThan(30)
  })
  it('is a minority of 10 to 20%', async () => {
    for (const made of [company, hidden]) {
      const [{ share }] = await made.query<{ share: number }>(`
        select (select count(*) from responses where metric = 'nps')
          / (select count(*) from events where type = 'survey_sent') as share`)
      expect(share).toBeGreaterThan(0.1)
      expect(share).toBeLessThan(0.2)
    }
  })
})

describe('initiatives', () => {
  let truth: Record<string, Record<string, TrueEffects>>
  beforeAll(async () => {
    truth = JSON.parse(await readFile(join(company.folder, 'truth', 'initiatives.json'), 'utf8'))
  })
  const effect = (initiative: string, group = 'everybody') => truth[initiative][group].effects.churn_90

  it('of no effect have exactly none', () => {
    const { effects, customers } = truth['welcome-video'].everybody
    expect(customers).toBeGreaterThan(200)
    for (const { effect } of Object.values(effects)) expect(effect).toBe(0)
  })
  it('that mend what hurt lower churn of the hurt by a third, and change nothing for the others', () => {
    const hurt = effect('loyalty-call', 'recently hurt')
    expect(hurt.effect).toBeLessThan(-hurt.control / 3)
    expect(effect('loyalty-call', 'not recently hurt').effect).toBe(0)
    expect(truth['loyalty-call'].everybody.effects.upsell_90.effect).toBeGreaterThan(0)
  })
  it('are told of each customer as of all', async () => {
    const file = join(company.folder, 'truth', 'effects', 'by-customer.parquet')
    const rows = await company.query<{ initiative: string; customers: number; mean: number }>(
      `select initiative, count(*) as customers, avg(churn_90) as mean from '${file}' group by initiative`,
    )
    expect(rows).toHaveLength(3)
    for (const { initiative, customers, mean } of rows) {
      expect(truth[initiative].everybody.customers).toBe(customers)
      expect(mean).toBeCloseTo(effect(initiative).effect, 12)
    }
  })
  it('are seen for at least 110 days and told of everybody assigned', async () => {
    const rows = await company.query<{ initiative: string; customers: number; last: number }>(`
      select initiative, count(*) as customers, min(date_diff('day', "at", (select max("at") from events))) as last
      from interventions group by initiative`)
    expect(rows).toHaveLength(3)
    for (const { initiative, customers, last } of rows) {
      expect(last).toBeGreaterThanOrEqual(110)
      expect(truth[initiative].everybody.customers).toBe(customers)
    }
  })
  it('are randomised evenly but for priority support, which those with many tickets get', async () => {
    const rows = await company.query<{
      initiative: string
      arm: string
      customers: number
      tickets: number
    }>(`
      select initiative, arm, count(*) as customers, avg(tickets) as tickets
      from (
        select i.customer_id, initiative, arm, count(e.type) as tickets
        from interventions as i
        left join events as e on e.customer_id = i.customer_id and e.type = 'ticket'
          and e."at" between i."at" - interval 90 day and i."at"
        group by all
      ) group by initiative, arm order by initiative, arm`)
    const [callControl, callTreated, priorityControl, priorityTreated] = rows
    expect(Math.abs(callTreated.customers - callControl.customers)).toBeLessThan(
      4 * Math.sqrt(callTreated.customers + callControl.customers),
    )
    expect(Math.abs(callTreated.tickets - callControl.tickets)).toBeLessThan(0.4)
    expect(priorityTreated.tickets).toBeGreaterThan(2 * priorityControl.tickets)
    expect(effect('priority-support').effect).toBeLessThan(-0.005)
  })
})
