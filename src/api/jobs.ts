import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { QuestionJob } from '../control/question-jobs.ts'
import type { Program } from '../domain/program.ts'
import type { Intake } from '../jobs/intake.ts'
import type { QuestionProgress } from '../jobs/question-task.ts'
import { keyedAnswers, keyedStatuses, sendKept } from './answers.ts'
import { problemOfQuestion, readQuestion } from './asked-question.ts'
import { needs } from './caller.ts'
import { idempotencyHeaders, idempotencyProblems } from './idempotency.ts'
import { programParams } from './prediction-schema.ts'
import { Problem, problemParts, problemSchema } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import { repeatAnswers } from './repeated-answers.ts'
import type { WhatIfDesk } from './what-if-desk.ts'
import { questionBody, whatIfAnswerSchema } from './what-if-schema.ts'

/** An id that was made here, or anything else that is not too long. */
export const idSchema = z.string().max(64, 'is longer than any id').meta({ description: 'As it was given' })

export const jobSchema = z
  .object({
    id: z.string(),
    program: z.string(),
    status: z.enum(['queued', 'running', 'done', 'failed', 'cancelled', 'interrupted']).meta({
      description: 'interrupted: the server stopped before it was done. Retry it',
    }),
    question: questionBody,
    scenario_id: z.string().nullable().meta({ description: 'The saved scenario that it asks' }),
    retry_of: z.string().nullable().meta({ description: 'The job whose question it asks again' }),
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
    retry_of: job.retryOf,
    created_at: job.createdAt,
    started_at: job.startedAt,
    finished_at: job.finishedAt,
    progress,
    result: job.result,
    problem: job.problem && problemParts(problemOfQuestion(job.problem)),
  }
}

const jobParams = programParams.extend({ job_id: idSchema })

interface Options {
  readonly programs: ServedPrograms
  readonly desk: WhatIfDesk
  readonly intake: Intake
}

/** Questions that are answered in the background. */
export const jobRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  await app.register(readRoute, options)
  await app.register(changeRoutes, options)
}

/** **Errors** `unknown-job`. */
async function findJob(desk: WhatIfDesk, program: Program, id: string): Promise<QuestionJob> {
  const { jobs } = await desk.control(program)
  const job = await jobs.find(id)
  if (job) return job
  throw new Problem(
    'unknown-job',
    `${program.name} has no job ${id}: the id is not known, or newer ones have taken its place.`,
  )
}

const readRoute: FastifyPluginAsyncZod<Options> = async (app, { programs, desk }) => {
  app.get(
    '/programs/:program/jobs/:job_id',
    {
      schema: {
        operationId: 'readJob',
        tags: ['what-if'],
        security: needs('read'),
        summary: 'How far a job is, and its result',
        description: 'The last 200 jobs of a program are kept, also when the server starts anew.',
        params: jobParams,
        querystring: z.strictObject({}),
        response: keyedAnswers('The job', jobSchema, 'unknown-program', 'unknown-job'),
      },
    },
    async ({ params }, reply) => {
      const { program } = programs.find(params.program)
      const job = await findJob(desk, program, params.job_id)
      return sendKept(reply, jobBody(program.name, job, desk.progressOf(job.id)))
    },
  )
}

/** Sends a job that something was just done to. */
export function sendJob(reply: FastifyReply, { name }: Program, job: QuestionJob): FastifyReply {
  reply.code(202).header('location', `/v1/programs/${name}/jobs/${job.id}`)
  return sendKept(reply, jobBody(name, job, null))
}

const changeRoutes: FastifyPluginAsyncZod<Options> = async (app, { programs, desk, intake }) => {
  repeatAnswers(app, { programs, intake })
  const shared = {
    tags: ['what-if'],
    security: needs('ask'),
    params: jobParams,
    querystring: z.strictObject({}),
    headers: idempotencyHeaders,
  }
  const problems = ['unknown-program', 'unknown-job', ...idempotencyProblems] as const
  app.post(
    '/programs/:program/jobs/:job_id/cancel',
    {
      schema: {
        ...shared,
        operationId: 'cancelJob',
        summary: 'Stop a job',
        description: 'One that waits is not begun, and one that is running ends soon, without an answer.',
        response: keyedStatuses({ 202: ['It is cancelled', jobSchema] }, 'already-ended', ...problems),
      },
    },
    async ({ params }, reply) => {
      const { program } = programs.find(params.program)
      const { id, status } = await findJob(desk, program, params.job_id)
      if (!(await desk.cancel(program, id)))
        throw new Problem('already-ended', `Job ${id} has ended already: it is ${status}.`)
      return sendJob(reply, program, await findJob(desk, program, id))
    },
  )
  app.post(
    '/programs/:program/jobs/:job_id/retry',
    {
      schema: {
        ...shared,
        operationId: 'retryJob',
        summary: 'Ask the question of a job again',
        description: 'As a new job, on the latest day where the question names none.',
        response: keyedStatuses(
          { 202: ['A job; `Location` is its address', jobSchema] },
          ...(['not-ended', 'invalid-question', 'busy'] as const),
          ...problems,
        ),
      },
    },
    async ({ params }, reply) => {
      const { program } = programs.find(params.program)
      const { id, status, question: text, scenarioId } = await findJob(desk, program, params.job_id)
      if (status === 'queued' || status === 'running')
        throw new Problem('not-ended', `Job ${id} is ${status}. Cancel it first, or wait for its end.`)
      const asked = { program, question: readQuestion(text), text, scenarioId, retryOf: id }
      return sendJob(reply, program, await desk.queue(asked))
    },
  )
}
