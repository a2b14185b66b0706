import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { day, hour, makeWorld, minute, promoted, second, step, type World } from './dispatching.ts'
import { startReceiver, verified } from './receiver.ts'

let worlds: World[] = []
async function world(): Promise<World> {
  const made = await makeWorld()
  worlds.push(made)
  return made
}
afterEach(() => {
  const errors = worlds.flatMap((one) => one.errors)
  worlds = []
  expect(errors).toEqual([])
})

describe('an event', () => {
  it('is sent once to every endpoint that wants its type, signed, with an id of its own', async () => {
    const { addEndpoint, dispatcher, events, deliveries } = await world()
    const receiver = await startReceiver()
    const all = await addEndpoint(`${receiver.url}/all`)
    const some = await addEndpoint(`${receiver.url}/some`, { eventTypes: ['ping', 'model.promoted'] })
    const other = await addEndpoint(`${receiver.url}/other`, { eventTypes: ['job.finished'] })
    const paused = await addEndpoint(`${receiver.url}/paused`, { isActive: false })
    events.push(promoted('1'))
    const sending = dispatcher()
    await step(sending)
    await step(sending)
    expect(receiver.received.map(({ path }) => path).sort()).toEqual(['/all', '/some'])
    for (const one of receiver.received) {
      const { secret } = one.path === '/all' ? all : some
      expect(verified(secret, one)).toEqual(promoted('1'))
      expect(() => verified(one.path === '/all' ? some.secret : all.secret, one)).toThrow(/No matching/)
      expect(one.headers).toMatchObject({
        'content-type': 'application/json',
        'webhook-id': expect.stringMatching(/^msg_/),
        'webhook-timestamp': String(Date.parse('2026-11-20T12:00:00Z') / 1000),
      })
    }
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    expect(await deliveries(all)).toMatchObject([
      { status: 'delivered', tries: 1, nextTryAt: null, last: { status: 204, problem: null } },
    ])
    expect([await deliveries(other), await deliveries(paused)]).toEqual([[], []])
  })

  it('of before the first endpoint is not sent, nor one of a time without any', async () => {
    const { addEndpoint, dispatcher, events, control } = await world()
    const receiver = await startReceiver()
    const sending = dispatcher()
    events.push(promoted('before'))
    const first = await addEndpoint(receiver.url)
    events.push(promoted('1'))
    await step(sending)
    await control.webhooks.endpoints.remove(first.id)
    events.push(promoted('between'))
    await step(sending)
    await addEndpoint(receiver.url)
    events.push(promoted('2'))
    await step(sending)
    expect(receiver.received.map(({ message }) => message.data.version)).toEqual(['1', '2'])
  })

  it('that happened while nobody was sending is sent later', async () => {
    const { addEndpoint, dispatcher, events } = await world()
    const receiver = await startReceiver()
    await addEndpoint(receiver.url)
    await step(dispatcher())
    events.push(promoted('1'), promoted('2'))
    await step(dispatcher({ clock: () => '2026-11-21T12:00:00Z' }))
    expect(receiver.received.map(({ message }) => message.data.version).sort()).toEqual(['1', '2'])
  })

  it('that cannot be sent keeps the others back neither before nor behind it', async () => {
    const made = await makeWorld()
    const receiver = await startReceiver()
    await made.addEndpoint(receiver.url)
    made.events.push(promoted('1'), promoted('x'.repeat(30_000)), promoted('2'))
    await step(made.dispatcher())
    expect(receiver.received.map(({ message }) => message.data.version).sort()).toEqual(['1', '2'])
    expect(made.errors.map(String)).toEqual([expect.stringMatching(/at most 20480 are sent/)])
  })

  it('is sent from other sources where one cannot be read, which is said once', async () => {
    const made = await makeWorld()
    const receiver = await startReceiver()
    await made.addEndpoint(receiver.url)
    const broken = {
      name: 'broken',
      present: () => Promise.reject(new Error('damaged')),
      read: () => Promise.reject(new Error('damaged')),
    }
    const sending = made.dispatcher({ sourcesOf: () => [broken, made.list] })
    made.events.push(promoted('1'))
    await step(sending)
    await step(sending)
    expect(receiver.received).toHaveLength(1)
    expect(made.errors.map(String)).toEqual(['Error: damaged'])
  })
})

describe('what does not get through', () => {
  it('is tried again later and later for three days, always under the same id, and then dead', async () => {
    const { addEndpoint, dispatcher, events, deliveries, later, control, now } = await world()
    const receiver = await startReceiver((response) => response.writeHead(500).end('no'))
    const endpoint = await addEndpoint(receiver.url)
    const begun = Date.parse(now())
    events.push(promoted('1'))
    const sending = dispatcher()
    for (let tries = 1; tries <= 11; tries++) {
      await step(sending)
      expect(receiver.received).toHaveLength(tries)
      const [{ nextTryAt }] = await deliveries(endpoint)
      if (nextTryAt === null) break
      later(Date.parse(nextTryAt) - Date.parse(now()) - 1)
      await step(sending)
      expect(receiver.received).toHaveLength(tries)
      later(1)
    }
    expect((Date.parse(now()) - begun) / day).toBeGreaterThan(3)
    expect(await deliveries(endpoint)).toMatchObject([
      { status: 'dead', tries: 11, last: { status: 500, problem: 'It answered 500.', excerpt: 'no' } },
    ])
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
    for (const one of receiver.received) expect(verified(endpoint.secret, one)).toEqual(promoted('1'))
    later(day)
    await step(sending)
    expect(receiver.received).toHaveLength(11)
    expect(await control.webhooks.deliveries.lengths()).toEqual({ pending: 0, dead: 1 })
    const found = await control.webhooks.deliveries.find(endpoint.id, 'msg_id3')
    expect(found?.attempts).toHaveLength(11)
  })

  it('is tried again when the receiver asks for it', async () => {
    const { addEndpoint, dispatcher, events, deliveries } = await world()
    const receiver = await startReceiver((response) =>
      response.writeHead(429, { 'retry-after': '600' }).end(),
    )
    const endpoint = await addEndpoint(receiver.url)
    events.push(promoted('1'))
    await step(dispatcher())
    expect(await deliveries(endpoint)).toMatchObject([{ nextTryAt: '2026-11-20T12:10:00.000Z' }])
  })

  it('is a redirect too', async () => {
    const { addEndpoint, dispatcher, events, deliveries } = await world()
    const other = await startReceiver()
    const receiver = await startReceiver((response) => response.writeHead(307, { location: other.url }).end())
    const endpoint = await addEndpoint(receiver.url)
    events.push(promoted('1'))
    await step(dispatcher())
    expect(await deliveries(endpoint)).toMatchObject([
      { status: 'pending', last: { status: 307, problem: 'It answered 307: redirects are not followed.' } },
    ])
    expect(other.received).toEqual([])
  })

  it('gets through in the end, and the endpoint counts as sound again', async () => {
    const { addEndpoint, dispatcher, events, deliveries, later, control } = await world()
    const receiver = await startReceiver(500)
    const endpoint = await addEndpoint(receiver.url)
    events.push(promoted('1'))
    const sending = dispatcher()
    await step(sending)
    const find = () => control.webhooks.endpoints.find(endpoint.id)
    expect((await find())?.failingSince).toBe('2026-11-20T12:00:00.000Z')
    receiver.reply = 200
    later(minute)
    await step(sending)
    expect(await deliveries(endpoint)).toMatchObject([{ status: 'delivered', tries: 2 }])
    expect(await find()).toMatchObject({ isActive: true, failingSince: null })
  })

  it('is given up with the endpoint where that answers 410', async () => {
    const { addEndpoint, dispatcher, events, deliveries, control, later } = await world()
    const receiver = await startReceiver((response, { message }) =>
      response.writeHead(message.data.version === '4' ? 410 : 500).end(),
    )
    const endpoint = await addEndpoint(receiver.url)
    const sending = dispatcher()
    events.push(promoted('1'), promoted('2'))
    await step(sending)
    events.push(promoted('4'))
    await step(sending)
    events.push(promoted('5'))
    later(day)
    await step(sending)
    expect(receiver.received.map(({ message }) => message.data.version).sort()).toEqual(['1', '2', '4'])
    expect(await control.webhooks.endpoints.find(endpoint.id)).toMatchObject({
      ...{ isActive: false, disabledAt: '2026-11-20T12:00:00.000Z' },
      disabledReason: expect.stringMatching(/410 \(Gone\)/),
    })
    const all = await deliveries(endpoint)
    expect(all.map(({ status }) => status)).toEqual(['dead', 'dead', 'dead'])
  })

  it('for five days and nothing else disables the endpoint, and something that gets through does not', async () => {
    const { addEndpoint, dispatcher, events, control, later } = await world()
    const receiver = await startReceiver((response, { path }) =>
      response.writeHead(path === '/good' && receiver.received.length % 2 === 0 ? 200 : 500).end(),
    )
    const bad = await addEndpoint(`${receiver.url}/bad`)
    const good = await addEndpoint(`${receiver.url}/good`)
    const sending = dispatcher()
    for (let hours = 0; hours < 5 * 24; hours += 4) {
      events.push(promoted(String(hours)))
      await step(sending)
      later(4 * hour)
    }
    const find = (id: string) => control.webhooks.endpoints.find(id)
    expect(await find(bad.id)).toMatchObject({ isActive: true })
    await step(sending)
    expect(await find(bad.id)).toMatchObject({
      isActive: false,
      disabledReason: expect.stringMatching(
        /^Nothing has got through since 2026-11-20T12:00:00.000Z. Last: It answered 500/,
      ),
    })
    expect(await find(good.id)).toMatchObject({ isActive: true, disabledReason: null })
  })

  it('is dead, and is sent again with its id when it is replayed', async () => {
    const { addEndpoint, dispatcher, events, deliveries, control, later, now } = await world()
    const receiver = await startReceiver(410)
    const endpoint = await addEndpoint(receiver.url)
    events.push(promoted('1'))
    const sending = dispatcher()
    await step(sending)
    later(day)
    await control.webhooks.endpoints.change(endpoint.id, { isActive: true, at: now() })
    events.push(promoted('2'))
    await step(sending)
    await control.webhooks.endpoints.change(endpoint.id, { isActive: true, at: now() })
    receiver.reply = 200
    const replay = { replay: { since: '2026-11-21T00:00:00.000Z' }, at: now() }
    expect(await control.webhooks.deliveries.replay(endpoint.id, replay)).toBe(1)
    await step(sending)
    expect((await deliveries(endpoint)).map(({ status, tries }) => [status, tries])).toEqual([
      ['dead', 1],
      ['delivered', 1],
    ])
    const [{ messageId }] = await deliveries(endpoint)
    const one = { replay: { messageIds: [messageId] }, at: now() }
    expect(await control.webhooks.deliveries.replay(endpoint.id, one)).toBe(1)
    await step(sending)
    const sent = receiver.received.map(({ headers, message }) => [
      headers['webhook-id'],
      message.data.version,
    ])
    expect(sent.map(([, version]) => version)).toEqual(['1', '2', '2', '1'])
    expect([sent[3][0], sent[2][0]]).toEqual([sent[0][0], sent[1][0]])
    expect((await control.webhooks.deliveries.find(endpoint.id, messageId))?.attempts).toHaveLength(2)
  })
})

describe('an endpoint', () => {
  it('that is slow holds up no other, and gets few messages at a time', async () => {
    const { addEndpoint, dispatcher, events, deliveries } = await world()
    const held: (() => void)[] = []
    const slow = await startReceiver((response) => held.push(() => response.writeHead(200).end()))
    const quick = await startReceiver()
    const [one, other] = [await addEndpoint(slow.url), await addEndpoint(quick.url)]
    for (let n = 0; n < 9; n++) events.push(promoted(String(n)))
    const sending = dispatcher()
    const delivered = async () =>
      (await deliveries(other)).filter(({ status }) => status === 'delivered').length
    await sending.tick()
    await slow.first(3)
    const turn = async () => {
      await sending.tick()
      await setImmediate()
    }
    while ((await delivered()) < 9) await turn()
    expect([quick.received.length, slow.received.length]).toEqual([9, 3])
    expect((await deliveries(one)).every(({ status }) => status === 'pending')).toBe(true)
    while (slow.received.length < 9 || held.length > 0) {
      for (const answer of held.splice(0)) answer()
      await turn()
    }
    await sending.settle()
    expect((await deliveries(one)).every(({ status }) => status === 'delivered')).toBe(true)
  })

  it('that is paused keeps what waits for it until it is switched on', async () => {
    const { addEndpoint, dispatcher, events, control, later, now } = await world()
    const receiver = await startReceiver(500)
    const endpoint = await addEndpoint(receiver.url)
    events.push(promoted('1'))
    const sending = dispatcher()
    await step(sending)
    receiver.reply = 200
    await control.webhooks.endpoints.change(endpoint.id, { isActive: false, at: now() })
    later(hour)
    events.push(promoted('while it was paused'))
    await step(sending)
    expect(receiver.received).toHaveLength(1)
    await control.webhooks.endpoints.change(endpoint.id, { isActive: true, at: now() })
    await step(sending)
    expect(receiver.received.map(({ message }) => message.data.version)).toEqual(['1', '1'])
  })

  it('with a new secret gets both signatures for a day, then only the new one', async () => {
    const { addEndpoint, dispatcher, events, control, later, now } = await world()
    const receiver = await startReceiver()
    const { id, secret: old } = await addEndpoint(receiver.url)
    const secret = `whsec_${Buffer.from('another secret of thirty-two byt').toString('base64')}`
    const previousUntil = new Date(Date.parse(now()) + day).toISOString()
    await control.webhooks.endpoints.rotate(id, { secret, at: now(), previousUntil })
    const sending = dispatcher()
    const next = async (wait: number) => {
      later(wait)
      events.push(promoted(now()))
      await step(sending)
      return receiver.received[receiver.received.length - 1]
    }
    const first = await next(day - second)
    expect(verified(old, first)).toEqual(verified(secret, first))
    expect(String(first.headers['webhook-signature']).split(' ')).toHaveLength(2)
    const second_ = await next(second)
    expect(verified(secret, second_)).toMatchObject({ type: 'model.promoted' })
    expect(() => verified(old, second_)).toThrow(/No matching/)
  })
})

describe('what was sent', () => {
  it('is kept for 30 days', async () => {
    const { addEndpoint, dispatcher, events, deliveries, later } = await world()
    const receiver = await startReceiver()
    const endpoint = await addEndpoint(receiver.url)
    events.push(promoted('1'))
    const sending = dispatcher()
    await step(sending)
    later(29 * day)
    events.push(promoted('2'))
    await step(sending)
    expect(await deliveries(endpoint)).toHaveLength(2)
    later(2 * day)
    await step(sending)
    expect(await deliveries(endpoint)).toHaveLength(1)
  })
})
