import { join } from 'node:path'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { predictionColumns } from '../domain/prediction.ts'
import { lineSql, openPredictions, rowsOf } from '../lake/read-predictions.ts'
import { keyedAnswers, sendText } from './answers.ts'
import { needs } from './caller.ts'
import { customerParams, daySchema, predictionSchema } from './prediction-schema.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import type { ServedProgram } from './served-program.ts'

/** Most days of a history. */
const mostDays = 400
const daysWords = `is a whole number from 1 to ${mostDays}`

const historySchema = z
  .object({
    program: z.string(),
    customer_id: z.string(),
    days: z.array(
      predictionSchema.partial().meta({ description: 'A Prediction without its drivers and flags' }),
    ),
  })
  .meta({ id: 'CustomerHistory', description: 'What was forecast of a customer day by day, oldest first' })

/** How what is predicted for one customer went. */
export const customerHistoryRoutes: FastifyPluginAsyncZod<{ programs: ServedPrograms }> = async (
  app,
  { programs },
) => {
  app.get(
    '/programs/:program/customers/:customer_id/history',
    {
      schema: {
        operationId: 'readHistory',
        tags: ['predictions'],
        security: needs('read'),
        summary: 'The predictions of one customer over days',
        description:
          'Of the last days with predictions up to `date`, or to the latest. Days on which the customer was not at risk are left out.',
        params: customerParams,
        querystring: z.strictObject({
          date: daySchema.optional(),
          days: z.coerce
            .number(daysWords)
            .int(daysWords)
            .min(1, daysWords)
            .max(mostDays, daysWords)
            .default(90)
            .meta({ description: 'How many days with predictions are looked at' }),
        }),
        response: keyedAnswers(
          'The history',
          historySchema,
          'unknown-program',
          'unknown-customer',
          'no-predictions',
        ),
      },
    },
    async ({ params, query }, reply) => {
      const served = programs.find(params.program)
      const lines = await readHistory(served, params.customer_id, query)
      if (lines.length === 0)
        throw new Problem(
          'unknown-customer',
          `${params.program} has no prediction for ${params.customer_id} on any of these days.`,
        )
      const head = JSON.stringify({ program: params.program, customer_id: params.customer_id })
      return sendText(reply, `${head.slice(0, -1)},"days":[${lines.join(',')}]}`)
    },
  )
}

/** Left out of histories: they are long, and those of a day are in its prediction. */
const leftOut = new Set(['program', 'customer_id', 'top_drivers', 'flags'])

async function readHistory(
  served: ServedProgram,
  customerId: string,
  { date, days }: { date?: string | undefined; days: number },
): Promise<string[]> {
  const columns = predictionColumns(served.program).filter(({ name }) => !leftOut.has(name))
  return served.readDay(date, async ({ lake }, last) => {
    const files = [...lake.state.predictions.values()]
      .filter((day) => day.date <= last.date)
      .sort((a, b) => (a.date < b.date ? -1 : 1))
      .slice(-days)
    const { database } = served
    const selects = await Promise.all(
      files.map(async (day, place) => {
        const file = await openPredictions(database, join(lake.folder, day.path))
        return `select ${place} as place, ${lineSql(file, columns)} as line from ${rowsOf(file)} where customer_id = $customer`
      }),
    )
    const rows = await database.rows<{ line: string }>(
      `select line from (${selects.join(' union all ')}) order by place`,
      { customer: customerId },
    )
    return rows.map(({ line }) => line)
  })
}
