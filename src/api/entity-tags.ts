import { createHash } from 'node:crypto'
import type { FastifyReply, onSendHookHandler } from 'fastify'

/** The tag of a result that is known by a text, or by its bytes. Weak: it may go out compressed or not. */
export function tagOf(content: string | Buffer): string {
  return `W/"${createHash('sha256').update(content).digest('base64url').slice(0, 27)}"`
}

/** Whether a client that sends this as If-None-Match has the result already. */
export function isHeld(sent: string | undefined, tag: string): boolean {
  const opaque = (one: string) => one.trim().replace(/^W\//, '')
  const held = sent?.split(',').map(opaque) ?? []
  return held.includes(opaque(tag)) || held.includes('*')
}

/** Says that nothing changed. */
export function sendUnchanged(reply: FastifyReply): FastifyReply {
  return reply.code(304).send()
}

/** Marks each result with a hash of its bytes, and answers 304 to those who have it. Results may be kept by the client only. */
export const tagResults: onSendHookHandler<unknown> = async (request, reply, payload) => {
  if (reply.statusCode !== 200 || !(typeof payload === 'string' || Buffer.isBuffer(payload))) return payload
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    reply.header('cache-control', 'no-store')
    return payload
  }
  // Some know what they send by other means than its bytes.
  const known = reply.getHeader('etag')
  const tag = typeof known === 'string' ? known : tagOf(payload)
  reply.header('etag', tag).header('cache-control', 'private, no-cache')
  if (!isHeld(request.headers['if-none-match'], tag)) return payload
  reply.code(304).removeHeader('content-type').removeHeader('content-length')
  return null
}
