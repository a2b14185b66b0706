import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { LoyalcastError } from '../domain/errors.ts'

/** Everything that a request can be answered with and that is no result: code → status and title. Codes are stable. */
export const problems = {
  'invalid-request': [400, 'The request is not valid'],
  'invalid-cursor': [400, 'The cursor is not valid'],
  unauthorized: [401, 'A key is needed'],
  forbidden: [403, 'The key may not do this'],
  'unknown-program': [404, 'There is no such program'],
  'unknown-customer': [404, 'There is no prediction for this customer'],
  'no-predictions': [404, 'There are no predictions'],
  'unknown-job': [404, 'There is no such job'],
  'unknown-run': [404, 'There is no such run'],
  'unknown-scenario': [404, 'There is no such scenario'],
  'unknown-key': [404, 'There is no such key'],
  'unknown-webhook': [404, 'There is no such webhook'],
  'unknown-delivery': [404, 'There is no such delivery'],
  'unknown-mapping': [404, 'There is no such mapping'],
  'unknown-route': [404, 'There is no such address'],
  'method-not-allowed': [405, 'The method is not allowed here'],
  timeout: [408, 'The request took too long to arrive'],
  'request-in-progress': [409, 'The same request is being answered'],
  'already-ended': [409, 'It has ended already'],
  'not-ended': [409, 'It has not ended yet'],
  'too-many-webhooks': [409, 'There are too many webhooks'],
  'webhook-inactive': [409, 'The webhook is not active'],
  'cursor-expired': [410, 'The cursor is too old'],
  'body-too-large': [413, 'The body is too large'],
  'address-too-long': [414, 'The address is too long'],
  'unsupported-media-type': [415, 'The body is of a kind that is not read here'],
  'invalid-question': [422, 'The question cannot be answered'],
  'too-many-requests': [429, 'There are too many requests'],
  'invalid-webhook-url': [422, 'Nothing may be sent to this address'],
  'idempotency-key-reused': [422, 'The Idempotency-Key was used for another request'],
  'headers-too-large': [431, 'The headers are too large'],
  internal: [500, 'Something went wrong here'],
  unavailable: [503, 'The service cannot answer right now'],
  busy: [503, 'There is too much to do right now'],
  'inbox-full': [503, 'Too much waits to be ingested'],
} as const satisfies Record<string, readonly [status: number, title: string]>

export type ProblemCode = keyof typeof problems

const problemTypes = (Object.keys(problems) as ProblemCode[]).map(nameOfType)

/** A URN of this project's own. */
function nameOfType<T extends ProblemCode>(code: T): `urn:loyalcast:problem:${T}` {
  return `urn:loyalcast:problem:${code}`
}

export const problemType = 'application/problem+json'

const fieldProblem = z.object({
  field: z.string().meta({ description: 'Which parameter', examples: ['limit'] }),
  detail: z.string().meta({ description: 'What was found or what is allowed' }),
})

/** The body of every answer that is no result, as RFC 9457 has it. */
export const problemSchema = z
  .object({
    type: z.enum(problemTypes).meta({
      description: 'Stable name of the problem; later versions may have more',
      examples: ['urn:loyalcast:problem:unknown-customer'],
    }),
    title: z.string().meta({ description: 'The same words for every problem of the type' }),
    status: z
      .number()
      .int()
      .meta({ description: 'HTTP status', examples: [404] }),
    detail: z.string().meta({ description: 'What was seen and what is allowed' }),
    instance: z.string().meta({ description: 'Path of the request' }),
    request_id: z
      .string()
      .meta({ description: 'Also in the log of the server and in the header x-request-id' }),
    errors: z.array(fieldProblem).optional().meta({ description: 'What is wrong with which parameter' }),
    days: z
      .array(z.string())
      .optional()
      .meta({ description: 'Days that have predictions, newest first, at most 100' }),
  })
  .meta({ id: 'Problem', description: 'Why there is no result (RFC 9457)' })
export type ProblemBody = z.infer<typeof problemSchema>

/** A reason to answer with a problem. `detail` says what was seen and what is allowed. */
export class Problem extends Error {
  override readonly name = 'Problem'

  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    readonly more: Pick<ProblemBody, 'errors' | 'days'> = {},
  ) {
    super(detail)
  }
}

/** When to try again, in seconds. */
const retryAfterSeconds: Partial<Record<ProblemCode, number>> = {
  'request-in-progress': 1,
  busy: 10,
  'inbox-full': 300,
}

/** Answers with a problem. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const body: ProblemBody = {
    ...problemParts(problem),
    instance: request.url.split('?', 1)[0].slice(0, 1000),
    request_id: request.id,
  }
  // Where the address itself cannot be read no hook has run.
  reply.header('x-request-id', request.id)
  const seconds = retryAfterSeconds[problem.code]
  if (seconds !== undefined) reply.header('retry-after', String(seconds))
  return reply.code(body.status).type(problemType).serializer(JSON.stringify).send(body)
}

/** A problem without the request that met it. */
export function problemParts(problem: Problem): Omit<ProblemBody, 'instance' | 'request_id'> {
  const [status, title] = problems[problem.code]
  const type = nameOfType(problem.code)
  return { type, title, status, detail: problem.detail, ...problem.more }
}

/** Turns whatever was thrown into a problem. What is not expected is logged, and answered without its inside. */
export function problemOf(error: unknown, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error
  const { code, validation, validationContext } = error as FastifyError
  if (validation !== undefined) return invalidRequest(validation, validationContext)
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new Problem(
      'body-too-large',
      `A body may have up to ${request.routeOptions.bodyLimit} bytes here.`,
    )
  // Nobody is there to be told, and nothing is wrong here.
  if (code === 'ECONNRESET' && request.raw.errored !== null)
    return new Problem('invalid-request', 'The connection ended before the request did.')
  const expected = frameworkProblems[code]
  if (expected !== undefined) return new Problem(...expected)
  request.log.error({ err: error }, 'request failed')
  if (error instanceof LoyalcastError && error.kind === 'failed')
    return new Problem('unavailable', "The lake could not be read. The server's log says why.")
  return new Problem('internal', "The server's log holds the cause under the request's id.")
}

const frameworkProblems: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_BAD_URL: [
    'invalid-request',
    'The address cannot be decoded: a % must be followed by two hexadecimal digits of UTF-8.',
  ],
  FST_ERR_MAX_PARAM_LENGTH: [
    'address-too-long',
    'A part of the address is longer than any name or id can be.',
  ],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: [
    'unsupported-media-type',
    'Bodies are read as JSON only. Send the header Content-Type: application/json.',
  ],
  FST_ERR_CTP_INVALID_JSON_BODY: ['invalid-request', 'The body is no JSON.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['invalid-request', 'The body is empty; it must be JSON.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: [
    'invalid-request',
    'The body is not as long as its Content-Length says.',
  ],
}

/** One sentence and the fields, from what the schemas found. */
function invalidRequest(
  issues: NonNullable<FastifyError['validation']>,
  context: FastifyError['validationContext'],
): Problem {
  const errors = issues.flatMap(({ keyword, instancePath, message, params }) => {
    const detail = message ?? 'is not valid'
    const unknown = keyword === 'unrecognized_keys' ? (params as { keys?: string[] }).keys : undefined
    if (unknown)
      return unknown.map((field) => ({
        field: field.slice(0, 100),
        detail: 'is not a parameter of this address',
      }))
    return [{ field: instancePath.slice(1), detail }]
  })
  const where = context === 'params' ? 'In the path' : context === 'body' ? 'In the body' : 'In the query'
  const words = errors.map(({ field, detail }) => `${field} ${detail}`).join('; ')
  return new Problem('invalid-request', `${where}: ${words}.`, { errors })
}
