import type { Kysely } from 'kysely'
import type { ControlTables } from './control-tables.ts'
import { Leases } from './leases.ts'
import { WebhookDeliveries } from './webhook-deliveries.ts'
import { WebhookEndpoints } from './webhook-endpoints.ts'
import { WebhookOutbox } from './webhook-outbox.ts'

/** Everything that is kept of a program's webhooks. */
export interface Webhooks {
  readonly endpoints: WebhookEndpoints
  readonly outbox: WebhookOutbox
  readonly deliveries: WebhookDeliveries
  readonly leases: Leases
}

export function openWebhooks(tables: Kysely<ControlTables>): Webhooks {
  return {
    endpoints: new WebhookEndpoints(tables),
    outbox: new WebhookOutbox(tables),
    deliveries: new WebhookDeliveries(tables),
    leases: new Leases(tables),
  }
}
