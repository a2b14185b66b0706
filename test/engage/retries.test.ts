import { describe, expect, it } from 'vitest'
import { day, hour, makeSoundWorld, minute, promoted, step } from './dispatching.ts'
import { startReceiver, verified } from './receiver.ts'

describe('what does not get through', () => {
  it('is tried again later and later for three days, always under the same id, and then dead', async () => {
    const { addEndpoint, dispatcher, events, deliveries, later, control, now } = await makeSoundWorld()
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
    const { addEndpoint, dispatcher, events, deliveries } = await makeSoundWorld()
    const receiver = await startReceiver((response) =>
      response.writeHead(429, { 'retry-after': '600' }).end(),
    )
    const endpoint = await addEndpoint(receiver.url)
    events.push(promoted('1'))
    await step(dispatcher())
    expect(await deliveries(endpoint)).toMatchObject([{ nextTryAt: '2026-11-20T12:10:00.000Z' }])
  })

  it('is a redirect too', async () => {
    const { addEndpoint, dispatcher, events, deliveries } = await makeSoundWorld()
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
    const { addEndpoint, dispatcher, events, deliveries, later, control } = await makeSoundWorld()
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
    const { addEndpoint, dispatcher, events, deliveries, control, later } = await makeSoundWorld()
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
    const { addEndpoint, dispatcher, events, control, later } = await makeSoundWorld()
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
    const { addEndpoint, dispatcher, events, deliveries, control, later, now } = await makeSoundWorld()
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
