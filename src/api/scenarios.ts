import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { RecordedAnswer, SavedScenario } from '../control/saved-scenarios.ts'
import { headlineSchema } from '../jobs/headlines.ts'
import type { Intake } from '../jobs/intake.ts'
import { keyedAnswers, keyedStatuses, sendKept } from './answers.ts'
import { readQuestion } from './asked-question.ts'
import { needs } from './caller.ts'
import { idempotencyHeaders, idempotencyProblems } from './idempotency.ts'
import { idSchema } from './jobs.ts'
import { listQuery, nextCursor, pageStart, readListPage } from './list-page.ts'
import { programParams } from './prediction-schema.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import { repeatAnswers } from './repeated-answers.ts'
import { bodyProblems, longestQuestion } from './what-if.ts'
import type { WhatIfDesk } from './what-if-desk.ts'
import { questionBody } from './what-if-schema.ts'

export const scenarioParams = programParams.extend({ scenario_id: idSchema })

export const recordedAnswerSchema = z
  .object({
    answered_at: z.string(),
    date: z.string().meta({ description: 'The day that was asked of' }),
    model_version: z.string(),
    full: z.boolean().meta({ description: 'Everybody was looked at instead of a sample' }),
    headlines: z.array(headlineSchema).meta({ description: 'The differences, one for each scenario' }),
  })
  .meta({ id: 'RecordedAnswer', description: 'What is remembered of an answer' })

const scenarioSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    question: questionBody,
    created_at: z.string(),
    last_answer: recordedAnswerSchema.nullable(),
  })
  .meta({ id: 'SavedScenario', description: 'A question that is kept, to be asked again' })

const nameSchema = z
  .string('is a name')
  .trim()
  .min(1, 'is empty')
  .max(200, 'is longer than 200 characters')
  .meta({ description: 'For people' })

const savedBody = z.strictObject({ name: nameSchema, question: questionBody })

/** A saved scenario as it is sent. */
export function scenarioBody({ id, name, question, createdAt, lastAnswer }: SavedScenario) {
  return { id, name, question, created_at: createdAt, last_answer: lastAnswer && answerBody(lastAnswer) }
}

/** A remembered answer as it is sent. */
export function answerBody({ answeredAt, date, modelVersion, isFull, headlines }: RecordedAnswer) {
  return { answered_at: answeredAt, date, model_version: modelVersion, full: isFull, headlines }
}

/** **Errors** `unknown-scenario`. */
export async function findScenario(
  desk: WhatIfDesk,
  served: { readonly program: Parameters<WhatIfDesk['control']>[0] },
  id: string,
): Promise<SavedScenario> {
  const { scenarios } = await desk.control(served.program)
  const found = await scenarios.find(id)
  if (found) return found
  throw unknownScenario(served.program.name, id)
}

function unknownScenario(program: string, id: string): Problem {
  return new Problem(
    'unknown-scenario',
    `${program} has no saved scenario ${id}. GET /v1/programs/${program}/scenarios lists them.`,
  )
}

interface Options {
  readonly programs: ServedPrograms
  readonly desk: WhatIfDesk
  readonly intake: Intake
}

/** Questions that are kept. */
export const scenarioRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  await app.register(saveRoute, options)
  await app.register(readRoutes, options)
  await app.register(removeRoute, options)
}

const saveRoute: FastifyPluginAsyncZod<Options> = async (app, { programs, desk, intake }) => {
  repeatAnswers(app, { programs, intake })
  app.post(
    '/programs/:program/scenarios',
    {
      bodyLimit: longestQuestion,
      schema: {
        operationId: 'saveScenario',
        tags: ['scenarios'],
        security: needs('ask'),
        summary: 'Keep a question',
        description:
          'It is checked against the data, but not answered yet. A date of its own does not count when it is asked again.',
        params: programParams,
        querystring: z.strictObject({}),
        headers: idempotencyHeaders,
        body: savedBody,
        response: keyedStatuses(
          { 201: ['It is kept; `Location` is its address', scenarioSchema] },
          ...(['unknown-program', 'no-predictions', 'invalid-question', 'busy'] as const),
          ...idempotencyProblems,
          ...bodyProblems,
        ),
      },
    },
    async ({ params, body }, reply) => {
      const { program } = programs.find(params.program)
      const question = readQuestion(body.question)
      await desk.check({ program, question })
      const saved = { id: desk.makeId(), name: body.name, question: body.question, createdAt: desk.clock() }
      await (await desk.control(program)).scenarios.save(saved)
      reply.code(201).header('location', `/v1/programs/${program.name}/scenarios/${saved.id}`)
      return sendKept(reply, scenarioBody({ ...saved, lastAnswer: null }))
    },
  )
}

const readRoutes: FastifyPluginAsyncZod<Options> = async (app, { programs, desk }) => {
  const page = z.object({ program: z.string(), scenarios: z.array(scenarioSchema), next_cursor: nextCursor })
  app.get(
    '/programs/:program/scenarios',
    {
      schema: {
        operationId: 'listScenarios',
        tags: ['scenarios'],
        security: needs('read'),
        summary: 'The saved scenarios',
        description: 'Newest first, each with what it was answered with last.',
        params: programParams,
        querystring: listQuery,
        response: keyedAnswers(
          'A page of scenarios',
          page.meta({ id: 'ScenarioPage' }),
          'invalid-cursor',
          'unknown-program',
        ),
      },
    },
    async ({ params, query }, reply) => {
      const { program } = programs.find(params.program)
      const { scenarios } = await desk.control(program)
      const list = `${program.name}/scenarios`
      const read = await readListPage(pageStart(query, list), list, (wanted) => scenarios.list(wanted))
      const body = {
        program: program.name,
        scenarios: read.rows.map(scenarioBody),
        next_cursor: read.next_cursor,
      }
      return sendKept(reply, body)
    },
  )
  app.get(
    '/programs/:program/scenarios/:scenario_id',
    {
      schema: {
        operationId: 'readScenario',
        tags: ['scenarios'],
        security: needs('read'),
        summary: 'A saved scenario',
        description: 'With what it was answered with last.',
        params: scenarioParams,
        querystring: z.strictObject({}),
        response: keyedAnswers('The scenario', scenarioSchema, 'unknown-program', 'unknown-scenario'),
      },
    },
    async ({ params }, reply) => {
      const served = programs.find(params.program)
      const found = await findScenario(desk, served, params.scenario_id)
      return sendKept(reply, scenarioBody(found))
    },
  )
}

const removeRoute: FastifyPluginAsyncZod<Options> = async (app, { programs, desk }) => {
  app.delete(
    '/programs/:program/scenarios/:scenario_id',
    {
      schema: {
        operationId: 'removeScenario',
        tags: ['scenarios'],
        security: needs('ask'),
        summary: 'Forget a saved scenario',
        description: 'And what it was answered with.',
        params: scenarioParams,
        querystring: z.strictObject({}),
        response: keyedStatuses({ 204: ['It is gone', null] }, 'unknown-program', 'unknown-scenario'),
      },
    },
    async ({ params }, reply) => {
      const { program } = programs.find(params.program)
      const { scenarios } = await desk.control(program)
      if (!(await scenarios.remove(params.scenario_id)))
        throw unknownScenario(program.name, params.scenario_id)
      return reply.code(204).send(null)
    },
  )
}
