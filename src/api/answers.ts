import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import { type ProblemCode, problemSchema, problems, problemType } from './problems.ts'

/** Everything that a route can answer with, for the OpenAPI document: its result and the problems. */
export function answers<T extends z.ZodType>(
  description: string,
  schema: T,
  ...codes: readonly ProblemCode[]
) {
  return {
    200: { description, content: { 'application/json': { schema } } },
    ...problemAnswers(codes),
  }
}

/** The same for what needs a key. */
export function keyedAnswers<T extends z.ZodType>(
  description: string,
  schema: T,
  ...codes: readonly ProblemCode[]
) {
  return { ...answers(description, schema, ...keyedProblems, ...codes), 304: unchanged }
}

const unchanged = z.null().meta({ description: 'Nothing changed since the ETag that was sent' })

/** The same for rows of another media type, and for a client that has them already. */
export function keyedMedia(type: string, description: string, ...codes: readonly ProblemCode[]) {
  return {
    200: { description, content: { [type]: { schema: z.string() } } },
    304: unchanged,
    ...problemAnswers([...keyedProblems, ...codes]),
  }
}

/** Problems of everything that needs a key. */
const keyedProblems = [
  ...(['invalid-request', 'unauthorized', 'forbidden', 'too-many-requests'] as const),
  ...(['internal', 'unavailable'] as const),
]

/** The same for what makes something, or starts to: other statuses than 200. A schema of null: there is no body. */
export function keyedStatuses(
  results: Readonly<Record<number, readonly [description: string, schema: z.ZodType | null]>>,
  ...codes: readonly ProblemCode[]
): Record<number, object> {
  const described = Object.entries(results).map(([status, [description, schema]]) => [
    status,
    schema === null
      ? z.null().meta({ description })
      : { description, content: { 'application/json': { schema } } },
  ])
  return {
    ...Object.fromEntries(described),
    ...problemAnswers([...keyedProblems, ...codes]),
  }
}

/** Sends JSON that was kept: the schemas describe it, but an earlier version of Loyalcast may have made it. */
export function sendKept(reply: FastifyReply, body: object): FastifyReply {
  return reply.type(jsonType).send(JSON.stringify(body))
}

/** Sends JSON that is text already. */
export function sendText(reply: FastifyReply, json: string | Buffer): FastifyReply {
  return reply.type(jsonType).send(json)
}

/** Of results that are sent as text. */
export const jsonType = 'application/json; charset=utf-8'

/** What is no result, for the OpenAPI document. */
export function problemAnswers(codes: readonly ProblemCode[]): Record<number, object> {
  const byStatus = new Map<number, string[]>()
  for (const code of codes) {
    const [status, title] = problems[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), `\`${code}\`: ${title}.`])
  }
  return Object.fromEntries(
    [...byStatus].map(([status, words]) => [
      status,
      { description: words.join(' '), content: { [problemType]: { schema: problemSchema } } },
    ]),
  )
}
