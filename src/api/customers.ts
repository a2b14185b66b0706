import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { keyedAnswers, sendText } from './answers.ts'
import { needs } from './caller.ts'
import { customerParams, daySchema, predictionSchema } from './prediction-schema.ts'
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
    async ({ params, query }, reply) => {
      const served = programs.find(params.program)
      const line = await served.readDay(query.date, async ({ rows, day }) => {
        const found = await rows.find(params.customer_id)
        if (found !== null) return found
        throw new Problem(
          'unknown-customer',
          `${params.program} has no prediction for ${params.customer_id} on ${day.date}: the id is not known, or the customer was not at risk that day.`,
        )
      })
      return sendText(reply, line)
    },
  )
}
