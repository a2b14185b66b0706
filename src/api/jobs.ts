import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { QuestionJob } from '../control/question-jobs.ts'
import type { QuestionProgress } from '../jobs/question-task.ts'
import { keyedAnswers, sendKept } from './answers.ts'
import { problemOfQuestion } from './asked-question.ts'
import { needs } from './caller.ts'
import { programParams } from './prediction-schema.ts'
import { Problem, problemParts, problemSchema } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import type { WhatIfDesk } from './what-if-desk.ts'
import { questionBody, whatIfAnswerSchema } from './what-if-schema.ts'

/** An id that was made here, or anything else that is not too long. */
export const idSchema = z.string().max(64, 'is longer than any id').meta({ description: 'As it was given' })

export const jobSchema = z
  .object({
    id: z.string(),
    program: z.string(),
    status: z.enum(['queued', 'running', 'done', 'failed', 'interrupted']).meta({
      description: 'interrupted: the server stopped before it was done. Ask again',
    }),
    question: questionBody,
    scenario_id: z.string().nullable().meta({ description: 'The saved scenario that it asks' }),
    created_at: z.string(),
    started_at: z.string().nullable(),
    finished_at: z.string().nullable(),
    progress: z.object({ done: z.number().int(), total: z.number().int() }).nullable().meta({
      description: 'Draws of the scenario at hand, often enough before the total; null where not known',
    }),
    result: whatIfAnswerSchema.nullable().meta({ description: 'The answer, once it is done' }),
    problem: problemSchema
      .omit({ instance: true, request_id: true })
      .nullable()
      .meta({ description: 'Why it failed' }),
  })
  .meta({ id: 'Job', description: 'A question that is answered in the background' })

/** A job as it is sent. */
export function jobBody(program: string, job: QuestionJob, progress: QuestionProgress | null) {
  return {
    id: job.id,
    program,
    status: job.status,
    question: job.question,
    scenario_id: job.scenarioId,
    created_at: job.createdAt,
    started_at: job.startedAt,
    finished_at: job.finishedAt,
    progress,
    result: job.result,
    problem: job.problem && problemParts(problemOfQuestion(job.problem)),
  }
}

/** Questions that are answered in the background. */
export const jobRoutes: FastifyPluginAsyncZod<{ programs: ServedPrograms; desk: WhatIfDesk }> = async (
  app,
  { programs, desk },
) => {
  app.get(
    '/programs/:program/jobs/:job_id',
    {
      schema: {
        operationId: 'readJob',
        tags: ['what-if'],
        security: needs('read'),
        summary: 'How far a job is, and its result',
        description: 'The last 200 jobs of a program are kept, also when the server starts anew.',
        params: programParams.extend({ job_id: idSchema }),
        querystring: z.strictObject({}),
        response: keyedAnswers('The job', jobSchema, 'unknown-program', 'unknown-job'),
      },
    },
    async ({ params }, reply) => {
      const { program } = programs.find(params.program)
      const { jobs } = await desk.control(program)
      const job = await jobs.find(params.job_id)
      if (job === null)
        throw new Problem(
          'unknown-job',
          `${program.name} has no job ${params.job_id}: the id is not known, or newer ones have taken its place.`,
        )
      return sendKept(reply, jobBody(program.name, job, desk.progressOf(job.id)))
    },
  )
}
