import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it, onTestFinished } from 'vitest'
import { eventTypes, payloadOf, webhookEvent } from '../../src/engage/event-catalogue.ts'
import { startReceiver } from '../engage/receiver.ts'
import { makeProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { serveMade } from './served.ts'

describe('the OpenAPI document', () => {
  it('describes every event that is sent, and what is sent is as it says', async () => {
    const made = await makeProgram({ yaml: madeYaml })
    const served = await serveMade(made)
    onTestFinished(() => served.close())
    const { webhooks } = (await served.ask('/openapi.json', { key: null })).body
    expect(Object.keys(webhooks).sort()).toEqual([...eventTypes].sort())
    const receiver = await startReceiver()
    const headers = { 'content-type': 'application/json' }
    const body = JSON.stringify({ url: receiver.url })
    const path = '/v1/programs/test/webhooks'
    const added = await served.ask(path, { method: 'POST', headers, body })
    await publishDay(made, '2026-10-01', [madeRow('a')])
    await served.ask(`${path}/${added.body.id}/test`, { method: 'POST' })
    const received = await receiver.first(2)
    for (const { message, headers } of received) {
      const { post } = webhooks[message.type]
      const { schema } = post.requestBody.content['application/json']
      const isValid = new Ajv2020({ strict: false }).compile(schema)
      expect(isValid(message), JSON.stringify(isValid.errors)).toBe(true)
      expect(isValid({ ...message, data: {} })).toBe(false)
      for (const { name } of post.parameters) expect(headers).toHaveProperty(name)
      expect(post.summary).toMatch(/\w{3}/)
      expect(post.responses).toMatchObject({ '2XX': {}, '410': {}, default: {} })
    }
    const ids = Object.values(webhooks as Record<string, { post: { operationId: string } }>)
    expect(new Set(ids.map(({ post }) => post.operationId)).size).toBe(eventTypes.length)
  })
})

describe('an event', () => {
  it('is refused where it is not as the catalogue has it, or larger than 20 KiB', () => {
    const event = (reason: string) =>
      webhookEvent('model.promoted', '2026-11-20T12:00:00Z', {
        ...{ program: 'shop', version: '1', previous: null, action: 'promote', reason },
      })
    expect(JSON.parse(payloadOf(event('x')))).toEqual(event('x'))
    expect(() => payloadOf(event('é'.repeat(11_000)))).toThrow(/at most 20480 are sent/)
    expect(() => payloadOf({ ...event('x'), data: { program: 'shop' } })).toThrow(/not as it must be/)
  })
})
