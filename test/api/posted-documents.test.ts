import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ingestMade, queryLake } from '../lakes.ts'
import { makeLastingProgram } from '../programs.ts'
import { key, problem, type Served, serveMade } from './served.ts'

const example = join(import.meta.dirname, '../../examples/survey-webhook')
const read = (name: string) => readFile(join(example, name), 'utf8')

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: await read('program.yaml') })
  served = await serveMade(made)
})
afterAll(async () => {
  await served.close()
  await made.remove()
})

function post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  const all = { 'content-type': 'application/json', ...headers }
  return served.ask(`/v1/programs/survey-webhook/${path}`, { method: 'POST', headers: all, body: text })
}

describe("a survey tool's document", () => {
  it('is rows by the mapping of the example, each answered by itself', async () => {
    const { body } = await post('inbound/survey', await read('answer.json'))
    expect(body).toMatchObject({
      accepted: 1,
      quarantined: 1,
      rows: [
        { status: 'accepted', id: 'r-5512' },
        {
          status: 'quarantined',
          reason: 'no_customer',
          words:
            'no customer_id; nothing was found for customer_id at /contact/external_id, comment at /answers/1/text',
        },
      ],
    })
    await ingestMade(made)
    const stored = await queryLake(
      made,
      'responses',
      'select customer_id, day::varchar as day, metric, score, comment, channel, prop_survey from rows',
    )
    expect(stored).toEqual([
      {
        customer_id: 'c101',
        day: '2026-11-20',
        metric: 'nps',
        score: 9,
        comment: 'Fast, and the driver was kind.',
        channel: 'email',
        prop_survey: 'After delivery',
      },
    ])
  })

  it('without the list, or of a name that nobody mapped, is refused as a whole', async () => {
    expect(await post('inbound/survey', { responses: 7 })).toMatchObject({
      status: 400,
      body: { ...problem('invalid-request', 400), detail: 'There is no list at /responses of the body.' },
    })
    expect(await post('inbound/other', {})).toMatchObject({
      status: 404,
      body: {
        ...problem('unknown-mapping', 404),
        detail: 'survey-webhook has no mapping other. Its program file has: survey.',
      },
    })
  })
})

describe("calls in Segment's shape", () => {
  const basic = (user: string) => `Basic ${Buffer.from(`${user}:`).toString('base64')}`
  const track = {
    userId: 's1',
    event: 'Order Completed',
    timestamp: '2026-11-20T08:30:00.123Z',
    messageId: 'm-1',
    properties: { revenue: '49.90', value: 3, channel: 'web', cart: { items: 2 }, products: [{ id: 1 }] },
  }
  const identify = {
    userId: 's1',
    traits: { email: 'a@b.example', plan: 'gold', createdAt: '2024-03-01T00:00:00Z' },
    timestamp: '2026-11-20T08:00:00Z',
  }

  it('become events and attributes, and a message that came before is a duplicate', async () => {
    expect((await post('segment/track', track)).body.rows).toEqual([
      { index: 0, status: 'accepted', id: 'm-1' },
    ])
    const calls = [
      { type: 'track', ...track },
      { type: 'identify', ...identify },
      { type: 'page', userId: 's1', name: 'Prices', messageId: 'm-2', timestamp: track.timestamp },
      { type: 'alias', userId: 's1' },
      { type: 'track', anonymousId: 'x', event: 'Look' },
    ]
    const { body } = await post('segment/batch', { batch: calls })
    expect(body.rows).toMatchObject([
      { status: 'duplicate', id: 'm-1' },
      { status: 'accepted', id: 's1' },
      { status: 'accepted', id: 'm-2' },
      { status: 'quarantined', reason: 'unknown_call' },
      { status: 'quarantined', reason: 'no_customer', words: expect.stringContaining('anonymousId') },
    ])
    await ingestMade(made)
    const events = await queryLake(
      made,
      'events',
      'select type, value, prop_channel, "prop_cart.items" as items, prop_name from rows where customer_id = \'s1\' order by event_id',
    )
    expect(events).toEqual([
      { type: 'order_completed', value: 49.9, prop_channel: 'web', items: 2, prop_name: null },
      { type: 'page_viewed', value: null, prop_channel: null, items: null, prop_name: 'Prices' },
    ])
    const [customer] = await queryLake(made, 'customers', "select * from rows where customer_id = 's1'")
    expect(customer).toMatchObject({ attr_plan: 'gold', joined_at: new Date('2024-03-01T00:00:00Z') })
    expect(Object.keys(customer)).not.toContain('attr_email')
  })

  it('may bring the key as the user of Basic authentication; other addresses do not take it', async () => {
    const ask = (path: string, user: string) =>
      served.ask(`/v1/programs/survey-webhook/${path}`, {
        method: 'POST',
        key: null,
        headers: { 'content-type': 'application/json', authorization: basic(user) },
        body: JSON.stringify({ ...track, messageId: `basic-${path}` }),
      })
    expect((await ask('segment/track', key)).status).toBe(200)
    expect((await ask('segment/track', `${key}x`)).status).toBe(401)
    expect((await ask('events', key)).status).toBe(401)
  })
})

it('without a body is refused, also with an Idempotency-Key', async () => {
  for (const headers of [{}, { 'idempotency-key': 'empty' }])
    expect(
      (await served.ask('/v1/programs/survey-webhook/segment/batch', { method: 'POST', headers })).body,
    ).toMatchObject(problem('invalid-request', 400))
})
