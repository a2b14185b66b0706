import type { FastifyRequest } from 'fastify'
import type { Role, Scope } from '../domain/access.ts'

/** Who sends a request, as its key tells. */
export interface Caller {
  /** Of the key; never the key itself. */
  readonly keyId: string
  readonly name: string
  readonly role: Role
  /** Null: all that are served. */
  readonly programs: readonly string[] | null
}

/** For the schema of a route: what its callers must be allowed to do. It stands in the OpenAPI document and is what access is checked by. */
export function needs(scope: Scope): { key: Scope[] }[] {
  return [{ key: [scope] }]
}

/** Who sends a request below /v1. */
export function callerOf(request: FastifyRequest): Caller {
  return request.getDecorator<Caller>('caller')
}
