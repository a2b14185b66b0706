import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { askedOn } from '../simulation/question-forms.ts'
import { keyedAnswers, keyedStatuses, sendKept } from './answers.ts'
import { readQuestion } from './asked-question.ts'
import { needs } from './caller.ts'
import { sendJob } from './jobs.ts'
import { listQuery, nextCursor, pageStart, readListPage } from './list-page.ts'
import { daySchema } from './prediction-schema.ts'
import type { ServedPrograms } from './programs.ts'
import { answerBody, findScenario, recordedAnswerSchema, scenarioParams } from './scenarios.ts'
import {
  answerStatuses,
  askingProblems,
  bodyProblems,
  fullQuery,
  longestQuestion,
  sendAnswer,
} from './what-if.ts'
import type { WhatIfDesk } from './what-if-desk.ts'

interface Options {
  readonly programs: ServedPrograms
  readonly desk: WhatIfDesk
}

const askedAgain = z.strictObject({ date: daySchema.optional() })

/** Saved scenarios, asked again. */
export const scenarioAnswerRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  await app.register(answerRoute, options)
  await app.register(answersRoute, options)
}

const answerRoute: FastifyPluginAsyncZod<Options> = async (app, { programs, desk }) => {
  app.post(
    '/programs/:program/scenarios/:scenario_id/answer',
    {
      bodyLimit: longestQuestion,
      schema: {
        operationId: 'answerScenario',
        tags: ['scenarios'],
        security: needs('ask'),
        summary: 'Ask a saved scenario again',
        description:
          'Of the latest day with predictions, or of `date`; the body may be left out. The differences are remembered: see its answers.',
        params: scenarioParams,
        querystring: fullQuery,
        body: askedAgain.nullish(),
        response: keyedStatuses(answerStatuses, ...askingProblems, 'unknown-scenario', ...bodyProblems),
      },
    },
    async ({ params, query, body }, reply) => {
      const served = programs.find(params.program)
      const { program } = served
      const { id, question: text } = await findScenario(desk, served, params.scenario_id)
      const question = askedOn(readQuestion(text), body?.date ?? null)
      if (query.full === 'true')
        return sendJob(reply, program, await desk.queue({ program, question, text, scenarioId: id }))
      const { json, record } = await desk.answer({ program, question })
      const { scenarios } = await desk.control(program)
      await scenarios.record(id, { ...record, answeredAt: desk.clock() })
      return sendAnswer(reply, json)
    },
  )
}

const answersRoute: FastifyPluginAsyncZod<Options> = async (app, { programs, desk }) => {
  const page = z.object({
    program: z.string(),
    scenario_id: z.string(),
    answers: z.array(recordedAnswerSchema),
    next_cursor: nextCursor,
  })
  app.get(
    '/programs/:program/scenarios/:scenario_id/answers',
    {
      schema: {
        operationId: 'listAnswers',
        tags: ['scenarios'],
        security: needs('read'),
        summary: 'What a saved scenario was answered with',
        description: 'The differences of its last 200 answers, latest first, so that days can be compared.',
        params: scenarioParams,
        querystring: listQuery,
        response: keyedAnswers(
          'A page of answers',
          page.meta({ id: 'AnswerPage' }),
          'invalid-cursor',
          'unknown-program',
          'unknown-scenario',
        ),
      },
    },
    async ({ params, query }, reply) => {
      const served = programs.find(params.program)
      const { id } = await findScenario(desk, served, params.scenario_id)
      const { scenarios } = await desk.control(served.program)
      const list = `${served.program.name}/answers/${id}`
      const read = await readListPage(pageStart(query, list), list, (wanted) => scenarios.answers(id, wanted))
      const body = {
        program: served.program.name,
        scenario_id: id,
        answers: read.rows.map(answerBody),
        next_cursor: read.next_cursor,
      }
      return sendKept(reply, body)
    },
  )
}
