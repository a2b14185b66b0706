import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeLastingProgram } from '../programs.ts'
import { madeYaml } from './made-predictions.ts'
import { type Served, serveMade } from './served.ts'

interface Operation {
  readonly operationId: string
  readonly summary: string
  readonly tags: string[]
  readonly security?: unknown[]
  readonly parameters?: { name: string; in: string; required?: boolean; description?: string }[]
  readonly responses: Record<string, { description: string; content: Record<string, { schema: unknown }> }>
}

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
// biome-ignore lint/suspicious/noExplicitAny: a document of any shape, whose shape is tested
let document: any
let operations: [path: string, operation: Operation][]
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  served = await serveMade(made)
  document = (await served.ask('/openapi.json', { key: null })).body
  operations = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(
    ([path, methods]) => Object.values(methods).map((operation): [string, Operation] => [path, operation]),
  )
})
afterAll(async () => {
  await served.close()
  await made.remove()
})

describe('the OpenAPI document', () => {
  it('is of version 3.1 and describes every address and what can be done there', () => {
    expect(document.openapi).toBe('3.1.0')
    const methods = Object.entries(document.paths as object).map(([path, possible]) => [
      path,
      Object.keys(possible).sort().join(' '),
    ])
    expect(Object.fromEntries(methods)).toEqual({
      '/healthz': 'get',
      '/metrics': 'get',
      '/readyz': 'get',
      '/v1/audit': 'get',
      '/v1/keys': 'get post',
      '/v1/keys/{key_id}': 'delete get',
      '/v1/me': 'get',
      '/v1/programs': 'get',
      '/v1/programs/{program}/changes': 'get',
      '/v1/programs/{program}/changes.ndjson': 'get',
      '/v1/programs/{program}/customers/{customer_id}/history': 'get',
      '/v1/programs/{program}/customers': 'post',
      '/v1/programs/{program}/customers/{customer_id}/next-action': 'get',
      '/v1/programs/{program}/customers/{customer_id}/prediction': 'get',
      '/v1/programs/{program}/customers/{customer_id}/rescore': 'post',
      '/v1/programs/{program}/drivers.ndjson': 'get',
      '/v1/programs/{program}/events': 'post',
      '/v1/programs/{program}/inbound/{name}': 'post',
      '/v1/programs/{program}/interventions': 'post',
      '/v1/programs/{program}/jobs/{job_id}': 'get',
      '/v1/programs/{program}/models': 'get',
      '/v1/programs/{program}/predictions': 'get',
      '/v1/programs/{program}/predictions.csv': 'get',
      '/v1/programs/{program}/predictions.ndjson': 'get',
      '/v1/programs/{program}/predictions.parquet': 'get',
      '/v1/programs/{program}/quarantine': 'get',
      '/v1/programs/{program}/responses': 'post',
      '/v1/programs/{program}/jobs/{job_id}/cancel': 'post',
      '/v1/programs/{program}/jobs/{job_id}/retry': 'post',
      '/v1/programs/{program}/runs': 'get post',
      '/v1/programs/{program}/runs/{run_id}': 'get',
      '/v1/programs/{program}/runs/{run_id}/cancel': 'post',
      '/v1/programs/{program}/runs/{run_id}/retry': 'post',
      '/v1/programs/{program}/scenarios': 'get post',
      '/v1/programs/{program}/scenarios/{scenario_id}': 'delete get',
      '/v1/programs/{program}/scenarios/{scenario_id}/answer': 'post',
      '/v1/programs/{program}/scenarios/{scenario_id}/answers': 'get',
      '/v1/programs/{program}/segment/batch': 'post',
      '/v1/programs/{program}/segment/identify': 'post',
      '/v1/programs/{program}/segment/track': 'post',
      '/v1/programs/{program}/summary': 'get',
      '/v1/programs/{program}/summary/groups': 'get',
      '/v1/programs/{program}/webhooks': 'get post',
      '/v1/programs/{program}/webhooks/{webhook_id}': 'delete get patch',
      '/v1/programs/{program}/webhooks/{webhook_id}/deliveries': 'get',
      '/v1/programs/{program}/webhooks/{webhook_id}/deliveries/{message_id}': 'get',
      '/v1/programs/{program}/webhooks/{webhook_id}/replay': 'post',
      '/v1/programs/{program}/webhooks/{webhook_id}/rotate-secret': 'post',
      '/v1/programs/{program}/webhooks/{webhook_id}/test': 'post',
      '/v1/programs/{program}/what-if': 'post',
    })
  })

  it('says of each what it does, in words, and has an id of its own', () => {
    for (const [path, { summary, tags }] of operations) {
      expect(summary, path).toMatch(/\w{3}/)
      expect(document.tags.map(({ name }: { name: string }) => name)).toEqual(expect.arrayContaining(tags))
    }
    const ids = operations.map(([, { operationId }]) => operationId)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('asks for a key where there must be one, and only there', () => {
    expect(document.components.securitySchemes.key).toMatchObject({ type: 'http', scheme: 'bearer' })
    expect(document.security).toEqual([{ key: [] }])
    for (const [path, { security }] of operations)
      expect(security, path).toEqual(/^\/(v1\/|metrics$)/.test(path) ? [{ key: [expect.any(String)] }] : [])
  })

  it('describes every parameter, and declares those of the path', () => {
    for (const [path, { parameters = [] }] of operations) {
      const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name)
      expect(inPath.sort(), path).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort())
      for (const { name, description } of parameters) expect(description, `${path} ${name}`).toMatch(/\w{3}/)
    }
  })

  it('has a result and problems for each address', () => {
    for (const [path, { responses }] of operations) {
      const results = Object.entries(responses).filter(([status]) => status < '300')
      expect(results.length, path).toBeGreaterThan(0)
      for (const [status, { content, description }] of results) {
        expect(description).toMatch(/\w{3}/)
        if (status !== '204') expect(Object.values(content as object)[0].schema, path).toBeDefined()
      }
      const failing = Object.entries(responses).filter(([status]) => status >= '400')
      if (path.startsWith('/v1/'))
        expect(failing.map(([status]) => status)).toEqual(
          expect.arrayContaining(['400', '401', '403', '429', '500', '503']),
        )
      for (const [, { description, content }] of failing) {
        expect(description).toMatch(/^`[a-z-]+`: /)
        expect(content['application/problem+json'].schema).toEqual({ $ref: '#/components/schemas/Problem' })
      }
    }
  })

  it('describes what is sent: questions of every form, and how they are kept', () => {
    const bodyOf = (path: string) =>
      document.paths[`/v1/programs/{program}/${path}`].post.requestBody.content['application/json'].schema
    const question = bodyOf('what-if')
    const forms = question.anyOf.flatMap(({ properties }: { properties: object }) => Object.keys(properties))
    expect(forms).toEqual(expect.arrayContaining(['population', 'changes', 'compare', 'sweep', 'goal']))
    const saved = bodyOf('scenarios')
    expect(saved.required).toEqual(expect.arrayContaining(['name']))
    expect(saved.properties.question.anyOf).toEqual(question.anyOf)
    expect(bodyOf('scenarios/{scenario_id}/answer').anyOf[0].properties.date.format).toBe('date')
  })

  it('describes the answers of what-if, and jobs', () => {
    const { responses } = document.paths['/v1/programs/{program}/what-if'].post
    const schemaOf = (status: number) => responses[status].content['application/json'].schema
    expect(schemaOf(200)).toEqual({ $ref: '#/components/schemas/WhatIfAnswer' })
    expect(schemaOf(202)).toEqual({ $ref: '#/components/schemas/Job' })
    expect(Object.keys(responses)).toEqual(
      expect.arrayContaining(['200', '202', '400', '401', '404', '413', '415', '422', '500', '503']),
    )
    const { ScenarioAnswer, Job } = document.components.schemas
    expect(ScenarioAnswer.required).toEqual(expect.arrayContaining(['support', 'difference', 'evidence']))
    const statuses = ['queued', 'running', 'done', 'failed', 'cancelled', 'interrupted']
    expect(Job.properties.status.enum).toEqual(statuses)
  })

  it('refers only to what it holds, and holds an example of a prediction', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)]
    const names = Object.keys(document.components.schemas)
    expect(names).toEqual(expect.arrayContaining(references.map(([, name]) => name)))
    expect(references.length).toBeGreaterThan(5)
    expect(document.components.schemas.Prediction.examples[0].customer_id).toBe('c101')
    expect(document.components.schemas.Prediction.additionalProperties).toEqual({ type: ['number', 'null'] })
  })
})
