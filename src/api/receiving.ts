import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { z } from 'zod'
import { LoyalcastError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { quarantineReasons } from '../domain/tables.ts'
import type { Intake } from '../jobs/intake.ts'
import type { RowShape } from '../jobs/sent-rows.ts'
import { idempotencyKeyOf, RequestsInProgress } from './idempotency.ts'
import { Problem } from './problems.ts'
import { sendAnswer } from './what-if.ts'

const verdictSchema = z
  .strictObject({
    index: z.number().int().meta({ description: 'Place of the row in the request, from 0' }),
    status: z.enum(['accepted', 'duplicate', 'quarantined']),
    id: z.string().nullable().meta({ description: 'What the row is known by; null where it is not kept' }),
    reason: z.enum(Object.keys(quarantineReasons)).optional().meta({ description: 'Why it is not kept' }),
    words: z.string().optional().meta({ description: 'The same in words' }),
  })
  .meta({ id: 'RowAnswer' })

const count = z.number().int()

/** The answer to a request with rows. */
export const receivedSchema = z
  .strictObject({
    program: z.string(),
    accepted: count.meta({ description: 'Rows that are kept' }),
    duplicate: count.meta({ description: 'Rows that were kept before' }),
    quarantined: count.meta({ description: 'Rows that cannot be taken' }),
    rows: z.array(verdictSchema),
  })
  .meta({ id: 'ReceivedRows', description: 'What became of each row' })

/** Lets the routes of a plugin have bodies as they came. What they hold is read beside the server's own thread. */
export function takeRawBodies(app: FastifyInstance, types: readonly string[], bodyLimit: number): void {
  for (const type of types)
    app.addContentTypeParser(type, { parseAs: 'buffer', bodyLimit }, (_request, body, done) =>
      done(null, body),
    )
}

/** Hands bodies with rows to the intake and sends what it answers. */
export class RowReceiver {
  readonly #intake: Intake
  readonly #inProgress = new RequestsInProgress()

  constructor(intake: Intake) {
    this.#intake = intake
  }

  /** For `onRequest`: refuses a request before its body is read where too many wait already. */
  readonly enter: onRequestHookHandler = async (_request, reply) => {
    try {
      const leave = this.#intake.enter()
      reply.raw.once('close', leave)
    } catch (error) {
      throw error instanceof LoyalcastError ? new Problem('busy', error.message) : error
    }
  }

  async receive(
    request: FastifyRequest,
    reply: FastifyReply,
    { program, shape }: { program: Pick<Program, 'name'>; shape: RowShape },
  ): Promise<FastifyReply> {
    const body = (request.body ?? null) as Buffer | null
    if (body === null) throw new Problem('invalid-request', 'The body is empty; it must hold rows.')
    const idempotency = idempotencyKeyOf(request, body)
    const answer = await this.#inProgress.alone(idempotency, () =>
      this.#intake.receive({ program: program.name, shape, body, idempotency }),
    )
    if ('code' in answer) throw new Problem(answer.code, answer.detail)
    if (answer.isReplayed) reply.header('idempotent-replayed', 'true')
    return sendAnswer(reply, answer.json)
  }
}
