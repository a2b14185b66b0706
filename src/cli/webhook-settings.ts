import { randomBytes } from 'node:crypto'
import type { WebhookSettings } from '../api/webhook-desk.ts'
import type { Environment } from '../domain/environment.ts'
import { secretBytes, secretOf } from '../engage/signing.ts'
import { TargetRules } from '../engage/target-rules.ts'
import { readSettings } from './settings.ts'

/** What the environment says of webhooks. **Errors** `setting`, `webhook-allow` where a value is not allowed. */
export function webhookSettings(environment: Environment, stopwatch: () => number): WebhookSettings {
  const given = readSettings(environment, ['WEBHOOKS', 'WEBHOOK_ALLOW', 'WEBHOOK_HTTP'])
  const target = { isHttpAllowed: given.WEBHOOK_HTTP, allow: given.WEBHOOK_ALLOW }
  // What is wrong is better known before anything is started.
  new TargetRules(target)
  return {
    ...target,
    isSending: given.WEBHOOKS,
    makeSecret: () => secretOf(randomBytes(secretBytes)),
    random: Math.random,
    stopwatch,
  }
}
