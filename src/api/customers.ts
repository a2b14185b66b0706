import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { predictionColumns } from '../domain/prediction.ts'
import { readPrediction } from '../lake/read-predictions.ts'
import { keyedAnswers } from './answers.ts'
import { needs } from './caller.ts'
import { customerParams, daySchema, predictionBody, predictionSchema } from './prediction-schema.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'

/** What is predicted for one customer. */
export const customerRoutes: FastifyPluginAsyncZod<{ programs: ServedPrograms }> = async (
  app,
  { programs },
) => {
  app.get(
    '/programs/:program/customers/:customer_id/prediction',
    {
      schema: {
        operationId: 'readPrediction',
        tags: ['predictions'],
        security: needs('read'),
        summary: 'The prediction of one customer',
        description: 'Of the latest day, or of `date`.',
        params: customerParams,
        querystring: z.strictObject({ date: daySchema.optional() }),
        response: keyedAnswers(
          'The prediction',
          predictionSchema,
          'unknown-program',
          'unknown-customer',
          'no-predictions',
        ),
      },
    },
    async ({ params, query }) => {
      const served = programs.find(params.program)
      const columns = predictionColumns(served.program)
      return served.readDay(query.date, async (file, { date }) => {
        const row = await readPrediction(served.database, file, { columns, customerId: params.customer_id })
        if (row) return predictionBody(row)
        throw new Problem(
          'unknown-customer',
          `${params.program} has no prediction for ${params.customer_id} on ${date}: the id is not known, or the customer was not at risk that day.`,
        )
      })
    },
  )
}
