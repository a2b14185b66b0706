import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import { predictDay } from '../../src/jobs/daily.ts'
import { ingestMade } from '../lakes.ts'
import { compiledServer } from './compiled-server.ts'
import { problem, type Served, serveMade } from './served.ts'
import { makeTrainedCompany, type TrainedCompany, trainedDays } from './trained-company.ts'

const date = trainedDays[2]

let made: TrainedCompany
let served: Served
beforeAll(async () => {
  made = await makeTrainedCompany()
  served = await serveMade(made, [], { start: await compiledServer() })
})
afterAll(async () => {
  await served.close()
  await made.remove()
})

const base = '/v1/programs/small-company'

function post(path: string, body: unknown) {
  const headers = { 'content-type': 'application/json' }
  return served.ask(`${base}/${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
}

const customersOf = async () =>
  (await served.read(`${base}/predictions?limit=1000&date=${date}`)).predictions as { customer_id: string }[]

const tickets = (customer: string) =>
  ['10', '11', '12', '13'].map((hour) => ({
    customer_id: customer,
    at: `${date} ${hour}:00`,
    type: 'ticket',
  }))

const namesOf = (drivers: { feature: string }[]) => drivers.map(({ feature }) => feature)

describe('a customer who is scored now', () => {
  it('without anything new is what was published, to the last digit', async () => {
    const some = (await customersOf()).filter((_, place) => place % 20 === 0)
    for (const { customer_id: customer, ...row } of some) {
      const { status, body } = await post(`customers/${customer}/rescore`, { date })
      expect([status, body.rows_waiting, body.status]).toEqual([200, 0, 'scored'])
      expect(body.prediction).toEqual({ customer_id: customer, ...row })
      expect(body.published).toEqual(body.prediction)
    }
  })

  it('with events just sent is what the next daily run gives', async () => {
    const [{ customer_id: customer }] = await customersOf()
    await post('events', tickets(customer))
    const { body } = await post(`customers/${customer}/rescore`, { date })
    expect(body).toMatchObject({ date, rows_waiting: 4, published: { customer_id: customer } })
    expect(body.prediction.nps_score).toBeLessThan(body.published.nps_score)
    expect(await served.read(`${base}/customers/${customer}/prediction`)).toEqual(body.published)
    await ingestMade(made)
    const settings = { ...made, date, now: '2025-03-01T00:00:00Z', reporter: silentReporter }
    await predictDay(made.program, settings)
    const published = await served.read(`${base}/customers/${customer}/prediction`)
    // Drivers compare with others, of whom this customer may be one.
    const { top_drivers: drivers, ...forecast } = body.prediction
    expect(published).toMatchObject(forecast)
    expect(namesOf(drivers)).toEqual(namesOf(published.top_drivers))
    const after = await post(`customers/${customer}/rescore`, { date })
    expect(after.body).toMatchObject({ rows_waiting: 0, prediction: published, published })
  })

  it('who was only ever sent through the API is scored, with attributes', async () => {
    await post('customers', {
      customer_id: 'new one',
      joined_at: '2025-02-01',
      plan: 'gold',
      annual_value: 600,
    })
    await post('events', { customer_id: 'new one', at: '2025-02-21T10:00:00Z', type: 'login', minutes: 9 })
    const { body } = await post('customers/new%20one/rescore', {})
    expect(body).toMatchObject({
      date: '2025-02-21',
      rows_waiting: 2,
      status: 'scored',
      published: null,
      prediction: { annual_value: 600, date: '2025-02-21' },
    })
  })

  it('is not at risk before joining and after leaving, and not known without any row', async () => {
    const before = await post('customers/new%20one/rescore', { date: '2025-01-31' })
    expect(before.body).toMatchObject({ status: 'not_at_risk', prediction: null })
    await post('events', { customer_id: 'new one', at: '2025-02-22', type: 'cancel' })
    const left = await post('customers/new%20one/rescore', {})
    expect(left.body).toMatchObject({ date: '2025-02-22', status: 'not_at_risk', reason: expect.any(String) })
    const nobody = await post('customers/nobody/rescore', {})
    expect([nobody.status, nobody.body]).toEqual([404, problem('unknown-customer', 404)])
  })

  it('cannot be scored in days to come', async () => {
    const { status, body } = await post('customers/c1/rescore', { date: '2026-11-21' })
    expect([status, body.errors]).toEqual([
      400,
      [{ field: 'date', detail: 'is 2026-11-21, which lies after today, 2026-11-20' }],
    ])
  })
})
