import type { FastifyRequest, onRequestHookHandler } from 'fastify'
import { mayDo, type Role, roles, type Scope } from '../domain/access.ts'
import type { Caller } from './caller.ts'
import type { KeyRing } from './key-ring.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'
import type { RateLimiters } from './rate-limits.ts'
import { sentKey } from './sent-key.ts'

export interface AccessOptions {
  readonly ring: KeyRing
  readonly programs: ServedPrograms
  readonly limiters: RateLimiters
}

/**
 * Lets only requests pass whose key may do what the route needs, on a program that the key is for. What lies in other
 * programs is answered as if they were not there.
 */
export function requireAccess({ ring, programs, limiters }: AccessOptions): onRequestHookHandler {
  return async (request, reply) => {
    const caller = await authenticate(ring, request)
    if (caller instanceof Problem) {
      await limiters.ofAddress(request, reply)
      const isMissing = request.headers.authorization === undefined
      const words = isMissing ? '' : ', error="invalid_token"'
      reply.header('www-authenticate', `Bearer realm="loyalcast"${words}`)
      throw caller
    }
    request.setDecorator('caller', caller)
    await limiters.ofKey(request, reply)
    const scope = scopeOf(request.routeOptions.schema)
    if (scope !== null && !mayDo(caller.role, scope)) throw forbidden(caller, scope)
    const { program } = request.params as { program?: string }
    if (program !== undefined && caller.programs !== null) programs.find(program, caller)
  }
}

/** What a route needs; null for those that only say that there is nothing. */
export function scopeOf(schema: unknown): Scope | null {
  const { security } = (schema ?? {}) as { security?: readonly { readonly key?: readonly Scope[] }[] }
  return security?.[0]?.key?.[0] ?? null
}

async function authenticate(ring: KeyRing, request: FastifyRequest): Promise<Caller | Problem> {
  if (request.headers.authorization === undefined)
    return new Problem('unauthorized', 'There is no key. Send the header Authorization: Bearer KEY.')
  const given = sentKey(request)
  if (given === undefined)
    return new Problem('unauthorized', 'The header Authorization is not of the form Bearer KEY.')
  const found = await ring.check(given)
  return typeof found === 'string' ? new Problem('unauthorized', `The key ${found}`) : found
}

function forbidden({ role }: Caller, scope: Scope): Problem {
  const able = (Object.keys(roles) as Role[]).filter((one) => mayDo(one, scope))
  return new Problem(
    'forbidden',
    `The key has the role ${role}, which may not ${scope}. Needed is the scope ${scope}; the roles that have it: ${able.join(', ')}.`,
  )
}
