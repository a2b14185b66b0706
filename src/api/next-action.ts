import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { keyedAnswers } from './answers.ts'
import { needs } from './caller.ts'
import { customerParams, daySchema } from './prediction-schema.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import type { ServedActions } from './served-actions.ts'

const amount = (description: string) => z.number().nullable().meta({ description })

const actionSchema = z
  .object({
    program: z.string(),
    customer_id: z.string(),
    date: daySchema,
    model_version: z.string(),
    currency: z.string(),
    counted: z.string().meta({ description: 'What counts as gain, in words' }),
    initiative: z.string().nullable().meta({ description: 'null: none, for the reason told' }),
    arm: z.string().nullable(),
    evidence: z.enum(['experiment', 'adjusted']).nullable(),
    expected_gain: amount('Program currency, or a chance where the gain is no money'),
    gain_low: amount('Lower end of the 95% interval of the gain'),
    gain_high: amount('Upper end'),
    cost: amount('Program currency'),
    net: amount('Gain less cost; null where the gain is no money'),
    risk: amount('Chance of the outcome by which customers count as at risk'),
    reason: z.enum(['no_initiative_pays', 'treated_recently', 'evidence_too_weak']).nullable(),
  })
  .meta({
    id: 'NextAction',
    description: 'The initiative with the highest expected net value for a customer',
  })

interface Options {
  readonly programs: ServedPrograms
  readonly actions: ServedActions
}

/** What is best done for a customer. */
export const nextActionRoutes: FastifyPluginAsyncZod<Options> = async (app, { programs, actions }) => {
  app.get(
    '/programs/:program/customers/:customer_id/next-action',
    {
      schema: {
        operationId: 'readNextAction',
        tags: ['predictions'],
        security: needs('read'),
        summary: 'The next best action of one customer',
        description:
          'The initiative with the highest expected net value by what it was measured to bring, or none and why. Found for everybody when somebody asks first, and anew once a day lands or another version serves: 503 until then, with `Retry-After`. Meanwhile the one before is told, with its `date`.',
        params: customerParams,
        querystring: z.strictObject({}),
        response: keyedAnswers(
          'The action',
          actionSchema,
          ...(['unknown-program', 'unknown-customer', 'no-predictions', 'invalid-question', 'busy'] as const),
        ),
      },
    },
    async ({ params }) => {
      const served = programs.find(params.program)
      const found = await actions.find(served, params.customer_id)
      if (found === null)
        throw new Problem(
          'unknown-customer',
          `${params.program} has nobody at risk who is called ${params.customer_id}.`,
        )
      const { row, date, modelVersion, currency, counted } = found
      return {
        program: served.program.name,
        ...{ date, model_version: modelVersion, currency, counted },
        ...row,
      } as z.infer<typeof actionSchema>
    },
  )
}
