import { createHash, timingSafeEqual } from 'node:crypto'
import type { onRequestHookHandler } from 'fastify'
import type { Caller } from './caller.ts'
import { Problem } from './problems.ts'
import { sentKey } from './sent-key.ts'

const keyOfServer: Caller = { keyId: 'server', name: 'server', role: 'admin', programs: null }

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
    const given = sentKey(request)
    if (given !== undefined && key.isSame(given)) {
      request.setDecorator('caller', keyOfServer)
      return
    }
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
