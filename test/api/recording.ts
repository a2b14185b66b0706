import { setTimeout as pause } from 'node:timers/promises'
import type { RecordedExample } from '../../src/api/document-examples.ts'
import { type ApiDocument, type Operation, operationsOf, type Parameter } from './contract/document.ts'
import type { Asking, Served } from './served.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers of all shapes
type Any = any
/** A text goes out as it is, anything else as JSON. */
interface Asked extends Pick<RecordedExample, 'parameters'> {
  readonly body?: unknown
  /** @default 'application/json' */
  readonly type?: string
  readonly accept?: string
}
type Ask = (operationId: string, asked?: Asked) => Promise<Any>

/** The most entries that an example shows of a list. */
const mostEntries = 2
const shownReceiver = 'https://crm.example.com'
const program = 'my-shop'
const where = 'annual_value:above:300'
const question = {
  name: 'A third fewer tickets',
  changes: [{ events: 'ticket', remove: 0.3333 }],
}

interface Place {
  /** Where webhooks are sent. */
  readonly receiver: string
  /** That have predictions. */
  readonly days: readonly string[]
  /** Who is predicted on the last of them. */
  readonly customer_id: string
}

/** Asks every operation, in an order in which each finds what it needs. */
const sessions: readonly ((ask: Ask, place: Place) => Promise<void>)[] = [
  ...[askForms, readDays, askQuestions, keepScenarios, startRuns, manageKeys],
  ...[sendRows, sendDocuments, manageWebhooks, watch],
]

/** Operation → what it was asked, and its answers. Lists are cut short, and what differs from run to run is made the same. */
export async function recordExamples(
  served: Served,
  document: ApiDocument,
  place: Place,
): Promise<Record<string, RecordedExample>> {
  const operations = new Map(operationsOf(document).map((operation) => [operation.operationId, operation]))
  const recorded: Record<string, RecordedExample> = {}
  const ask: Ask = async (operationId, asked = {}) => {
    const operation = operations.get(operationId)
    if (operation === undefined) throw new Error(`${operationId} is no operation`)
    const request = requestOf(operation, asked)
    let answer = await served.ask(...request)
    for (; answer.status === 503; answer = await served.ask(...request)) await pause(200)
    const { status, headers, text, body } = answer
    if (status >= 300) throw new Error(`${operationId} was answered with ${status}: ${text}`)
    const type = String(headers.get('content-type')).split(';', 1)[0]
    const isJson = body !== undefined && type === 'application/json'
    const example = isJson ? (shortened(body) as object) : linesOf(text, type)
    recorded[operationId] = added(recorded[operationId], asked, { status, type, example })
    return body
  }
  for (const session of sessions) await session(ask, place)
  return JSON.parse(JSON.stringify(recorded).replaceAll(place.receiver, shownReceiver))
}

interface Shown {
  readonly status: number
  readonly type: string
  readonly example: unknown
}

/** An example with one more request, of which the first tells the parameters. */
function added(
  { parameters, bodies, answers }: RecordedExample = {},
  asked: Asked,
  shown: Shown,
): RecordedExample {
  const { body, type = 'application/json' } = asked
  const own = parameters ?? asked.parameters
  return {
    ...(own && { parameters: own }),
    ...((bodies ?? body !== undefined) && {
      bodies: { ...(body !== undefined && { [type]: body }), ...bodies },
    }),
    answers: {
      ...answers,
      ...(shown.example !== undefined && {
        [shown.status]: { ...answers?.[shown.status], [shown.type]: shown.example },
      }),
    },
  }
}

function requestOf(
  operation: Operation,
  { parameters = {}, body, accept, type = 'application/json' }: Asked,
): [string, Asking] {
  const named = (place: Parameter['in']) =>
    (operation.parameters ?? [])
      .filter((one) => one.in === place && parameters[one.name] !== undefined)
      .map(({ name }): [string, string] => [name, String(parameters[name])])
  const path = named('path').reduce(
    (whole, [name, value]) => whole.replace(`{${name}}`, value),
    operation.path,
  )
  const query = new URLSearchParams(named('query'))
  return [
    `${path}${query.size === 0 ? '' : `?${query}`}`,
    {
      method: operation.method,
      headers: {
        ...Object.fromEntries(named('header')),
        ...(accept !== undefined && { accept }),
        ...(body !== undefined && { 'content-type': type }),
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    },
  ]
}

function shortened(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, mostEntries).map(shortened)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shortened(one)]))
}

/** The first lines of a text; undefined where there is no text. */
function linesOf(text: string, type: string): string | undefined {
  if (type.endsWith('parquet') || text === '') return undefined
  const most = type === 'text/plain' ? 12 : mostEntries + 1
  return `${text.split('\n').slice(0, most).join('\n').trimEnd()}\n`
}

async function askForms(ask: Ask): Promise<void> {
  await ask('readMe')
  await ask('listPrograms')
  await ask('readSummary', { parameters: { program } })
  await ask('readGroupSummary', { parameters: { program, by: 'plan' } })
  await ask('listModels', { parameters: { program } })
}

async function readDays(ask: Ask, { days: [since], customer_id }: Place): Promise<void> {
  await ask('listPredictions', { parameters: { program, where, limit: 2 } })
  for (const accept of ['application/x-ndjson', 'text/csv'])
    await ask('listPredictions', { parameters: { program, where, limit: 2 }, accept })
  for (const suffix of ['Csv', 'Ndjson', 'Parquet'])
    await ask(`pullPredictions${suffix}`, { parameters: { program, where, limit: 2 } })
  await ask('listChanges', { parameters: { program, since, limit: 2 } })
  await ask('pullChangesNdjson', { parameters: { program, since } })
  await ask('pullDriversNdjson', { parameters: { program, outcome: 'churn' } })
  await ask('readPrediction', { parameters: { program, customer_id } })
  await ask('readHistory', { parameters: { program, customer_id, days: 90 } })
  await ask('readNextAction', { parameters: { program, customer_id } })
}

async function askQuestions(ask: Ask): Promise<void> {
  await ask('askWhatIf', { parameters: { program, 'idempotency-key': 'question-1' }, body: question })
  let job = await ask('askWhatIf', { parameters: { program, full: 'true' }, body: question })
  const parameters = { program, job_id: job.id }
  for (; job.finished_at === null; await pause(100)) job = await ask('readJob', { parameters })
  const { id: job_id } = await ask('retryJob', keyed('again-1', parameters))
  await ask('cancelJob', keyed('end-1', { program, job_id }))
}

function keyed(key: string, parameters: Record<string, string>): Asked {
  return { parameters: { ...parameters, 'idempotency-key': key } }
}

async function startRuns(ask: Ask, { days }: Place): Promise<void> {
  const body = { kind: 'daily', date: days.at(-1) }
  let run = await ask('startRun', { parameters: { program, 'idempotency-key': 'run-1' }, body })
  const parameters = { program, run_id: run.id }
  for (; run.finished_at === null; await pause(100)) run = await ask('readRun', { parameters })
  const { id: run_id } = await ask('retryRun', keyed('again-2', parameters))
  await ask('cancelRun', keyed('end-2', { program, run_id }))
  await ask('listRuns', { parameters: { program, kind: 'daily' } })
}

async function keepScenarios(ask: Ask): Promise<void> {
  const body = { name: question.name, question }
  const kept = { parameters: { program, 'idempotency-key': 'scenario-1' }, body }
  const { id: scenario_id } = await ask('saveScenario', kept)
  const parameters = { program, scenario_id }
  await ask('answerScenario', { parameters, body: {} })
  await ask('answerScenario', { parameters: { ...parameters, full: 'true' }, body: {} })
  await ask('readScenario', { parameters })
  await ask('listScenarios', { parameters: { program } })
  await ask('listAnswers', { parameters })
  await ask('removeScenario', { parameters })
}

async function manageKeys(ask: Ask): Promise<void> {
  const body = { name: 'Morning pull', role: 'crm', programs: [program], expires: '2027-11-20' }
  const { id: key_id } = await ask('makeKey', { body })
  await ask('readKey', { parameters: { key_id } })
  await ask('listKeys', { parameters: {} })
  await ask('revokeKey', { parameters: { key_id } })
}

async function sendRows(ask: Ask, { customer_id }: Place): Promise<void> {
  const at = '2025-02-21T08:30:00Z'
  const rows: [operationId: string, row: Record<string, string | number>][] = [
    ['sendEvents', { customer_id, at, type: 'upgrade', value: 49.9, event_id: 'order-7781' }],
    ['sendCustomers', { customer_id, joined_at: '2024-03-01', annual_value: 480, plan: 'gold' }],
    ['sendResponses', { customer_id, at, metric: 'nps', score: 9, response_id: 'a-1' }],
    ['sendInterventions', { customer_id, at, initiative: 'loyalty-call', arm: 'called' }],
  ]
  for (const [index, [operationId, row]] of rows.entries()) {
    const parameters = { program, 'idempotency-key': `rows-${index}` }
    await ask(operationId, { parameters, body: [row] })
    const csv = [Object.keys(row), Object.values(row)].map((line) => line.join(','))
    await ask(operationId, { parameters: { program }, type: 'text/csv', body: `${csv.join('\n')}\n` })
    const ndjson = `${JSON.stringify(row)}\n`
    await ask(operationId, { parameters: { program }, type: 'application/x-ndjson', body: ndjson })
  }
  await ask('sendEvents', { parameters: { program }, body: [{ customer_id, type: 'ticket' }] })
  await ask('listQuarantine', { parameters: { program } })
  await ask('rescoreCustomer', { parameters: { program, customer_id }, body: {} })
}

async function sendDocuments(ask: Ask, { customer_id }: Place): Promise<void> {
  const at = '2025-02-21T08:30:00Z'
  const track = { userId: customer_id, event: 'login', timestamp: at, messageId: 'm-1' }
  const identify = { userId: customer_id, traits: { plan: 'gold' }, timestamp: at, messageId: 'm-2' }
  const asked = (key: string, body: object) => ({ parameters: { program, 'idempotency-key': key }, body })
  await ask('segmentTrack', asked('call-1', track))
  await ask('segmentIdentify', asked('call-2', identify))
  const batch = [{ ...track, type: 'track', messageId: 'm-3' }]
  await ask('segmentBatch', asked('call-3', { batch }))
  const answer = { answer: { id: 'r-5512', at, score: 9 }, contact: { external_id: customer_id } }
  await ask('postDocument', {
    parameters: { program, name: 'survey', 'idempotency-key': 'r-5512' },
    body: answer,
  })
}

async function manageWebhooks(ask: Ask, { receiver: url }: Place): Promise<void> {
  const event_types = ['prediction.day_ready', 'customer.shifted']
  const { id: webhook_id } = await ask('addWebhook', {
    parameters: { program },
    body: { url, event_types, description: 'Morning pull' },
  })
  const parameters = { program, webhook_id }
  await ask('listWebhooks', { parameters: { program } })
  await ask('readWebhook', { parameters })
  await ask('changeWebhook', { parameters, body: { event_types: ['prediction.day_ready'] } })
  let sent = await ask('testWebhook', { parameters })
  const ofMessage = { ...parameters, message_id: sent.message_id }
  for (; sent.finished_at === null; await pause(20))
    sent = await ask('readWebhookDelivery', { parameters: ofMessage })
  await ask('listWebhookDeliveries', { parameters })
  await ask('replayWebhookDeliveries', { parameters, body: { since: '2026-11-19T00:00:00Z' } })
  await ask('rotateWebhookSecret', { parameters })
  await ask('removeWebhook', { parameters })
}

async function watch(ask: Ask): Promise<void> {
  await ask('listAudit', { parameters: { program, since: '2026-11-01T00:00:00Z' } })
  await ask('readHealth')
  await ask('readReadiness')
  await ask('readMetrics')
}
