import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Intake } from '../jobs/intake.ts'
import { jsonType, keyedStatuses } from './answers.ts'
import { readQuestion } from './asked-question.ts'
import { needs } from './caller.ts'
import { idempotencyHeaders, idempotencyProblems } from './idempotency.ts'
import { jobSchema, sendJob } from './jobs.ts'
import { programParams } from './prediction-schema.ts'
import type { ServedPrograms } from './programs.ts'
import { repeatAnswers } from './repeated-answers.ts'
import type { WhatIfDesk } from './what-if-desk.ts'
import { questionBody, whatIfAnswerSchema } from './what-if-schema.ts'

/** Bytes of a question: the longest are lists of conditions. */
export const longestQuestion = 64 * 1024

export const fullQuery = z.strictObject({
  full: z
    .enum(['true', 'false'], 'is true or false')
    .optional()
    .meta({ description: 'true: look at everybody instead of a sample; the answer is a job' }),
})

/** What a question may be answered with. */
export const answerStatuses = {
  200: ['The answer, on a sample', whatIfAnswerSchema],
  202: ['A job; `Location` is its address', jobSchema],
} as const

/** Problems of whatever takes a body. */
export const bodyProblems = ['body-too-large', 'unsupported-media-type'] as const
/** Problems of whatever answers a question. */
export const askingProblems = ['unknown-program', 'no-predictions', 'invalid-question', 'busy'] as const

/** Questions that are asked once. */
export const whatIfRoutes: FastifyPluginAsyncZod<{
  programs: ServedPrograms
  desk: WhatIfDesk
  intake: Intake
}> = async (app, { programs, desk, intake }) => {
  repeatAnswers(app, { programs, intake })
  app.post(
    '/programs/:program/what-if',
    {
      bodyLimit: longestQuestion,
      schema: {
        operationId: 'askWhatIf',
        tags: ['what-if'],
        security: needs('ask'),
        summary: 'What would be, had customers behaved otherwise',
        description:
          'Answered at once on up to 2,000 customers, drawn evenly over segments and forecasts, with the error of the sample in the intervals. A scenario that leaves what is known is refused within its answer.',
        params: programParams,
        querystring: fullQuery,
        headers: idempotencyHeaders,
        body: questionBody,
        response: keyedStatuses(answerStatuses, ...askingProblems, ...idempotencyProblems, ...bodyProblems),
      },
    },
    async ({ params, query, body }, reply) => {
      const { program } = programs.find(params.program)
      const question = readQuestion(body)
      if (query.full === 'true')
        return sendJob(reply, program, await desk.queue({ program, question, text: body, scenarioId: null }))
      const { json } = await desk.answer({ program, question })
      return sendAnswer(reply, json)
    },
  )
}

/** Sends an answer as it was made, byte for byte. */
export function sendAnswer(reply: FastifyReply, json: string): FastifyReply {
  return reply.type(jsonType).send(json)
}
