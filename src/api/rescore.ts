import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { localDay } from '../domain/days.ts'
import { predictionColumns } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import type { PredictionRow } from '../lake/predictions.ts'
import { keyedAnswers } from './answers.ts'
import { needs } from './caller.ts'
import { customerParams, daySchema, predictionSchema } from './prediction-schema.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import { bodyProblems } from './what-if.ts'
import type { WhatIfDesk } from './what-if-desk.ts'

const rescoredSchema = z
  .object({
    program: z.string(),
    customer_id: z.string(),
    date: daySchema,
    rows_waiting: z.number().int().meta({ description: 'Rows of the customer that no ingest has taken yet' }),
    status: z.enum(['scored', 'not_at_risk']),
    reason: z.string().nullable().meta({ description: 'Why there is no prediction' }),
    prediction: predictionSchema.nullable().meta({ description: 'With all that is known now' }),
    published: predictionSchema
      .nullable()
      .meta({ description: 'Of the latest day that was predicted; null where it has none' }),
  })
  .meta({ id: 'Rescored' })

/** Scores a customer now. */
export const rescoreRoutes: FastifyPluginAsyncZod<{ programs: ServedPrograms; desk: WhatIfDesk }> = async (
  app,
  { programs, desk },
) => {
  app.post(
    '/programs/:program/customers/:customer_id/rescore',
    {
      schema: {
        operationId: 'rescoreCustomer',
        tags: ['predictions'],
        security: needs('write'),
        summary: 'Score one customer now',
        description:
          'As of the end of `date`, with all that was sent until now, also what no ingest has taken yet: the prediction that a daily run of that day would give. Without `date` it is the day of the last row of the customer, or the latest day that was predicted where that is later. Nothing is kept: the predictions of the day stay as they are. The body may be left out.',
        params: customerParams,
        querystring: z.strictObject({}),
        body: z.strictObject({ date: daySchema.optional() }).nullish(),
        response: keyedAnswers(
          'The prediction, beside the published one',
          rescoredSchema,
          ...(['unknown-program', 'unknown-customer', 'no-predictions', 'busy'] as const),
          ...bodyProblems,
        ),
      },
    },
    async ({ params, body }) => {
      const { program } = programs.find(params.program)
      const now = desk.clock()
      const date = body?.date ?? null
      refuseFuture(program, date, now)
      const customerId = params.customer_id
      const found = await desk.rescore({ program, customerId, date, now })
      if (found === null)
        throw new Problem('unknown-customer', `${program.name} knows nothing of ${customerId}.`)
      const { prediction, published, waiting } = found
      return {
        program: program.name,
        customer_id: customerId,
        date: found.date,
        rows_waiting: waiting,
        status: prediction === null ? ('not_at_risk' as const) : ('scored' as const),
        reason:
          prediction === null
            ? `At the end of ${found.date} the customer has not joined, has left, is no longer observed, or has not been active.`
            : null,
        prediction: prediction && predictionBody(inOrder(program, prediction)),
        published: published && JSON.parse(published),
      }
    },
  )
}

function refuseFuture({ timezone }: Program, date: string | null, now: string): void {
  const today = localDay(now, timezone)
  if (date === null || date <= today) return
  const detail = `is ${date}, which lies after today, ${today}`
  throw new Problem('invalid-request', `In the body: date ${detail}.`, {
    errors: [{ field: 'date', detail }],
  })
}

/** A row as a published one is shown: drivers and flags as JSON. */
function predictionBody(row: PredictionRow): z.infer<typeof predictionSchema> {
  const [drivers, flags] = [row.top_drivers ?? '[]', row.flags ?? '{}'].map((text) =>
    JSON.parse(String(text)),
  )
  return { ...row, top_drivers: drivers, flags } as z.infer<typeof predictionSchema>
}

/** All columns of a prediction, as a published row has them. */
function inOrder(program: Program, row: PredictionRow): PredictionRow {
  return Object.fromEntries(predictionColumns(program).map(({ name }) => [name, row[name] ?? null]))
}
