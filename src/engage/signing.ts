import { Webhook } from 'standardwebhooks'
import type { WebhookEndpoint } from '../control/webhook-endpoints.ts'
import { codeVersion } from '../domain/version.ts'

/** How long a secret that was replaced still signs, in milliseconds. */
export const secretOverlapMs = 24 * 60 * 60 * 1000

/** Secrets are made of so many random bytes. */
export const secretBytes = 32

/** The form that receivers know a secret in. */
export function secretOf(bytes: Uint8Array): string {
  return `whsec_${Buffer.from(bytes).toString('base64')}`
}

/**
 * The headers of a message as Standard Webhooks has them. Signed with the endpoint's secret and, for a day after it was
 * replaced, with the one before: a receiver may hold either.
 *
 * @param at when it is sent, ISO 8601
 */
export function signedHeaders(
  endpoint: Pick<WebhookEndpoint, 'secret' | 'previousSecret' | 'previousUntil'>,
  { messageId, payload, at }: { messageId: string; payload: string; at: string },
): Record<string, string> {
  const { secret, previousSecret, previousUntil } = endpoint
  const isPreviousValid = previousSecret !== null && previousUntil !== null && at < previousUntil
  const time = new Date(at)
  const signatures = [secret, ...(isPreviousValid ? [previousSecret] : [])].map((one) =>
    new Webhook(one).sign(messageId, time, payload),
  )
  return {
    'content-type': 'application/json',
    'user-agent': `Loyalcast/${codeVersion}`,
    'webhook-id': messageId,
    'webhook-timestamp': String(Math.floor(time.getTime() / 1000)),
    'webhook-signature': signatures.join(' '),
  }
}
