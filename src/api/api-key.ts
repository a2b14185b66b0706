import { createHash, timingSafeEqual } from 'node:crypto'
import type { onRequestHookHandler } from 'fastify'
import { Problem } from './problems.ts'

/** The key of an API, held as its hash only. */
export class ApiKey {
  readonly #hash: Buffer

  constructor(key: string) {
    this.#hash = hashOf(key)
  }

  /** Takes the same time whatever is wrong. */
  isSame(given: string): boolean {
    return timingSafeEqual(hashOf(given), this.#hash)
  }
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

/** Lets only requests with the key pass. */
export function requireKey(key: ApiKey): onRequestHookHandler {
  return async (request, reply) => {
    const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1]
    if (given !== undefined && key.isSame(given)) return
    const isMissing = request.headers.authorization === undefined
    reply.header('www-authenticate', `Bearer realm="loyalcast"${isMissing ? '' : ', error="invalid_token"'}`)
    throw new Problem(
      'unauthorized',
      isMissing
        ? 'There is no key. Send the header Authorization: Bearer KEY.'
        : given === undefined
          ? 'The header Authorization is not of the form Bearer KEY.'
          : 'The key is not known.',
    )
  }
}
