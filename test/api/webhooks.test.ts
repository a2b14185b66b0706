import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { WebhookDesk } from '../../src/api/webhook-desk.ts'
import { openControl } from '../../src/control/control.ts'
import { Registry } from '../../src/model/registry.ts'
import { type Received, startReceiver, verified } from '../engage/receiver.ts'
import { makeLastingProgram, makeProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { type Answer, problem, type Served, serveMade, webhookSettings } from './served.ts'

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

describe('a question that was answered in the background', () => {
  it('is told of', async () => {
    const receiver = await startReceiver()
    const { secret } = await add({ url: receiver.url, event_types: ['job.finished'] })
    const { jobs, close } = await openControl(made.dataFolder, made.program)
    await jobs.add({ id: 'asked', question: {}, scenarioId: null, createdAt: '2026-11-20T12:00:00Z' })
    await jobs.finish('asked', { at: '2026-11-20T12:05:00Z', json: '{}' })
    await close()
    const [received] = await receiver.first(1)
    expect(verified(secret, received)).toEqual({
      type: 'job.finished',
      timestamp: '2026-11-20T12:05:00Z',
      data: { program: 'test', job_id: 'asked', status: 'done', scenario_id: null },
    })
  })
})

describe('a server', () => {
  it('that is told not to send keeps what another one sends, and both know how much waits', async () => {
    const other = await makeProgram({ yaml: madeYaml })
    const quiet = await serveMade(other, [], { webhooks: { isSending: false } })
    const receiver = await startReceiver()
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ url: receiver.url })
    const { id } = (await quiet.ask(path, { method: 'POST', headers, body })).body
    await quiet.ask(`${path}/${id}/test`, { method: 'POST' })
    const { deliveries } = await quiet.read(`${path}/${id}/deliveries`)
    expect(deliveries).toMatchObject([{ status: 'pending', tries: 0 }])
    await quiet.close()
    const control = await openControl(other.dataFolder, other.program)
    const desk = new WebhookDesk({
      ...{ ...other, programs: [other.program], control: async () => control },
      ...{ settings: webhookSettings, clock: () => '2026-11-20T12:00:00Z', makeId: () => 'x' },
      onError: (error) => {
        throw error
      },
    })
    expect(Object.fromEntries(await desk.queueLengths())).toMatchObject({ test: { pending: 1, dead: 0 } })
    await desk.close()
    await control.close()
    expect(receiver.received).toEqual([])
    const sending = await serveMade(other)
    expect(await receiver.first(1)).toMatchObject([{ message: { type: 'ping' } }])
    await sending.close()
  })
})

async function publishVersion(version: string): Promise<void> {
  const registry = new Registry(made.modelsFolder, 'test')
  await registry.publish(version, { 'card.json': '{}' })
  await registry.promote(version, { at: '2026-11-20T13:00:00Z', reason: 'passed the gate' })
}
