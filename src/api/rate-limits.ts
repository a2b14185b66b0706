import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { callerOf } from './caller.ts'
import { Problem } from './problems.ts'

/** How many requests may come from one key, or without a key from one address. */
export interface RateLimit {
  readonly requests: number
  readonly windowSeconds: number
}

type Limiter = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>

/** Each counts a request and says in the headers how many are left. **Errors** `too-many-requests`. */
export interface RateLimiters {
  /** For requests whose caller is known. */
  readonly ofKey: Limiter
  readonly ofAddress: Limiter
}

const unlimited: RateLimiters = { ofKey: async () => {}, ofAddress: async () => {} }

/**
 * What counts requests, each process for itself. Wrong keys are counted by address only after they were looked at: a
 * right key is never refused for what others at its address send.
 *
 * @param limit null: none.
 */
export async function limitRates(app: FastifyInstance, limit: RateLimit | null): Promise<RateLimiters> {
  if (limit === null) return unlimited
  const { requests, windowSeconds } = limit
  await app.register(rateLimit, {
    global: false,
    max: requests,
    timeWindow: windowSeconds * 1000,
    enableDraftSpec: true,
    errorResponseBuilder: (_, { ttl }) =>
      new Problem(
        'too-many-requests',
        `There were more than the ${requests} requests that one key, or without a key one address, may send in ${windowSeconds === 1 ? 'a second' : `${windowSeconds} seconds`}. Try again in ${Math.ceil(ttl / 1000)} s.`,
      ),
  })
  const ofKey = app.rateLimit({ keyGenerator: (request) => callerOf(request).keyId })
  const ofAddress = app.rateLimit({})
  return {
    ofKey: (request, reply) => ofKey.call(app, request, reply),
    ofAddress: (request, reply) => ofAddress.call(app, request, reply),
  }
}
