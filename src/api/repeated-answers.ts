import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { IdempotencyKey } from '../control/kept-answers.ts'
import type { Intake } from '../jobs/intake.ts'
import { jsonType } from './answers.ts'
import { idempotencyKeyOf } from './idempotency.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'

/**
 * Lets the POST routes of a plugin give the same answer again under the same Idempotency-Key, without doing anything
 * twice. Their schemas have `idempotencyHeaders` and `idempotencyProblems`. What fails is not kept: it may be tried
 * again. Routes that keep rows have answers of their own, kept together with the rows.
 */
export function repeatAnswers(
  app: FastifyInstance,
  { programs, intake }: { readonly programs: ServedPrograms; readonly intake: Intake },
): void {
  const open = new WeakMap<FastifyRequest, { readonly program: string; readonly key: IdempotencyKey }>()
  const names = new Set<string>()
  const nameOf = ({ scope, key }: IdempotencyKey) => JSON.stringify([scope, key])
  app.addHook('preHandler', async (request, reply) => {
    if (request.method !== 'POST') return
    const key = idempotencyKeyOf(request, JSON.stringify(request.body ?? null))
    if (key === null) return
    const { program } = programs.find((request.params as { program: string }).program)
    if (names.has(nameOf(key)))
      throw new Problem(
        'request-in-progress',
        'A request with this Idempotency-Key is not answered yet. Send it again in a moment.',
      )
    names.add(nameOf(key))
    open.set(request, { program: program.name, key })
    const known = await intake.findAnswer(program.name, key)
    if (known === null) return
    open.delete(request)
    names.delete(nameOf(key))
    if (known === 'other')
      throw new Problem(
        'idempotency-key-reused',
        'The Idempotency-Key was sent with another request before. Take a new key for each.',
      )
    const { location, text } = JSON.parse(known.body) as { location?: string; text: string }
    if (location !== undefined) reply.header('location', location)
    return reply.header('idempotent-replayed', 'true').code(known.status).type(jsonType).send(text)
  })
  app.addHook('onSend', async (request, reply, payload) => {
    const asked = open.get(request)
    if (asked === undefined || reply.statusCode >= 300 || typeof payload !== 'string') return payload
    const body = JSON.stringify({ location: reply.getHeader('location'), text: payload })
    await intake.keepAnswer(asked.program, asked.key, { status: reply.statusCode, body })
    return payload
  })
  app.addHook('onResponse', async (request) => {
    const asked = open.get(request)
    if (asked) names.delete(nameOf(asked.key))
  })
}
