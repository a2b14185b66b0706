import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { startReceiver, verified } from '../engage/receiver.ts'
import { makeLastingProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { type Answer, problem, type Served, serveMade } from './served.ts'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let other: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  other = await makeLastingProgram({ yaml: `program: other\n${madeYaml}` })
  served = await serveMade(made, [other.program])
})
afterAll(async () => {
  await served.close()
  await made.remove()
  await other.remove()
})

const path = '/v1/programs/test/webhooks'

function send(method: string, at: string, body?: unknown): Promise<Answer> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  return served.ask(at, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
}

/** A webhook, gone when the test is. */
async function add(url: string): Promise<Answer['body']> {
  const { status, body, text } = await send('POST', path, { url })
  expect(status, text).toBe(201)
  onTestFinished(async () => {
    await send('DELETE', `${path}/${body.id}`)
  })
  return body
}

/** A delivery once it is in that state. */
function delivery(at: string, status: string): Promise<Answer['body']> {
  return vi.waitFor(
    async () => {
      const found = await served.read(at)
      expect(found.status).toBe(status)
      return found
    },
    { timeout: 20_000, interval: 10 },
  )
}

describe('a try', () => {
  it('is a ping that is sent at once, and the log says what became of it', async () => {
    const receiver = await startReceiver((response) => response.writeHead(200).end('thanks'))
    const { id, secret } = await add(receiver.url)
    const { status, body, headers } = await send('POST', `${path}/${id}/test`)
    expect([status, body]).toEqual([
      202,
      {
        ...{ message_id: expect.stringMatching(/^msg_/), type: 'ping', status: 'pending', tries: 0 },
        ...{ next_try_at: '2026-11-20T12:00:00.000Z', last: null, finished_at: null },
        created_at: '2026-11-20T12:00:00.000Z',
      },
    ])
    const [received] = await receiver.first(1)
    const payload = {
      ...{ type: 'ping', timestamp: '2026-11-20T12:00:00.000Z' },
      data: { program: 'test', webhook_id: id },
    }
    expect(verified(secret, received)).toEqual(payload)
    expect(received.headers['webhook-id']).toBe(body.message_id)
    const attempt = { at: '2026-11-20T12:00:00.000Z', status: 200, problem: null, excerpt: 'thanks', ms: 0 }
    expect(await delivery(headers.get('location') ?? '', 'delivered')).toEqual({
      ...{ ...body, status: 'delivered', tries: 1, next_try_at: null, last: attempt },
      ...{ finished_at: attempt.at, payload, attempts: [attempt] },
    })
  })
})

describe('the log of deliveries', () => {
  it('is read page by page, newest first, also of one status alone', async () => {
    const receiver = await startReceiver()
    const { id } = await add(receiver.url)
    const tried: string[] = []
    for (let n = 0; n < 5; n++) {
      receiver.reply = n === 2 ? 500 : 204
      const { headers, body } = await send('POST', `${path}/${id}/test`)
      await receiver.first(n + 1)
      if (n !== 2) await delivery(headers.get('location') ?? '', 'delivered')
      tried.unshift(body.message_id)
    }
    const pages: string[][] = []
    let cursor: string | null = ''
    while (cursor !== null) {
      const more: string = cursor === '' ? '' : `&cursor=${cursor}`
      const page = await served.read(`${path}/${id}/deliveries?limit=2${more}`)
      pages.push(page.deliveries.map(({ message_id }: { message_id: string }) => message_id))
      cursor = page.next_cursor
    }
    expect(pages).toEqual([tried.slice(0, 2), tried.slice(2, 4), tried.slice(4)])
    const delivered = await served.read(`${path}/${id}/deliveries?status=delivered`)
    expect(delivered.deliveries).toHaveLength(4)
    const wrong = await served.ask(`${path}/${id}/deliveries?status=lost`)
    expect(wrong.body.errors).toEqual([{ field: 'status', detail: 'is one of pending, delivered, dead' }])
    const first = await served.read(`${path}/${id}/deliveries?limit=2`)
    const foreign = await served.ask(`${path}/${id}/deliveries?status=dead&cursor=${first.next_cursor}`)
    expect(foreign.body).toMatchObject(problem('invalid-cursor', 400))
  })
})

describe('what was given up', () => {
  it('with an endpoint that is gone is replayed once that is switched on again', async () => {
    const receiver = await startReceiver(410)
    const { id } = await add(receiver.url)
    await publishDay(made, '2026-10-05', [madeRow('a')])
    const [{ headers }] = await receiver.first(1)
    const messageId = String(headers['webhook-id'])
    await delivery(`${path}/${id}/deliveries/${messageId}`, 'dead')
    expect(await served.read(`${path}/${id}`)).toMatchObject({
      ...{ active: false, disabled_at: '2026-11-20T12:00:00.000Z' },
      disabled_reason: expect.stringMatching(/answered 410/),
    })
    for (const [at, body] of [
      ['test', undefined],
      ['replay', { message_ids: [messageId] }],
    ] as const)
      expect((await send('POST', `${path}/${id}/${at}`, body)).body).toMatchObject(
        problem('webhook-inactive', 409),
      )
    receiver.reply = 200
    const { body } = await send('PATCH', `${path}/${id}`, { active: true })
    expect(body).toMatchObject({ active: true, disabled_reason: null, disabled_at: null })
    const since = { since: '2026-11-20T13:00:00+01:00' }
    expect(await send('POST', `${path}/${id}/replay`, since)).toMatchObject({
      status: 202,
      body: { replayed: 1 },
    })
    await receiver.first(2)
    expect(receiver.received[1].headers['webhook-id']).toBe(messageId)
    expect(receiver.received[1].body).toBe(receiver.received[0].body)
    const done = await delivery(`${path}/${id}/deliveries/${messageId}`, 'delivered')
    expect(done.attempts.map(({ status }: { status: number }) => status)).toEqual([410, 200])
    expect((await send('POST', `${path}/${id}/replay`, { message_ids: [messageId] })).body).toEqual({
      replayed: 1,
    })
    await receiver.first(3)
  })
})

describe('a webhook', () => {
  it('signs with both secrets after a rotation, and shows the new one once', async () => {
    const receiver = await startReceiver()
    const { id, secret: old } = await add(receiver.url)
    const { body, headers } = await send('POST', `${path}/${id}/rotate-secret`)
    expect(headers.get('cache-control')).toBe('no-store')
    expect(body.secret).toMatch(/^whsec_/)
    expect(body.secret).not.toBe(old)
    expect(body.previous_secret_until).toBe('2026-11-21T12:00:00.000Z')
    expect((await served.ask(`${path}/${id}`)).text).not.toMatch(/whsec_/)
    await send('POST', `${path}/${id}/test`)
    const [received] = await receiver.first(1)
    for (const secret of [old, body.secret])
      expect(verified(secret, received)).toMatchObject({ type: 'ping' })
  })

  it('of one program is none of another', async () => {
    const { id } = await add('https://127.0.0.1/')
    const foreign = `/v1/programs/other/webhooks/${id}`
    const asked: readonly (readonly [string, string, object?])[] = [
      ['GET', foreign],
      ['PATCH', foreign, { active: false }],
      ['DELETE', foreign],
      ['GET', `${foreign}/deliveries`],
      ['GET', `${foreign}/deliveries/x`],
      ['POST', `${foreign}/test`],
      ['POST', `${foreign}/replay`, { since: '2026-11-20T12:00:00Z' }],
      ['POST', `${foreign}/rotate-secret`],
    ]
    for (const [method, at, body] of asked)
      expect((await send(method, at, body)).body, at).toMatchObject(problem('unknown-webhook', 404))
    expect((await served.read('/v1/programs/other/webhooks')).webhooks).toEqual([])
    expect(await served.read(`${path}/${id}`)).toMatchObject({ active: true })
    const none = await send('POST', `${path}/${id}/replay`, { message_ids: ['msg_x'] })
    expect(none.body).toMatchObject(problem('unknown-delivery', 404))
    expect((await served.ask(`${path}/${id}/deliveries/msg_x`)).body).toMatchObject(
      problem('unknown-delivery', 404),
    )
  })

  it.each([
    ['http://93.184.215.14/', /begins with http:/],
    ['https://169.254.169.254/latest/meta-data', /not public/],
    ['https://localhost/', /not public/],
    ['https://[::ffff:10.0.0.1]/', /not public/],
    ['https://0x7f000001/', /not public/],
    ['https://a:b@93.184.215.14/', /a user or a password/],
  ])('may not be sent to %s', async (url, words) => {
    const strict = await serveMade(other, [], { webhooks: { allow: [], isSending: false } })
    onTestFinished(() => strict.close())
    const place = '/v1/programs/other/webhooks'
    const json = (body: object) => ({
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    const errors = [{ field: 'url', detail: expect.stringMatching(words) }]
    const refused = { ...problem('invalid-webhook-url', 422), errors }
    expect((await strict.ask(place, { method: 'POST', ...json({ url }) })).body).toMatchObject(refused)
    const good = 'https://93.184.215.14/'
    const { body } = await strict.ask(place, { method: 'POST', ...json({ url: good }) })
    const change = { method: 'PATCH', ...json({ url }) }
    expect((await strict.ask(`${place}/${body.id}`, change)).body).toMatchObject(refused)
    expect(await strict.read(`${place}/${body.id}`)).toMatchObject({ url: good })
    await strict.ask(`${place}/${body.id}`, { method: 'DELETE' })
  })

  it.each([
    ['url', {}],
    ['url', { url: 5 }],
    ['url', { url: `https://127.0.0.1/${'x'.repeat(3000)}` }],
    ['event_types', { url: 'https://127.0.0.1/', event_types: [] }],
    ['event_types/0', { url: 'https://127.0.0.1/', event_types: ['customer.sneezed'] }],
    ['event_types/0', { url: 'https://127.0.0.1/', event_types: ['ping'] }],
    ['active', { url: 'https://127.0.0.1/', active: 'yes' }],
    ['secret', { url: 'https://127.0.0.1/', secret: 'mine' }],
  ])('must be described as it should be: %#, %s', async (field, body) => {
    const { body: refused } = await send('POST', path, body)
    expect(refused).toMatchObject({ ...problem('invalid-request', 400), errors: [{ field }] })
  })

  it('is one of at most 20', async () => {
    const place = '/v1/programs/other/webhooks'
    for (let n = 0; n < 20; n++)
      expect((await send('POST', place, { url: 'https://127.0.0.1/' })).status).toBe(201)
    expect((await send('POST', place, { url: 'https://127.0.0.1/' })).body).toMatchObject(
      problem('too-many-webhooks', 409),
    )
    const { webhooks } = await served.read(place)
    expect(webhooks).toHaveLength(20)
    for (const { id } of webhooks) expect((await send('DELETE', `${place}/${id}`)).status).toBe(204)
  })
})
