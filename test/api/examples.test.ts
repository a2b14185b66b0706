import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { examplesFile, type RecordedExamples, readExamples } from '../../src/api/document-examples.ts'
import { startReceiver } from '../engage/receiver.ts'
import { AnswerCheck } from './contract/answers.ts'
import { type ApiDocument, examplesOf, operationsOf } from './contract/document.ts'
import { recordExamples } from './recording.ts'
import { type Served, serveMade } from './served.ts'
import { makeExampleCompany, type TrainedCompany, trainedDays } from './trained-company.ts'

let company: TrainedCompany
let served: Served
let document: ApiDocument
beforeAll(async () => {
  company = await makeExampleCompany()
  served = await serveMade(company)
  document = (await served.ask('/openapi.json', { key: null })).body
})
afterAll(async () => {
  await served.close()
  await company.remove()
})

it('has examples of all that is sent and answered, which its schemas allow', () => {
  const check = new AnswerCheck(document)
  const lacking: string[] = []
  for (const operation of operationsOf(document)) {
    const { operationId, parameters = [], requestBody, responses } = operation
    for (const { name, schema, ...given } of parameters)
      if (
        [schema.enum, schema.default, examplesOf({ schema, ...given })[0]].every((one) => one === undefined)
      )
        lacking.push(`${operationId}: parameter ${name}`)
    for (const [type, media] of Object.entries(requestBody?.content ?? {}))
      if (examplesOf(media).length === 0) lacking.push(`${operationId}: body ${type}`)
    for (const [status, { content = {} }] of Object.entries(responses))
      for (const [type, { example, examples }] of Object.entries(content)) {
        if (/parquet$/.test(type)) continue
        if (example === undefined && examples === undefined) lacking.push(`${operationId}: ${status} ${type}`)
        const wrong = example === undefined ? null : check.wrongExample(operation, { status, type, example })
        expect(wrong, `${operationId} ${status}`).toBeNull()
      }
  }
  expect(lacking).toEqual([])
})

/** EXAMPLES=record writes them anew. */
it('are as the API answers', { timeout: 300_000 }, async () => {
  const { url: receiver } = await startReceiver()
  const { predictions } = await served.read('/v1/programs/my-shop/predictions?limit=1')
  const place = { receiver, days: trainedDays, customer_id: predictions[0].customer_id }
  const recorded: RecordedExamples = await recordExamples(served, document, place)
  if (process.env.EXAMPLES === 'record')
    await writeFile(examplesFile, `${JSON.stringify(recorded, null, 2)}\n`)
  expect(shapeOf(readExamples())).toEqual(shapeOf(recorded))
})

/** Names without values: those differ from machine to machine. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf)
  if (value === null || typeof value !== 'object') return null
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shapeOf(one)]))
}
