import type { FastifyInstance } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { rowLimits } from '../domain/incoming-rows.ts'
import { type TableName, tableNames } from '../domain/program.ts'
import { tableShapes } from '../domain/tables.ts'
import type { Intake } from '../jobs/intake.ts'
import { mostRows, type RowFormat } from '../jobs/row-bodies.ts'
import { keyedAnswers } from './answers.ts'
import { needs } from './caller.ts'
import { idempotencyHeaders, idempotencyProblems } from './idempotency.ts'
import { programParams } from './prediction-schema.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import { RowReceiver, receivedSchema, takeRawBodies } from './receiving.ts'

/** Bytes of a request. */
export const longestRows = 16 * 1024 * 1024

const formats: Readonly<Record<string, RowFormat>> = {
  'application/json': 'json',
  'application/x-ndjson': 'ndjson',
  'text/csv': 'csv',
}

interface RowOptions {
  readonly programs: ServedPrograms
  readonly intake: Intake
}

/** Rows that are sent as they happen. */
export const rowRoutes: FastifyPluginAsyncZod<RowOptions> = async (app, { programs, intake }) => {
  takeRawBodies(app, Object.keys(formats), longestRows)
  const receiver = new RowReceiver(intake)
  for (const table of tableNames) rowRoute(app, { table, programs, receiver })
}

function rowRoute(
  app: FastifyInstance,
  { table, programs, receiver }: { table: TableName; programs: ServedPrograms; receiver: RowReceiver },
): void {
  app.post<{ Params: z.output<typeof programParams>; Body: Buffer }>(
    `/programs/:program/${table}`,
    {
      bodyLimit: longestRows,
      onRequest: receiver.enter,
      schema: {
        operationId: `send${table[0].toUpperCase()}${table.slice(1)}`,
        tags: ['rows'],
        security: needs('write'),
        summary: `Send ${table}`,
        description: describe(table),
        params: programParams,
        querystring: z.strictObject({}),
        headers: idempotencyHeaders,
        body: rowBody(table),
        consumes: Object.keys(formats),
        response: keyedAnswers('An answer for each row, in order', receivedSchema, ...rowProblems),
      },
    },
    async (request, reply) => {
      const { program } = programs.find(request.params.program)
      const format = formats[(request.headers['content-type'] ?? '').split(';', 1)[0].trim().toLowerCase()]
      if (format === undefined)
        throw new Problem('unsupported-media-type', `Rows are read as ${Object.keys(formats).join(', ')}.`)
      return receiver.receive(request, reply, { program, shape: { kind: 'rows', table, format } })
    },
  )
}

/** What any route that takes rows can answer beside the rows' answers. */
export const rowProblems = [
  'unknown-program',
  'body-too-large',
  'unsupported-media-type',
  ...idempotencyProblems,
  'busy',
  'inbox-full',
] as const

function describe(table: TableName): string {
  const { required, optional } = tableShapes[table]
  const others = table === 'customers' ? 'attributes' : 'properties'
  return `Columns: ${required.join(', ')}; and where known ${optional.join(', ')}. Everything else is taken as ${others}: up to ${rowLimits.properties} of them, each a text of up to ${rowLimits.textLength} characters, a number, true or false. Times are ISO 8601; without a zone they are in the program's timezone. Send one row, a list of rows or \`{"rows": […]}\` as JSON, a row a line as NDJSON, or CSV with a header; up to ${mostRows} rows and 16 MiB.

Every row is answered by itself, in order: \`accepted\` with the id it is known by, \`duplicate\` where the id came before, or \`quarantined\` with the reason; the status is 200 whatever the answers of the rows. What is accepted is on the disk, and counts from the next ingest or daily run on.${idWords[table]}`
}

const idWords: Readonly<Record<TableName, string>> = {
  events:
    ' Without an `event_id` a row is an event of its own, also where it equals another one, and is given an id.',
  responses: ' Without a `response_id` a row is an answer of its own, and is given an id.',
  interventions: ' Without an `intervention_id` a row is an intervention of its own, and is given an id.',
  customers:
    ' A row adds to what is known of the customer: what it does not say stays. Without `valid_from` the first row counts from joining, later ones from when they were sent.',
}

const examples: Readonly<Record<TableName, Record<string, unknown>>> = {
  events: {
    customer_id: 'c101',
    at: '2026-11-20T08:30:00Z',
    type: 'purchase',
    value: 49.9,
    event_id: 'order-7781',
    channel: 'web',
  },
  customers: { customer_id: 'c101', joined_at: '2024-03-01', annual_value: 480, plan: 'gold' },
  responses: { customer_id: 'c101', at: '2026-11-20T09:00:00Z', metric: 'nps', score: 9, response_id: 'a-1' },
  interventions: { customer_id: 'c101', at: '2026-11-20', initiative: 'loyalty-call', arm: 'called' },
}

/** Described, but not checked: each row is checked and answered by itself. */
function rowBody(table: TableName) {
  const row = { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean', 'null'] } }
  const rows = { type: 'array', items: row, maxItems: mostRows }
  return z.unknown().meta({
    description: 'One row, a list of rows, or a list under `rows`',
    anyOf: [
      row,
      rows,
      { type: 'object', properties: { rows }, required: ['rows'], additionalProperties: false },
    ],
    examples: [[examples[table]]],
  })
}
