import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import {
  type CrmSystem,
  crmFormats,
  crmSystems,
  type ExportFormat,
  type ExportShape,
  exportFormats,
} from '../engage/export-shapes.ts'
import { keyedMedia } from './answers.ts'
import { mediaTypes } from './asked-media.ts'
import { needs } from './caller.ts'
import { isHeld, sendUnchanged, tagOf } from './entity-tags.ts'
import type { ExportDesk } from './export-desk.ts'
import { readTest, refused, whoseQuery } from './field-tests.ts'
import { fieldsParameter, readFields } from './prediction-fields.ts'
import { programParams } from './prediction-schema.ts'
import { cursorOf, orderQuery, type Walk, walk, walkProblems } from './predictions.ts'
import type { ServedPrograms } from './programs.ts'
import type { DayReading, ServedProgram } from './served-program.ts'

const mostRows = 10_000_000
const limitWords = `is a whole number from 1 to ${mostRows}`
const { sort: _, ...walkQuery } = orderQuery

const bulkQuery = z.strictObject({
  ...walkQuery,
  ...whoseQuery,
  after: z
    .string()
    .max(512, 'is longer than 512 characters')
    .optional()
    .meta({
      description: 'Begin behind this customer_id: the last whole row that came before a break',
      examples: ['c101'],
    }),
  limit: z.coerce
    .number(limitWords)
    .int(limitWords)
    .min(1, limitWords)
    .max(mostRows, limitWords)
    .optional()
    .meta({
      description: 'Most rows; where more are left, the header loyalcast-next-cursor says where',
      examples: [100000],
    }),
  fields: fieldsParameter.meta({
    description:
      'Columns with commas between, each as `name` or, under another name, as `name:other`; all where left out',
    examples: ['customer_id,churn_90:churn_risk'],
  }),
  for: z
    .enum(crmSystems, `is one of ${crmSystems.join(', ')}`)
    .optional()
    .meta({
      description:
        'Rows as a CRM system takes them. hubspot (NDJSON): each line is the body of one batch of up to 100 contacts, with idProperty. salesforce (CSV): a file for Bulk API 2.0, where #N/A clears a field',
    }),
  id_field: z
    .string()
    .regex(/^[A-Za-z]\w{0,99}$/, 'is a name of letters, digits and _, up to 100')
    .optional()
    .meta({
      description: 'With `for`: the field that customers are found by there',
      examples: ['Loyalcast_Id__c'],
    }),
})
type BulkQuery = z.output<typeof bulkQuery>

interface Options {
  readonly programs: ServedPrograms
  readonly exports: ExportDesk
}

/** A whole day, or part of it, in one stream. */
export const bulkRoutes: FastifyPluginAsyncZod<Options> = async (app, { programs, exports }) => {
  for (const format of exportFormats) {
    const described = {
      tags: ['predictions'],
      summary: `The predictions of a day as ${format}`,
      description:
        'In the order of `customer_id`, streamed. `If-None-Match` with the last `ETag` gets 304 where nothing changed. After a break, send the same request with `cursor` from the header `loyalcast-cursor` and `after` with the last whole row: it goes on with the same day as it was, also where it is predicted again meanwhile.',
      security: needs('export'),
      params: programParams,
      querystring: bulkQuery,
      response: keyedMedia(mediaTypes[format], 'Rows', ...walkProblems, 'busy'),
    }
    const operationId = `pullPredictions${format[0].toUpperCase()}${format.slice(1)}`
    app.get(
      `/programs/:program/predictions.${format}`,
      { schema: { operationId, ...described } },
      async (request, reply) => {
        const { params, query } = request
        return pull(programs.find(params.program), { ...query, format }, { request, reply, exports })
      },
    )
    // The same for whoever asks by Accept at the address of the pages.
    app.get(
      '/programs/:program/predictions',
      { schema: { ...described, hide: true }, constraints: { media: format } },
      async (request, reply) => {
        reply.header('vary', 'accept')
        const { params, query } = request
        return pull(programs.find(params.program), { ...query, format }, { request, reply, exports })
      },
    )
  }
}

interface Exchange {
  readonly request: Pick<FastifyRequest, 'method' | 'headers'>
  readonly reply: FastifyReply
  readonly exports: ExportDesk
}

/** Sends rows in bulk. */
export function pull(
  served: ServedProgram,
  query: BulkQuery & { readonly format: ExportFormat },
  { request, reply, exports }: Exchange,
): Promise<FastifyReply> {
  const shape = shapeOf(served, query)
  return walk(served, query, async (reading, wish) => {
    const range = await findRange(reading, wish, query)
    const { program } = served
    reply.header('loyalcast-cursor', cursorOf({ program, wish, next: null }))
    if (range.next !== null)
      reply.header(
        'loyalcast-next-cursor',
        cursorOf({ program, wish, next: { row: range.next, value: null } }),
      )
    const { from, to } = range
    return sendRows(request, reply, {
      identity: [reading.mark, program.horizonsDays, program.outcomes, shape, wish.where, from, to],
      type: `${mediaTypes[shape.format]}${shape.format === 'parquet' ? '' : '; charset=utf-8'}`,
      name: `${program.name}-${wish.date}.${shape.format}`,
      open: () => openRows(reading, { range, shape, program, exports }),
    })
  })
}

export interface SentRows {
  /** Rows with the same identity are the same. */
  readonly identity: readonly unknown[]
  readonly type: string
  /** Of the file that a browser keeps. */
  readonly name: string
  readonly open: () => Promise<Readable>
}

/** Sends rows in one stream, or 304 to whoever has them. */
export async function sendRows(
  request: Pick<FastifyRequest, 'method' | 'headers'>,
  reply: FastifyReply,
  { identity, type, name, open }: SentRows,
): Promise<FastifyReply> {
  const tag = tagOf(JSON.stringify(identity))
  reply.header('etag', tag).header('cache-control', 'private, no-cache')
  if (isHeld(request.headers['if-none-match'], tag)) return sendUnchanged(reply)
  reply.type(type).header('content-disposition', `attachment; filename="${name}"`)
  return reply.send(request.method === 'HEAD' ? undefined : await open())
}

function shapeOf({ program }: ServedProgram, query: BulkQuery & { format: ExportFormat }): ExportShape {
  const crm: CrmSystem | null = query.for ?? null
  if (crm !== null && query.format !== crmFormats[crm])
    throw refused('for', `is ${crm}, which takes ${crmFormats[crm]}: ask for predictions.${crmFormats[crm]}`)
  if (crm === null && query.id_field !== undefined) throw refused('id_field', 'goes with for only')
  const fields = readFields(query.fields, program)
  return { format: query.format, crm, fields, idField: query.id_field ?? null }
}

/** Rows `from` up to and without `to` of a file, those of them that pass. */
interface Range {
  readonly where: Awaited<ReturnType<DayReading['where']>>
  readonly from: number
  readonly to: number | null
  /** The last row, where rows are left behind it. */
  readonly next: number | null
}

async function findRange(reading: DayReading, wish: Walk, { after, limit }: BulkQuery): Promise<Range> {
  const where = await reading.where(wish.where.map((text) => readTest(text, reading.fields)))
  const first = Math.max(
    wish.after === null ? 0 : wish.after.row + 1,
    after === undefined ? 0 : await reading.rows.after(after),
  )
  if (limit === undefined) return { where, from: first, to: null, next: null }
  const last = await reading.rows.nth({ where, from: first, count: limit })
  return { where, from: first, to: last === null ? null : last + 1, next: last }
}

interface RowsWish {
  readonly range: Range
  readonly shape: ExportShape
  readonly program: ServedProgram['program']
  readonly exports: ExportDesk
}

/** What is ready is sent as it is: whole rows as JSON, a whole day as Parquet. Everything else is written first. */
async function openRows(
  { file, lines }: DayReading,
  { range: { where, from, to: end }, shape, program, exports }: RowsWish,
): Promise<Readable> {
  const to = end ?? file.rows
  const isPlain = shape.crm === null && shape.fields === null && where === null
  if (lines !== null && isPlain && shape.format === 'ndjson')
    return Readable.from(lines.stream(Math.min(from, to), to), { objectMode: false })
  if (isPlain && shape.format === 'parquet' && from === 0 && to === file.rows)
    return createReadStream(file.path)
  return exports.open(file, { program, shape, where, from, to })
}
