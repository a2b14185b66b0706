import { createHash } from 'node:crypto'
import type { onSendHookHandler } from 'fastify'

/** Marks each result with a hash of its bytes, and answers 304 to those who have it. Results may be kept by the client only. */
export const tagResults: onSendHookHandler<unknown> = async (request, reply, payload) => {
  if (reply.statusCode !== 200 || typeof payload !== 'string') return payload
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    reply.header('cache-control', 'no-store')
    return payload
  }
  const tag = `"${createHash('sha256').update(payload).digest('base64url').slice(0, 27)}"`
  reply.header('etag', tag).header('cache-control', 'private, no-cache')
  const held = request.headers['if-none-match']?.split(',').map((one) => one.trim().replace(/^W\//, ''))
  if (!held?.includes(tag) && !held?.includes('*')) return payload
  reply.code(304).removeHeader('content-type').removeHeader('content-length')
  return null
}
