import type { FastifyReply } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Program } from '../domain/program.ts'
import { isOpen, type RunRecord, runKinds, runStatuses } from '../domain/run.ts'
import type { Intake } from '../jobs/intake.ts'
import { keyedAnswers, keyedStatuses, sendKept } from './answers.ts'
import { needs } from './caller.ts'
import { idempotencyHeaders, idempotencyProblems } from './idempotency.ts'
import { listQuery, nextCursor, pageStart, readListPage } from './list-page.ts'
import { programParams } from './prediction-schema.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import { repeatAnswers } from './repeated-answers.ts'
import type { RunDesk } from './run-desk.ts'
import { askedRunBody, askedRunOf, runBody, runParams, runSchema } from './run-schema.ts'
import { bodyProblems } from './what-if.ts'

interface Options {
  readonly programs: ServedPrograms
  readonly runs: RunDesk
  readonly intake: Intake
}

/** Daily runs and trainings. The server starts them in processes of their own, and does neither itself. */
export const runRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  await app.register(readRoutes, options)
  await app.register(writeRoutes, options)
}

/** **Errors** `unknown-run`. */
async function findRun(runs: RunDesk, program: Program, id: string): Promise<RunRecord> {
  const found = /^[1-9]\d{0,14}$/.test(id) ? await runs.records(program).find(Number(id)) : null
  if (found) return found
  throw new Problem(
    'unknown-run',
    `${program.name} has no run ${id}: the id is not known, or newer ones have taken its place.`,
  )
}

const runPage = z
  .object({ program: z.string(), runs: z.array(runSchema), next_cursor: nextCursor })
  .meta({ id: 'RunPage' })
const runQuery = listQuery.extend({
  kind: z
    .enum(runKinds, `is one of ${runKinds.join(', ')}`)
    .optional()
    .meta({ description: 'Only these' }),
  status: z
    .enum(runStatuses, `is one of ${runStatuses.join(', ')}`)
    .optional()
    .meta({ description: 'Only these' }),
})

const readRoutes: FastifyPluginAsyncZod<Options> = async (app, { programs, runs }) => {
  app.get(
    '/programs/:program/runs',
    {
      schema: {
        operationId: 'listRuns',
        tags: ['runs'],
        security: needs('read'),
        summary: 'Daily runs and trainings',
        description:
          'Newest first, whoever started them: a command, a request or the schedule. The last 200 are kept.',
        params: programParams,
        querystring: runQuery,
        response: keyedAnswers('A page of runs', runPage, 'invalid-cursor', 'unknown-program'),
      },
    },
    async ({ params, query: { kind, status, ...start } }, reply) => {
      const { program } = programs.find(params.program)
      const isWanted = (run: RunRecord) =>
        (kind === undefined || run.asked.kind === kind) && (status === undefined || run.status === status)
      const list = `${program.name}/runs/${kind ?? ''}/${status ?? ''}`
      const read = await readListPage(pageStart(start, list), list, async ({ after, limit }) => {
        const all = await runs.records(program).list()
        return all.filter((run) => run.number < (after ?? Infinity) && isWanted(run)).slice(0, limit)
      })
      const bodies = read.rows.map((run) => runBody(program.name, run))
      return sendKept(reply, { program: program.name, runs: bodies, next_cursor: read.next_cursor })
    },
  )
  app.get(
    '/programs/:program/runs/:run_id',
    {
      schema: {
        operationId: 'readRun',
        tags: ['runs'],
        security: needs('read'),
        summary: 'How far a run is, and what came of it',
        params: runParams,
        querystring: z.strictObject({}),
        response: keyedAnswers('The run', runSchema, 'unknown-program', 'unknown-run'),
      },
    },
    async ({ params }, reply) => {
      const { program } = programs.find(params.program)
      return sendKept(reply, runBody(program.name, await findRun(runs, program, params.run_id)))
    },
  )
}

/** Sends a run that something was just done to. */
function sendRun(reply: FastifyReply, { name }: Program, run: RunRecord): FastifyReply {
  reply.code(202).header('location', `/v1/programs/${name}/runs/${run.number}`)
  return sendKept(reply, runBody(name, run))
}

const writeRoutes: FastifyPluginAsyncZod<Options> = async (app, { programs, runs, intake }) => {
  repeatAnswers(app, { programs, intake })
  const begun = { 202: ['It is queued; `Location` is its address', runSchema] } as const
  const problems = ['unknown-program', 'busy', ...idempotencyProblems, ...bodyProblems] as const
  app.post(
    '/programs/:program/runs',
    {
      schema: {
        operationId: 'startRun',
        tags: ['runs'],
        security: needs('run'),
        summary: 'Have a day predicted, or a version trained',
        description:
          'In a process of its own, one at a time of a program; others wait. A day that is there already is replaced at once when the run is done.',
        params: programParams,
        querystring: z.strictObject({}),
        headers: idempotencyHeaders,
        body: askedRunBody,
        response: keyedStatuses(begun, ...problems),
      },
    },
    async ({ params, body }, reply) => {
      const { program } = programs.find(params.program)
      return sendRun(reply, program, await runs.add(program, { asked: askedRunOf(body) }))
    },
  )
  app.post(
    '/programs/:program/runs/:run_id/retry',
    {
      schema: {
        operationId: 'retryRun',
        tags: ['runs'],
        security: needs('run'),
        summary: 'Repeat a run that has ended',
        description: 'As a new run. A daily run goes on from what was finished.',
        params: runParams,
        querystring: z.strictObject({}),
        headers: idempotencyHeaders,
        response: keyedStatuses(begun, 'unknown-run', 'not-ended', ...problems),
      },
    },
    async ({ params }, reply) => {
      const { program } = programs.find(params.program)
      const run = await findRun(runs, program, params.run_id)
      if (isOpen(run))
        throw new Problem(
          'not-ended',
          `Run ${run.number} is ${run.status}. Cancel it first, or wait for its end.`,
        )
      return sendRun(reply, program, await runs.add(program, { asked: run.asked, retryOf: run.number }))
    },
  )
  await app.register(cancelRoute, { programs, runs })
}

const cancelRoute: FastifyPluginAsyncZod<Pick<Options, 'programs' | 'runs'>> = async (
  app,
  { programs, runs },
) => {
  app.post(
    '/programs/:program/runs/:run_id/cancel',
    {
      schema: {
        operationId: 'cancelRun',
        tags: ['runs'],
        security: needs('run'),
        summary: 'End a run',
        description:
          'One that waits does not begin; one that is running ends within a second or two, whatever machine it is on, and nothing of it is published.',
        params: runParams,
        querystring: z.strictObject({}),
        headers: idempotencyHeaders,
        response: keyedStatuses(
          { 202: ['It ends; `Location` is its address', runSchema] },
          ...(['unknown-program', 'unknown-run', 'already-ended'] as const),
          ...idempotencyProblems,
          ...bodyProblems,
        ),
      },
    },
    async ({ params }, reply) => {
      const { program } = programs.find(params.program)
      const { number, status } = await findRun(runs, program, params.run_id)
      if (!(await runs.cancel(program, number)))
        throw new Problem('already-ended', `Run ${number} has ended already: it is ${status}.`)
      return sendRun(reply, program, await findRun(runs, program, params.run_id))
    },
  )
}
