import { setImmediate } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { day, hour, makeSoundWorld, makeWorld, promoted, second, step } from './dispatching.ts'
import { startReceiver, verified } from './receiver.ts'

describe('an event', () => {
  it('is sent once to every endpoint that wants its type, signed, with an id of its own', async () => {
    const { addEndpoint, dispatcher, events, deliveries } = await makeSoundWorld()
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
    const { addEndpoint, dispatcher, events, control } = await makeSoundWorld()
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
    const { addEndpoint, dispatcher, events } = await makeSoundWorld()
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

describe('an endpoint', () => {
  it('that is slow holds up no other, and gets few messages at a time', async () => {
    const { addEndpoint, dispatcher, events, deliveries } = await makeSoundWorld()
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
    const { addEndpoint, dispatcher, events, control, later, now } = await makeSoundWorld()
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
    const { addEndpoint, dispatcher, events, control, later, now } = await makeSoundWorld()
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
    const { addEndpoint, dispatcher, events, deliveries, later } = await makeSoundWorld()
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
