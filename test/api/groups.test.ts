import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import { ingest } from '../../src/jobs/ingest.ts'
import { makeLastingProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { type Served, serveMade } from './served.ts'

const plans = ['gold', 'silver', 'basic']
const customers = [
  ...Array.from({ length: 30 }, (_, n) => ({
    ...{ customer_id: `c${n}`, plan: plans[n % 3], seats: n, valid_from: '2026-01-01' },
    ...{ vip: n < 4, first_seen: '2025-05-05', annual_value: 100 },
  })),
  // Changes plan between the two days.
  {
    customer_id: 'c1',
    plan: 'gold',
    seats: 99,
    valid_from: '2026-10-02',
    vip: false,
    first_seen: '2025-05-05',
  },
]
const days = ['2026-10-01', '2026-10-02']

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
beforeAll(async () => {
  const events = [{ customer_id: 'c0', at: '2026-09-01', type: 'login' }]
  made = await makeLastingProgram({
    yaml: madeYaml,
    files: { 'events.csv': events, 'customers.csv': customers },
  })
  await ingest(made.program, { ...made, now: '2026-10-03T00:00:00Z', reporter: silentReporter })
  for (const [place, date] of days.entries()) {
    const rows = Array.from({ length: 31 }, (_, n) =>
      madeRow(`c${n}`, {
        churn_90: (n % 3) / 10 + place / 100,
        segment: n === 5 ? 'at-risk-passives' : null,
      }),
    )
    await publishDay(made, date, place === 0 ? rows.slice(1) : rows)
  }
  served = await serveMade(made)
})
afterAll(async () => {
  await served.close()
  await made.remove()
})

const ids = async (query: string) =>
  (await served.read(`/v1/programs/test/predictions?limit=1000&fields=customer_id&${query}`)).predictions
    .map((row: { customer_id: string }) => row.customer_id)
    .toSorted()

describe('predictions by attributes', () => {
  it.each([
    ['where=plan:is:gold&where=seats:below:10', ['c0', 'c3', 'c6', 'c9']],
    ['where=seats:above:28', ['c1', 'c29']],
    ['where=vip:is:true', ['c0', 'c2', 'c3']],
    ['where=plan:is:', ['c30']],
    ['where=plan:is:gold&where=seats:above:90&sort=-churn', ['c1']],
  ])('are those whose attributes fit: %s', async (query, expected) => {
    expect(await ids(query)).toEqual(expected)
  })

  it('are picked by what was known at the end of that day', async () => {
    expect(await ids('where=seats:above:28&date=2026-10-01')).toEqual(['c29'])
  })

  it('may be picked by attributes in bulk, too', async () => {
    const { text } = await served.ask(
      '/v1/programs/test/predictions.ndjson?where=plan:is:gold&where=churn_90:below:0.05&fields=customer_id',
    )
    expect(text.trim().split('\n').length).toBe(10)
  })

  it('cannot be picked by times', async () => {
    const { status, body } = await served.ask('/v1/programs/test/predictions?where=first_seen:is:2025-05-05')
    expect([status, body.detail]).toEqual([400, expect.stringMatching(/Allowed: plan, seats, vip/)])
  })
})

describe('groups', () => {
  it('by an attribute add up to everybody, on each day', async () => {
    const { days: told, by } = await served.read('/v1/programs/test/summary/groups?by=plan&days=2')
    expect([by, told.map(({ date }: { date: string }) => date)]).toEqual(['plan', days])
    const shown = told.map((day: { groups: { value: string; customers: number }[] }) =>
      day.groups.map(({ value, customers: count }) => [value, count]),
    )
    expect(shown).toEqual([
      [
        ...[
          ['basic', 10],
          ['silver', 10],
          ['gold', 9],
        ],
        [null, 1],
      ],
      [
        ...[
          ['gold', 11],
          ['basic', 10],
          ['silver', 9],
        ],
        [null, 1],
      ],
    ])
    const gold = told[1].groups[0]
    expect(gold.outcomes.churn_90.rate).toBeCloseTo((10 * 0.01 + 0.11) / 11, 6)
  })

  it('by a column have those without it last, under null', async () => {
    const {
      days: [day],
    } = await served.read('/v1/programs/test/summary/groups?by=segment')
    expect(day.groups.map((group: { value: string | null }) => group.value)).toEqual([
      'at-risk-passives',
      null,
    ])
  })

  it('by what cannot divide customers are refused with what can', async () => {
    const { status, body } = await served.ask('/v1/programs/test/summary/groups?by=churn_90')
    expect([status, body.detail]).toEqual([400, expect.stringMatching(/Allowed: .*plan/)])
  })
})

describe('the history of a customer', () => {
  it('has a row for each day at risk, oldest first', async () => {
    const { days: told } = await served.read('/v1/programs/test/customers/c4/history')
    expect(told).toMatchObject([
      { date: '2026-10-01', churn_90: 0.1, segment: null, model_version: '2026-10-01-1' },
      { date: '2026-10-02', churn_90: 0.11 },
    ])
    const late = await served.read('/v1/programs/test/customers/c0/history')
    expect(late.days.map(({ date }: { date: string }) => date)).toEqual(['2026-10-02'])
    const one = await served.read('/v1/programs/test/customers/c4/history?days=1&date=2026-10-01')
    expect(one.days.map(({ date }: { date: string }) => date)).toEqual(['2026-10-01'])
  })

  it('of nobody is 404', async () => {
    expect((await served.ask('/v1/programs/test/customers/nobody/history')).body.type).toBe(
      'urn:loyalcast:problem:unknown-customer',
    )
  })
})
