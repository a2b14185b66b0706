import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { predictionColumns } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import type { PredictionRow } from '../lake/predictions.ts'
import { longestPage, type PredictionFile, readPredictionPage } from '../lake/read-predictions.ts'
import { keyedAnswers } from './answers.ts'
import { needs } from './caller.ts'
import { type Cursor, readCursor, writeCursor } from './cursor.ts'
import { daySchema, predictionBody, predictionSchema, programParams } from './prediction-schema.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import type { ServedProgram } from './served-program.ts'

const sorts = ['customer_id', '-value_at_risk', '-churn'] as const
type Sort = (typeof sorts)[number]

const limitWords = `is a whole number from 1 to ${longestPage}`

const pageQuery = z.strictObject({
  date: daySchema.optional(),
  sort: z
    .enum(sorts, `is one of ${sorts.join(', ')}`)
    .optional()
    .meta({
      description:
        'customer_id (default), or highest first: -value_at_risk, or -churn at the longest horizon',
    }),
  limit: z.coerce
    .number(limitWords)
    .int(limitWords)
    .min(1, limitWords)
    .max(longestPage, limitWords)
    .default(100)
    .meta({ description: 'Rows of a page' }),
  cursor: z
    .string()
    .min(1, 'is empty; leave it out for the first page')
    .max(8000, 'is longer than any cursor')
    .optional()
    .meta({ description: 'next_cursor of the page before; leave date and sort as they were, or out' }),
})

const pageSchema = z
  .object({
    program: z.string(),
    date: daySchema,
    sort: z.enum(sorts),
    predictions: z.array(predictionSchema),
    next_cursor: z.string().nullable().meta({ description: 'For the next page; null on the last' }),
  })
  .meta({ id: 'PredictionPage', description: 'Some of the predictions of a day' })

type PageQuery = z.infer<typeof pageQuery>

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
        response: keyedAnswers(
          'A page of predictions',
          pageSchema,
          'invalid-cursor',
          'unknown-program',
          'no-predictions',
          'cursor-expired',
        ),
      },
    },
    async ({ params, query }) => {
      const served = programs.find(params.program)
      const cursor = query.cursor === undefined ? null : readCursor(query.cursor)
      if (cursor) {
        refuseOther(cursor, { ...query, program: params.program })
        return served.readPinned(cursor.path, (file) =>
          readPage(served, file, { ...cursor, sort: knownSort(cursor), after: cursor, limit: query.limit }),
        )
      }
      const sort = query.sort ?? 'customer_id'
      return served.readDay(query.date, (file, { date, path }) =>
        readPage(served, file, { date, path, sort, after: null, limit: query.limit }),
      )
    },
  )
}

interface PageWish {
  readonly date: string
  readonly path: string
  readonly sort: Sort
  readonly after: Cursor | null
  readonly limit: number
}

async function readPage({ program, database }: ServedProgram, file: PredictionFile, wish: PageWish) {
  const sortColumn = sortColumnOf(program, wish.sort)
  const rows = await readPredictionPage(database, file, {
    columns: predictionColumns(program),
    sortColumn,
    after: wish.after,
    limit: wish.limit + 1,
  })
  const shown = rows.slice(0, wish.limit)
  const last = rows.length > wish.limit ? shown[shown.length - 1] : null
  return {
    program: program.name,
    date: wish.date,
    sort: wish.sort,
    predictions: shown.map(predictionBody),
    next_cursor: last === null ? null : writeCursor(cursorAfter(last, program.name, { ...wish, sortColumn })),
  }
}

function cursorAfter(
  row: PredictionRow,
  program: string,
  { date, path, sort, sortColumn }: PageWish & { sortColumn: string | null },
): Cursor {
  const value = sortColumn === null ? null : (row[sortColumn] as number | null)
  return { program, date, path, sort, customerId: row.customer_id as string, value }
}

/** **Errors** `invalid-request` where the program does not predict what to sort by. */
function sortColumnOf({ name, outcomes, horizonsDays }: Program, sort: Sort): string | null {
  if (sort === 'customer_id') return null
  if (sort === '-value_at_risk') return 'value_at_risk'
  if (outcomes.some((outcome) => outcome.name === 'churn'))
    return `churn_${horizonsDays[horizonsDays.length - 1]}`
  const detail = `is ${sort}, but ${name} has no outcome called churn; allowed are customer_id and -value_at_risk`
  throw new Problem('invalid-request', `In the query: sort ${detail}.`, {
    errors: [{ field: 'sort', detail }],
  })
}

function knownSort({ sort }: Cursor): Sort {
  const known = sorts.find((one) => one === sort)
  if (known === undefined) throw otherCursor('sort', sort)
  return known
}

/** A cursor belongs to one walk. */
function refuseOther(cursor: Cursor, query: PageQuery & { program: string }): void {
  for (const part of ['program', 'date', 'sort'] as const) {
    if (query[part] !== undefined && query[part] !== cursor[part]) throw otherCursor(part, cursor[part])
  }
}

function otherCursor(part: string, value: string): Problem {
  const detail = `belongs to a walk with ${part} ${value}`
  return new Problem('invalid-cursor', `The cursor ${detail}. Begin again without a cursor to change it.`, {
    errors: [{ field: 'cursor', detail }],
  })
}
