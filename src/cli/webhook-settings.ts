import { randomBytes } from 'node:crypto'
import type { WebhookSettings } from '../api/webhook-desk.ts'
import type { Environment } from '../domain/environment.ts'
import { usageError } from '../domain/errors.ts'
import { secretBytes, secretOf } from '../engage/signing.ts'
import { TargetRules } from '../engage/target-rules.ts'

/**
 * What the environment says of webhooks. `LOYALCAST_WEBHOOKS=off`: this process sends none.
 * `LOYALCAST_WEBHOOK_ALLOW`: hosts, addresses and networks that may be sent to although they are not public, separated
 * by commas. `LOYALCAST_WEBHOOK_HTTP=1`: `http:` will do everywhere.
 *
 * **Errors** `webhooks`, `webhook-allow` where a value is none of those.
 */
export function webhookSettings(environment: Environment, stopwatch: () => number): WebhookSettings {
  const {
    LOYALCAST_WEBHOOKS: sending = 'on',
    LOYALCAST_WEBHOOK_ALLOW: allow = '',
    LOYALCAST_WEBHOOK_HTTP: http = '0',
  } = environment
  requireOneOf('LOYALCAST_WEBHOOKS', sending, ['on', 'off'])
  requireOneOf('LOYALCAST_WEBHOOK_HTTP', http, ['0', '1'])
  const target = {
    isHttpAllowed: http === '1',
    allow: allow
      .split(',')
      .map((entry) => entry.trim())
      .filter((entry) => entry !== ''),
  }
  // What is wrong is better known before anything is started.
  new TargetRules(target)
  return {
    ...target,
    isSending: sending === 'on',
    makeSecret: () => secretOf(randomBytes(secretBytes)),
    random: Math.random,
    stopwatch,
  }
}

function requireOneOf(name: string, value: string, allowed: readonly string[]): void {
  if (!allowed.includes(value))
    throw usageError('webhooks', `${name} is ${value}; it is ${allowed.join(' or ')}.`)
}
