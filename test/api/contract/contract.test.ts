import { gunzipSync, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { Agent } from 'undici'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { compiledServer } from '../compiled-server.ts'
import { key, type Served, serveMade } from '../served.ts'
import { makeExampleCompany, type TrainedCompany, trainedDays } from '../trained-company.ts'
import { AnswerCheck, type Got } from './answers.ts'
import { type ApiDocument, type Operation, operationsOf } from './document.ts'
import { Known } from './known.ts'
import { asCurl, type Plan, requestsFor, type Sent } from './requests.ts'
import { SchemaValues } from './values.ts'

const total = Number(process.env.CONTRACT_REQUESTS ?? 1_000)
const seed = Number(process.env.CONTRACT_SEED ?? 1)

/** What takes long is asked less often: operation → one of so many of its turns. */
const slow: Readonly<Record<string, number>> = { askWhatIf: 4, answerScenario: 4, rescoreCustomer: 4 }

let company: TrainedCompany
let served: Served
let document: ApiDocument
const agent = new Agent({ connections: 1, keepAliveTimeout: 60_000 })
beforeAll(async () => {
  company = await makeExampleCompany()
  const webhooks = { isSending: false, allow: ['crm.example.com'] }
  // Runs that only wait: a hundred trainings would show no more of the answers.
  const words = [process.execPath, '-e', 'setTimeout(() => {}, 2000)']
  const runCommand = { words, options: [], programFiles: new Map([['my-shop', '']]) }
  served = await serveMade(company, [], { start: await compiledServer(), webhooks, runCommand })
  document = (await served.ask('/openapi.json', { key: null })).body
})
afterAll(async () => {
  await agent.close()
  await served.close()
  await company.remove()
})

async function send({ method, path, headers, body }: Sent): Promise<Got> {
  const options = { origin: new URL(served.url).origin, path, method: method as 'GET', headers, body }
  const { statusCode: status, headers: got, body: stream } = await agent.request(options)
  const bytes = Buffer.from(await stream.arrayBuffer())
  const decode = decoders[String(got['content-encoding'])] ?? ((plain: Buffer) => plain)
  return { status, headers: got, bytes: bytes.length === 0 ? bytes : decode(bytes) }
}

const decoders: Readonly<Record<string, (bytes: Buffer) => Buffer>> = {
  gzip: gunzipSync,
  deflate: inflateSync,
}

function jsonOf({ bytes, headers }: Got): unknown {
  return String(headers['content-type']).startsWith('application/json')
    ? JSON.parse(bytes.toString('utf8'))
    : null
}

/** Requests in turns: each operation has one a turn, slow ones now and then. */
function* turns(operations: readonly Operation[]): Generator<[Operation, Plan]> {
  const values = new SchemaValues(document.components.schemas)
  const rounds = Math.ceil((total / operations.length) * 1.06) + 1
  const plans = operations.map((operation, index) => {
    const count = Math.ceil(rounds / (slow[operation.operationId] ?? 1))
    return fc.sample(requestsFor(operation, values, key), { numRuns: count, seed: seed * 1000 + index })
  })
  for (let round = 0; round < rounds; round++)
    for (const [index, operation] of operations.entries()) {
      const every = slow[operation.operationId] ?? 1
      if (round % every === 0) yield [operation, plans[index][round / every]]
    }
}

it(`keeps what its document says in ${total} requests`, { timeout: 3_600_000 }, async () => {
  const operations = operationsOf(document)
  const known = new Known(operations, {
    ...{ program: ['my-shop'], name: ['survey'], date: trainedDays, since: trainedDays },
  })
  const check = new AnswerCheck(document)
  const counts = new Map<string, number>()
  const times = new Map<string, number>()
  const wrong = new Map<string, string>()
  /** With a result at least once. */
  const answered = new Set<string>()
  let sentSoFar = 0
  for (const [operation, plan] of turns(operations)) {
    if (sentSoFar++ >= total) break
    const sent = plan(known)
    const begun = performance.now()
    const got = await send(sent)
    times.set(operation.operationId, (times.get(operation.operationId) ?? 0) + performance.now() - begun)
    if (process.env.CONTRACT_COUNTS) {
      const name = `${operation.operationId} ${got.status}`
      counts.set(name, (counts.get(name) ?? 0) + 1)
    } else counts.set(String(got.status), (counts.get(String(got.status)) ?? 0) + 1)
    if (got.status < 300) answered.add(operation.operationId)
    known.learn(operation.path, got.headers, jsonOf(got))
    const reason = check.findWrong(operation, sent, got)
    const name = `${operation.operationId}: ${reason}`
    if (reason !== null && !wrong.has(name))
      wrong.set(name, `${name}\n${asCurl(served.url, sent)}\n${got.bytes.toString('utf8').slice(0, 500)}\n`)
  }
  const lines = [...counts].sort(([a], [b]) => a.localeCompare(b)).map((pair) => pair.join(': '))
  console.log(
    `${sentSoFar} requests to ${operations.length} operations. ${lines.join(process.env.CONTRACT_COUNTS ? '\n' : ', ')}`,
  )
  if (process.env.CONTRACT_COUNTS) console.log([...times].sort((a, b) => b[1] - a[1]).slice(0, 12))
  expect([...wrong.values()].join('\n')).toBe('')
  if (total >= 10_000) expect(operations.filter(({ operationId }) => !answered.has(operationId))).toEqual([])
})
