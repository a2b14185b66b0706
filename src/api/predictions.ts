import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Program } from '../domain/program.ts'
import { longestPage, type PickedRow } from '../lake/read-predictions.ts'
import { keyedAnswers, sendText } from './answers.ts'
import { mediaTypes } from './asked-media.ts'
import { needs } from './caller.ts'
import { type Cursor, readCursor, writeCursor } from './cursor.ts'
import type { Line } from './day-rows.ts'
import { isHeld, sendUnchanged, tagOf } from './entity-tags.ts'
import { readOrder, readTest, testsOf, whoseQuery } from './field-tests.ts'
import { fieldsParameter, pickFields, readColumns } from './prediction-fields.ts'
import { daySchema, predictionSchema, programParams } from './prediction-schema.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import type { DayReading, ServedProgram } from './served-program.ts'

const limitWords = `is a whole number from 1 to ${longestPage}`

/** Query parameters that say in which order, and from where on. */
export const orderQuery = {
  date: daySchema.optional(),
  sort: z
    .string()
    .max(200)
    .optional()
    .meta({
      description:
        'customer_id (default), or a column of numbers: lowest first, with - before it highest first; missing ones last. churn alone is churn at the longest horizon',
      examples: ['-value_at_risk'],
    }),
  cursor: z
    .string()
    .min(1, 'is empty; leave it out for the first page')
    .max(12_000, 'is longer than any cursor')
    .optional()
    .meta({
      description: 'next_cursor of the page before; leave date, sort and conditions as they were, or out',
      examples: ['WyJwYWdlIiwibXktc2hvcCIsIjIwMjYtMTEtMjAiXQ'],
    }),
}

const pageQuery = z.strictObject({
  ...orderQuery,
  ...whoseQuery,
  fields: fieldsParameter.meta({
    description: 'Columns with commas between; all where left out',
    examples: ['customer_id,churn_90'],
  }),
  limit: z.coerce
    .number(limitWords)
    .int(limitWords)
    .min(1, limitWords)
    .max(longestPage, limitWords)
    .default(100)
    .meta({ description: 'Rows of a page' }),
})

const pageSchema = z
  .object({
    program: z.string(),
    date: daySchema,
    sort: z.string(),
    predictions: z.array(
      predictionSchema.partial().meta({
        id: 'PredictionFields',
        description: 'A Prediction, or the fields of it that were asked for',
      }),
    ),
    next_cursor: z.string().nullable().meta({ description: 'For the next page; null on the last' }),
  })
  .meta({ id: 'PredictionPage', description: 'Some of the predictions of a day' })

/** Problems of whatever walks over the rows of a day. */
export const walkProblems = ['invalid-cursor', 'unknown-program', 'no-predictions', 'cursor-expired'] as const

const paged = keyedAnswers('A page of predictions', pageSchema, ...walkProblems, 'busy')

/** By `Accept` the same address gives the whole day, as predictions.ndjson and the like do. */
const pageAnswers = {
  ...paged,
  200: {
    description:
      'A page of predictions; with `Accept` of another type the whole day, as `predictions.ndjson`, `.csv` and `.parquet` give it, for which the key needs the scope export',
    content: {
      'application/json': { schema: pageSchema },
      ...Object.fromEntries(Object.values(mediaTypes).map((type) => [type, { schema: z.string() }])),
    },
  },
}

/** The predictions of a day, page by page. All pages of a walk come from one file, whatever is published meanwhile. */
export const predictionRoutes: FastifyPluginAsyncZod<{ programs: ServedPrograms }> = async (
  app,
  { programs },
) => {
  app.get(
    '/programs/:program/predictions',
    {
      schema: {
        operationId: 'listPredictions',
        tags: ['predictions'],
        security: needs('read'),
        summary: 'The predictions of a day, page by page',
        description:
          'Of the latest day, or of `date`. Follow `next_cursor` until it is null: all pages show the day as it was when the first was read, also where it is predicted again meanwhile. A replaced day is kept for a day; then its cursors answer 410.',
        params: programParams,
        querystring: pageQuery,
        response: pageAnswers,
      },
    },
    async (request, reply) => {
      const { params, query } = request
      reply.header('vary', 'accept')
      const served = programs.find(params.program)
      const fields = readColumns(query.fields, served.program)
      return walk(served, query, async (reading, wish) => {
        const tag = tagOf(
          JSON.stringify([reading.mark, reading.lake.state.sequence, wish, query.limit, fields]),
        )
        reply.header('etag', tag)
        if (isHeld(request.headers['if-none-match'], tag)) return sendUnchanged(reply)
        const picked = await pickPage(reading, { ...wish, limit: query.limit })
        const lines = await reading.rows.read(picked.rows.map(({ row }) => row))
        const shown = fields === null ? lines : lines.map((line) => pickFields(line, fields))
        return sendPage(reply, shown, { program: served.program, wish, next: picked.next })
      })
    },
  )
}

/** What a walk is over. */
export interface Walk {
  readonly date: string
  readonly path: string
  readonly sort: string
  readonly where: readonly string[]
  readonly after: PickedRow | null
}

type WalkQuery = z.output<z.ZodObject<typeof orderQuery & typeof whoseQuery>>

/** Begins a walk or goes on with one. **Errors** `invalid-cursor`, `cursor-expired`, `no-predictions`. */
export function walk<T>(
  served: ServedProgram,
  query: WalkQuery,
  read: (reading: DayReading, wish: Walk) => Promise<T>,
): Promise<T> {
  const where = testsOf(query)
  const sort = query.sort ?? 'customer_id'
  if (query.cursor === undefined)
    return served.readDay(query.date, (reading) =>
      read(reading, { ...reading.day, sort, where, after: null }),
    )
  const cursor = readCursor(query.cursor)
  refuseOther(cursor, {
    program: served.program.name,
    date: query.date,
    sort: query.sort,
    where: where.length === 0 ? undefined : where,
  })
  return served.readPinned(cursor, (reading) => read(reading, { ...cursor, after: startOf(cursor) }))
}

function startOf({ row, value }: Cursor): PickedRow | null {
  return row < 0 ? null : { row, value }
}

/** The rows of a page, and the one behind which the next page begins; null where there is none. */
export async function pickPage(
  { fields, rows, where }: DayReading,
  { sort, where: texts, after, limit }: Walk & { readonly limit: number },
): Promise<{ rows: PickedRow[]; next: PickedRow | null }> {
  const conditions = await where(texts.map((text) => readTest(text, fields)))
  const order = readOrder(sort, fields)
  const found = await rows.pick({ where: conditions, order, after, limit: limit + 1 })
  const page = found.slice(0, limit)
  return { rows: page, next: found.length > limit ? page[page.length - 1] : null }
}

interface Page {
  readonly program: Program
  readonly wish: Walk
  readonly next: PickedRow | null
}

/** The cursor of what comes behind a row; null: of the whole walk. */
export function cursorOf({ program, wish, next }: Page): string {
  const { date, path, sort, where } = wish
  return writeCursor({
    program: program.name,
    date,
    path,
    sort,
    where,
    ...(next ?? { row: -1, value: null }),
  })
}

function sendPage(reply: FastifyReply, lines: readonly Line[], page: Page): FastifyReply {
  const { program, wish, next } = page
  const head = { program: program.name, date: wish.date, sort: wish.sort }
  const pieces: Uint8Array[] = [Buffer.from(`${JSON.stringify(head).slice(0, -1)},"predictions":[`)]
  const comma = Buffer.from(',')
  for (const [place, line] of lines.entries()) {
    if (place > 0) pieces.push(comma)
    pieces.push(typeof line === 'string' ? Buffer.from(line) : line)
  }
  const cursor = next === null ? null : cursorOf(page)
  pieces.push(Buffer.from(`],"next_cursor":${JSON.stringify(cursor)}}`))
  return sendText(reply, Buffer.concat(pieces))
}

/** A cursor belongs to one walk. */
function refuseOther(
  cursor: Cursor,
  asked: Readonly<Record<'program' | 'date' | 'sort', string | undefined>> & {
    readonly where: readonly string[] | undefined
  },
): void {
  for (const part of ['program', 'date', 'sort', 'where'] as const) {
    const own = [cursor[part]].flat().join(' ')
    if (asked[part] !== undefined && [asked[part]].flat().join(' ') !== own) throw otherCursor(part, own)
  }
}

function otherCursor(part: string, value: string): Problem {
  const detail = `belongs to a walk with ${part} ${value || 'of nobody in particular'}`
  return new Problem('invalid-cursor', `The cursor ${detail}. Begin again without a cursor to change it.`, {
    errors: [{ field: 'cursor', detail }],
  })
}
