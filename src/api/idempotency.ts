import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { IdempotencyKey } from '../control/kept-answers.ts'
import { callerOf } from './caller.ts'
import { Problem } from './problems.ts'

/** For the schema of routes that take it; other headers pass. */
export const idempotencyHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?$/, 'is 1 to 255 printable characters')
    .optional()
    .meta({
      description:
        'The same key and body within 24 hours get the same answer, and nothing is done twice. Take a new one for each request, such as a UUID',
    }),
})

/** What a route with the header can answer beside its own. */
export const idempotencyProblems = ['request-in-progress', 'idempotency-key-reused'] as const

/** The key of a request with what it asks; null where it has none. @param body as it was sent */
export function idempotencyKeyOf(request: FastifyRequest, body: Uint8Array | string): IdempotencyKey | null {
  const key = request.headers['idempotency-key'] as string | undefined
  if (key === undefined) return null
  const [path, query = ''] = request.url.split('?', 2)
  return {
    scope: `${callerOf(request).keyId} ${request.method} ${path}`,
    key,
    fingerprint: createHash('sha256')
      .update(`${query}\n${request.headers['content-type'] ?? ''}\n`)
      .update(body)
      .digest('base64url'),
  }
}

/** Requests with a key that this process is answering. */
export class RequestsInProgress {
  readonly #open = new Set<string>()

  /** Runs `work` while no other request of the key does. **Errors** `request-in-progress` */
  async alone<T>(key: IdempotencyKey | null, work: () => Promise<T>): Promise<T> {
    if (key === null) return work()
    const name = JSON.stringify([key.scope, key.key])
    if (this.#open.has(name))
      throw new Problem(
        'request-in-progress',
        'A request with this Idempotency-Key is not answered yet. Send it again in a moment.',
      )
    this.#open.add(name)
    try {
      return await work()
    } finally {
      this.#open.delete(name)
    }
  }
}
