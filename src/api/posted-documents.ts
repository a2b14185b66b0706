import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Intake } from '../jobs/intake.ts'
import { segmentCalls } from '../jobs/sent-rows.ts'
import { keyedAnswers } from './answers.ts'
import { needs } from './caller.ts'
import { idempotencyHeaders } from './idempotency.ts'
import { programParams } from './prediction-schema.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import { RowReceiver, receivedSchema, takeRawBodies } from './receiving.ts'
import { longestRows, rowProblems } from './rows.ts'

interface Options {
  readonly programs: ServedPrograms
  readonly intake: Intake
}

const answered = 'An answer for each row, in order'

/** Documents of other tools: calls in Segment's shape, and whatever a mapping of the program file finds rows in. */
export const postedDocumentRoutes: FastifyPluginAsyncZod<Options> = async (app, options) => {
  takeRawBodies(app, ['application/json'], longestRows)
  await app.register(segmentRoutes, options)
  await app.register(inboundRoute, options)
}

const segmentRoutes: FastifyPluginAsyncZod<Options> = async (app, { programs, intake }) => {
  const receiver = new RowReceiver(intake)
  for (const call of segmentCalls)
    app.post(
      `/programs/:program/segment/${call}`,
      {
        bodyLimit: longestRows,
        onRequest: receiver.enter,
        schema: {
          operationId: `segment${call[0].toUpperCase()}${call.slice(1)}`,
          tags: ['rows'],
          security: needs('write'),
          summary: `Send ${call} as Segment has it`,
          description: `${callWords[call]} Who has no \`userId\` is quarantined. The key may also be the user name of Basic authentication, with an empty password.`,
          params: programParams,
          querystring: z.strictObject({}),
          headers: idempotencyHeaders,
          body: callBodies[call],
          response: keyedAnswers(answered, receivedSchema, ...rowProblems),
        },
      },
      async (request, reply) => {
        const { program } = programs.find(request.params.program)
        return receiver.receive(request, reply, { program, shape: { kind: 'segment', call } })
      },
    )
}

const trackWords =
  'An event: "Order Completed" is `order_completed`; `messageId` is its id, `timestamp` its time, and `revenue`, else `value`, of its properties is its value. Properties within a map are called `outer.inner`; lists and what is too long are left out.'
const identifyWords =
  'Attributes of a customer from `timestamp` on, and `createdAt` as the time of joining. Traits that say who somebody is (name, email, phone, address and the like) are not kept.'

const callWords: Readonly<Record<(typeof segmentCalls)[number], string>> = {
  identify: identifyWords,
  track: trackWords,
  batch: `Up to 10,000 calls of type \`identify\`, \`track\`, \`page\` or \`screen\`; the latter two are events called \`page_viewed\` and \`screen_viewed\`. track: ${trackWords} identify: ${identifyWords}`,
}

const identifyExample = { userId: 'c101', traits: { plan: 'gold' }, timestamp: '2026-11-20T08:30:00Z' }
const trackExample = {
  userId: 'c101',
  event: 'Order Completed',
  properties: { revenue: 49.9, channel: 'web' },
  timestamp: '2026-11-20T08:30:00Z',
  messageId: 'ajs-1',
}

const document = (description: string, example: unknown) =>
  z.unknown().meta({ type: 'object', description, examples: [example] })

const callBodies = {
  identify: document('An identify call', identifyExample),
  track: document('A track call', trackExample),
  batch: document('Calls with their types', {
    batch: [
      { type: 'identify', ...identifyExample },
      { type: 'track', ...trackExample },
    ],
  }),
}

const inboundRoute: FastifyPluginAsyncZod<Options> = async (app, { programs, intake }) => {
  const receiver = new RowReceiver(intake)
  app.post(
    '/programs/:program/inbound/:name',
    {
      bodyLimit: longestRows,
      onRequest: receiver.enter,
      schema: {
        operationId: 'postDocument',
        tags: ['rows'],
        security: needs('write'),
        summary: "Post a tool's document",
        description:
          'A JSON document of any shape, such as the webhook of a survey tool. `inbound` of the program file says under this name where its rows are and which columns they have.',
        params: programParams.extend({
          name: z
            .string()
            .max(40, 'is longer than any name')
            .meta({ description: 'Name of a mapping', examples: ['survey'] }),
        }),
        querystring: z.strictObject({}),
        headers: idempotencyHeaders,
        body: document('Whatever the tool sends', {
          responses: [{ contact: { id: 'c101' }, answers: [{ value: 9 }] }],
        }),
        response: keyedAnswers(answered, receivedSchema, 'unknown-mapping', ...rowProblems),
      },
    },
    async (request, reply) => {
      const { program } = programs.find(request.params.program)
      const { name } = request.params
      const mapping = Object.hasOwn(program.inbound, name) ? program.inbound[name] : undefined
      if (mapping === undefined)
        throw new Problem(
          'unknown-mapping',
          `${program.name} has no mapping ${name}. Its program file has: ${Object.keys(program.inbound).join(', ') || 'none'}.`,
        )
      return receiver.receive(request, reply, { program, shape: { kind: 'mapped', mapping } })
    },
  )
}
