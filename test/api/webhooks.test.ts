import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { Registry } from '../../src/model/registry.ts'
import { type Received, startReceiver, verified } from '../engage/receiver.ts'
import { makeLastingProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { type Answer, problem, type Served, serveMade } from './served.ts'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  served = await serveMade(made)
})
afterAll(async () => {
  await served.close()
  await made.remove()
})

const path = '/v1/programs/test/webhooks'

function send(method: string, at: string, body?: unknown): Promise<Answer> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  return served.ask(at, { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) })
}

/** A webhook, gone when the test is. */
async function add(body: object): Promise<Answer['body']> {
  const { status, body: added, text } = await send('POST', path, body)
  expect(status, text).toBe(201)
  onTestFinished(async () => {
    await send('DELETE', `${path}/${added.id}`)
  })
  return added
}

describe('a webhook', () => {
  it('is added, read, listed, changed and removed, and its secret is shown once', async () => {
    const { status, headers, body } = await send('POST', path, {
      url: 'https://127.0.0.1/hooks?a=1',
      event_types: ['model.promoted', 'model.promoted'],
      description: 'the CRM',
    })
    expect([status, headers.get('cache-control')]).toEqual([201, 'no-store'])
    const { secret, ...webhook } = body
    expect(Buffer.from(secret.replace(/^whsec_/, ''), 'base64')).toHaveLength(32)
    expect(headers.get('location')).toBe(`${path}/${webhook.id}`)
    expect(webhook).toEqual({
      ...{ id: webhook.id, url: 'https://127.0.0.1/hooks?a=1', event_types: ['model.promoted'] },
      ...{ description: 'the CRM', active: true, disabled_reason: null, disabled_at: null },
      ...{ failing_since: null, previous_secret_until: null },
      ...{ created_at: '2026-11-20T12:00:00.000Z', updated_at: '2026-11-20T12:00:00.000Z' },
    })
    expect(await served.read(`${path}/${webhook.id}`)).toEqual(webhook)
    expect((await served.read(path)).webhooks).toEqual([webhook])
    const changed = await send('PATCH', `${path}/${webhook.id}`, { active: false, event_types: ['*'] })
    expect(changed.body).toEqual({ ...webhook, active: false, event_types: ['*'] })
    expect((await send('DELETE', `${path}/${webhook.id}`)).status).toBe(204)
    for (const method of ['GET', 'DELETE'])
      expect((await send(method, `${path}/${webhook.id}`)).body).toMatchObject(
        problem('unknown-webhook', 404),
      )
    expect(served.log.join('')).not.toContain(secret)
  })

  it('hears of a day, of its replacement, and of another model, signed as Standard Webhooks has it', async () => {
    const receiver = await startReceiver()
    const { secret } = await add({ url: `${receiver.url}/hooks` })
    await publishDay(made, '2026-10-02', [madeRow('a'), madeRow('b', { status: 'abstained' })])
    await receiver.first(1)
    await publishDay(made, '2026-10-02', [madeRow('a')])
    await receiver.first(2)
    await publishVersion('2026-10-01-1')
    await receiver.first(3)
    const [first, second, third] = receiver.received.map((one) => verified(secret, one))
    expect(first).toMatchObject({
      type: 'prediction.day_ready',
      timestamp: '2026-11-20T12:00:00Z',
      data: {
        ...{ program: 'test', date: '2026-10-02', model_version: '2026-10-01-1' },
        ...{ customers: 2, predicted: 1, is_replaced: false },
      },
    })
    expect(second).toMatchObject({ data: { date: '2026-10-02', customers: 1, is_replaced: true } })
    expect(third).toEqual({
      type: 'model.promoted',
      timestamp: '2026-11-20T13:00:00Z',
      data: {
        ...{ program: 'test', version: '2026-10-01-1', previous: null },
        ...{ action: 'promote', reason: 'passed the gate' },
      },
    })
    const ids = receiver.received.map(({ headers }: Received) => headers['webhook-id'])
    expect(new Set(ids).size).toBe(3)
  })
})

async function publishVersion(version: string): Promise<void> {
  const registry = new Registry(made.modelsFolder, 'test')
  await registry.publish(version, { 'card.json': '{}' })
  await registry.promote(version, { at: '2026-11-20T13:00:00Z', reason: 'passed the gate' })
}
