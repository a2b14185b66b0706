import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import { mayDo, type Role, roles, type Scope } from '../domain/access.ts'
import type { Caller } from './caller.ts'
import type { KeyRing } from './key-ring.ts'
import { Problem } from './problems.ts'
import type { ServedPrograms } from './programs.ts'

export interface AccessOptions {
  readonly ring: KeyRing
  readonly programs: ServedPrograms
}

/**
 * Lets only requests pass whose key may do what the route needs, on a program that the key is for. What lies in other
 * programs is answered as if they were not there.
 */
export function requireAccess({ ring, programs }: AccessOptions): onRequestHookHandler {
  return async (request, reply) => {
    const caller = await authenticate(ring, request, reply)
    request.setDecorator('caller', caller)
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

/** **Errors** `unauthorized`. */
async function authenticate(ring: KeyRing, request: FastifyRequest, reply: FastifyReply): Promise<Caller> {
  const { authorization } = request.headers
  const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
  const found = given === undefined ? null : await ring.check(given)
  if (found !== null && typeof found !== 'string') return found
  const isMissing = authorization === undefined
  reply.header('www-authenticate', `Bearer realm="loyalcast"${isMissing ? '' : ', error="invalid_token"'}`)
  throw new Problem(
    'unauthorized',
    isMissing
      ? 'There is no key. Send the header Authorization: Bearer KEY.'
      : found === null
        ? 'The header Authorization is not of the form Bearer KEY.'
        : `The key ${found}`,
  )
}

function forbidden({ role }: Caller, scope: Scope): Problem {
  const able = (Object.keys(roles) as Role[]).filter((one) => mayDo(one, scope))
  return new Problem(
    'forbidden',
    `The key has the role ${role}, which may not ${scope}. Needed is the scope ${scope}; the roles that have it: ${able.join(', ')}.`,
  )
}
