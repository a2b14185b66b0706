import cors from '@fastify/cors'
import type { FastifyInstance } from 'fastify'

/** What a script of another site may send beside the key. */
const allowedHeaders = ['accept', 'authorization', 'content-type', 'idempotency-key', 'if-none-match']
/** What it may read of an answer beside the body. */
const exposedHeaders = [
  ...['etag', 'link', 'location', 'retry-after', 'x-request-id', 'content-disposition'],
  ...['loyalcast-cursor', 'loyalcast-next-cursor', 'idempotent-replayed'],
  ...['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'],
]

/** Lets scripts of other sites read answers. @param origins such as `https://bi.example.org`; without any nothing is added. */
export async function allowOrigins(app: FastifyInstance, origins: readonly string[]): Promise<void> {
  if (origins.length === 0) return
  await app.register(cors, {
    origin: [...origins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    ...{ allowedHeaders, exposedHeaders, maxAge: 600, strictPreflight: false, hideOptionsRoute: true },
  })
}
