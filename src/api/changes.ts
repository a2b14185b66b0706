import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { LoyalcastError } from '../domain/errors.ts'
import { changeLine } from '../jobs/changes.ts'
import { quoteText } from '../lake/database.ts'
import { writeLines } from '../lake/prediction-lines.ts'
import { keyedAnswers, keyedMedia, sendText } from './answers.ts'
import { sendRows } from './bulk-predictions.ts'
import { needs } from './caller.ts'
import type { ExportDesk } from './export-desk.ts'
import { refused } from './field-tests.ts'
import { pageStart, readListPage, rowCursor } from './list-page.ts'
import { daySchema, programParams } from './prediction-schema.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import { type ComparedRows, ServedChanges } from './served-changes.ts'
import type { ServedProgram } from './served-program.ts'

const kinds = ['new', 'gone', 'moved'] as const
const causes = ['behaviour', 'model'] as const

const changesQuery = {
  since: daySchema.meta({ description: 'The earlier day; both have predictions' }),
  date: daySchema.optional().meta({ description: 'The later day; the latest where left out' }),
  change: z
    .enum(kinds, `is one of ${kinds.join(', ')}`)
    .optional()
    .meta({ description: 'Only these' }),
  cause: z
    .enum(causes, `is one of ${causes.join(', ')}`)
    .optional()
    .meta({ description: 'Only these' }),
}
type ChangesQuery = z.output<z.ZodObject<typeof changesQuery>>

const moveSchema = z.object({
  figure: z.string().meta({ description: 'nps_score, or an outcome at the longest horizon' }),
  unit: z.enum(['points', 'probability']),
  before: z.number(),
  after: z.number(),
  change: z.number(),
  behaviour: z
    .number()
    .nullable()
    .meta({ description: 'Part of the change that what the customer did explains' }),
  model: z.number().nullable().meta({ description: 'Part that another model version makes' }),
  cause: z.enum(causes).nullable().meta({ description: 'The larger part; null where it cannot be told' }),
  times_usual: z.number().meta({ description: 'Over what is usual for one standard deviation' }),
})

const changeSchema = z
  .object({
    customer_id: z.string(),
    change: z.enum(kinds),
    figure: z.string().nullable().meta({ description: 'The figure that moved most, against what is usual' }),
    before: z.number().nullable(),
    after: z.number().nullable(),
    cause: z.enum(causes).nullable(),
    segment_before: z.string().nullable(),
    segment_after: z.string().nullable(),
    moved: z.array(moveSchema).meta({ description: 'All figures that moved beyond what is usual' }),
  })
  .meta({ id: 'Change', description: 'A customer who is new, gone, or whose forecast moved' })

const pageSchema = z
  .object({
    program: z.string(),
    since: daySchema,
    date: daySchema,
    counts: z.object({ new: z.number().int(), gone: z.number().int(), moved: z.number().int() }),
    changes: z.array(changeSchema),
    next_cursor: z.string().nullable().meta({ description: 'For the next page; null on the last' }),
  })
  .meta({ id: 'ChangePage' })

const description =
  'Customers who are new, who are gone, and whose forecast moved beyond what is usual: 3 × 1.4826 × the median change (of log odds) between these days, and at least 0.01 of a probability or 0.1 of an answer. Where another model version took over in between, both were asked about that day, so that its part is known.'

interface Options {
  readonly programs: ServedPrograms
  readonly exports: ExportDesk
}

/** What changed between two days. */
export const changeRoutes: FastifyPluginAsyncZod<Options> = async (app, { programs, exports }) => {
  const changes = new ServedChanges(exports)
  app.get(
    '/programs/:program/changes',
    {
      schema: {
        operationId: 'listChanges',
        tags: ['predictions'],
        summary: 'What changed since a day, page by page',
        description,
        security: needs('read'),
        params: programParams,
        querystring: z.strictObject({ ...changesQuery, ...rowCursor }),
        response: keyedAnswers('A page of changes', pageSchema, ...problems),
      },
    },
    async ({ params, query }, reply) =>
      sendText(reply, await readPage({ served: programs.find(params.program), changes, exports }, query)),
  )
  app.get(
    '/programs/:program/changes.ndjson',
    {
      schema: {
        operationId: 'pullChangesNdjson',
        tags: ['predictions'],
        summary: 'What changed since a day as ndjson',
        description,
        security: needs('export'),
        params: programParams,
        querystring: z.strictObject(changesQuery),
        response: keyedMedia('application/x-ndjson', 'A change a line', ...problems),
      },
    },
    async (request, reply) => {
      const { params, query } = request
      const served = programs.find(params.program)
      const { compared, date } = await compare(changes, served, query)
      return sendRows(request, reply, {
        identity: [compared.key, query.change, query.cause],
        type: 'application/x-ndjson; charset=utf-8',
        name: `${served.program.name}-changes-${query.since}-${date}.ndjson`,
        open: () =>
          exports.write((database, path) =>
            writeLines(database, { sql: selectLines(compared, query) }, path),
          ),
      })
    },
  )
}

interface Sources {
  readonly served: ServedProgram
  readonly changes: ServedChanges
  readonly exports: ExportDesk
}

/** A page as JSON. */
async function readPage(
  { served, changes, exports }: Sources,
  query: ChangesQuery & Parameters<typeof pageStart>[0],
): Promise<string> {
  const { compared, date } = await compare(changes, served, query)
  const { name } = served.program
  const list = `${name}/changes/${compared.key}/${query.change ?? ''}/${query.cause ?? ''}`
  const select = selectLines(compared, query, 'file_row_number + 1 as number,')
  const page = await readListPage(pageStart(query, list), list, ({ after, limit }) =>
    exports.run((database) =>
      database.rows<{ number: number; line: string }>(
        `${select} and file_row_number >= ${after ?? 0} limit ${limit}`,
      ),
    ),
  )
  const head = { program: name, since: query.since, date, counts: compared.counts }
  const rows = page.rows.map(({ line }) => line).join(',')
  return `${JSON.stringify(head).slice(0, -1)},"changes":[${rows}],"next_cursor":${JSON.stringify(page.next_cursor)}}`
}

const problems = ['unknown-program', 'no-predictions', 'invalid-cursor', 'busy'] as const

/** Conditions hold words of ours only. */
function selectLines({ path }: ComparedRows, { change, cause }: ChangesQuery, more = ''): string {
  const conditions = [
    'true',
    ...(change === undefined ? [] : [`change = ${quoteText(change)}`]),
    ...(cause === undefined ? [] : [`cause = ${quoteText(cause)}`]),
  ]
  return `select ${more} ${changeLine} as line from read_parquet(${quoteText(path)}, file_row_number = true) where ${conditions.join(' and ')}`
}

/** **Errors** `no-predictions`, `invalid-request` where the days are not in order. */
async function compare(
  changes: ServedChanges,
  served: ServedProgram,
  { since, date }: ChangesQuery,
): Promise<{ compared: ComparedRows; date: string }> {
  await served.readDay(since, async () => undefined)
  return served.readDay(date, async ({ lake }, day) => {
    if (since >= day.date) throw refused('since', `is ${since}, which is not before ${day.date}`)
    try {
      return { compared: await changes.get(served, { lake, since, date: day.date }), date: day.date }
    } catch (error) {
      if (error instanceof LoyalcastError && error.code === 'no-predictions')
        throw new Problem('no-predictions', error.message)
      throw error
    }
  })
}
