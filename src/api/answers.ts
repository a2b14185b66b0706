import type { z } from 'zod'
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
  return answers(description, schema, 'invalid-request', 'unauthorized', 'internal', 'unavailable', ...codes)
}

function problemAnswers(codes: readonly ProblemCode[]): Record<number, object> {
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
