import type { Generated, Kysely, Migration } from 'kysely'

/** Where a program's events are sent. Times are ISO 8601 in UTC with milliseconds, so that they sort as text. */
export interface WebhookEndpointRow {
  /** Later ones have larger numbers. */
  readonly number: Generated<number>
  readonly id: string
  readonly url: string
  /** A list, JSON; `*` stands for all. */
  readonly event_types: string
  readonly description: string
  readonly is_active: 0 | 1
  /** Why and when Loyalcast itself stopped sending to it. */
  readonly disabled_reason: string | null
  readonly disabled_at: string | null
  /** First failure since something last got through. */
  readonly failing_since: string | null
  /** Signatures need the secret itself, so that no hash will do. */
  readonly secret: string
  /** The one before it, which still signs until then. */
  readonly previous_secret: string | null
  readonly previous_until: string | null
  readonly created_at: string
  readonly updated_at: string
}

/** An event that is sent to at least one endpoint. */
export interface WebhookMessageRow {
  /** Sent with every try, so that a receiver knows what it has already. */
  readonly id: string
  readonly type: string
  /** The body, byte by byte what is signed. */
  readonly payload: string
  readonly created_at: string
}

export type DeliveryStatus = 'pending' | 'delivered' | 'dead'

/** A message on its way to an endpoint. */
export interface WebhookDeliveryRow {
  readonly number: Generated<number>
  readonly endpoint_id: string
  readonly message_id: string
  readonly status: DeliveryStatus
  /** Since it was made or replayed. */
  readonly tries: number
  /** Null once it is finished. */
  readonly next_try_at: string | null
  readonly last_try_at: string | null
  /** HTTP status; null where there was no answer. */
  readonly last_status: number | null
  readonly last_problem: string | null
  readonly last_excerpt: string | null
  readonly last_ms: number | null
  readonly created_at: string
  readonly finished_at: string | null
}

/** One try. */
export interface WebhookAttemptRow {
  readonly number: Generated<number>
  readonly delivery: number
  readonly at: string
  readonly status: number | null
  readonly problem: string | null
  readonly excerpt: string | null
  readonly ms: number
}

/** How far a source of events has been read. */
export interface WebhookWatermarkRow {
  readonly source: string
  readonly position: string
}

/** Which process does a piece of work that only one may do at a time. */
export interface LeaseRow {
  readonly name: string
  readonly holder: string
  readonly expires_at: string
}

export interface WebhookTables {
  readonly webhook_endpoints: WebhookEndpointRow
  readonly webhook_messages: WebhookMessageRow
  readonly webhook_deliveries: WebhookDeliveryRow
  readonly webhook_attempts: WebhookAttemptRow
  readonly webhook_watermarks: WebhookWatermarkRow
  readonly leases: LeaseRow
}

/** The tables of webhooks: endpoints, the outbox and what became of each message. */
export const webhookMigration: Migration = {
  async up(database) {
    await makeEndpoints(database)
    await makeDeliveries(database)
    await makeAttempts(database)
    await database.schema
      .createTable('webhook_watermarks')
      .addColumn('source', 'text', (column) => column.primaryKey())
      .addColumn('position', 'text', (column) => column.notNull())
      .execute()
    await database.schema
      .createTable('leases')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('holder', 'text', (column) => column.notNull())
      .addColumn('expires_at', 'text', (column) => column.notNull())
      .execute()
  },
}

async function makeEndpoints(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('webhook_endpoints')
    .addColumn('number', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('id', 'text', (column) => column.notNull().unique())
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('event_types', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('is_active', 'integer', (column) => column.notNull())
    .addColumn('disabled_reason', 'text')
    .addColumn('disabled_at', 'text')
    .addColumn('failing_since', 'text')
    .addColumn('secret', 'text', (column) => column.notNull())
    .addColumn('previous_secret', 'text')
    .addColumn('previous_until', 'text')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('updated_at', 'text', (column) => column.notNull())
    .execute()
}

async function makeDeliveries(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('webhook_messages')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('created_at', 'text', (column) => column.notNull())
    .execute()
  await database.schema
    .createTable('webhook_deliveries')
    .addColumn('number', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('endpoint_id', 'text', (column) =>
      column.notNull().references('webhook_endpoints.id').onDelete('cascade'),
    )
    .addColumn('message_id', 'text', (column) =>
      column.notNull().references('webhook_messages.id').onDelete('cascade'),
    )
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('tries', 'integer', (column) => column.notNull())
    .addColumn('next_try_at', 'text')
    .addColumn('last_try_at', 'text')
    .addColumn('last_status', 'integer')
    .addColumn('last_problem', 'text')
    .addColumn('last_excerpt', 'text')
    .addColumn('last_ms', 'real')
    .addColumn('created_at', 'text', (column) => column.notNull())
    .addColumn('finished_at', 'text')
    .addUniqueConstraint('delivery_of_message', ['message_id', 'endpoint_id'])
    .execute()
  await index(database, 'webhook_deliveries', ['status', 'endpoint_id', 'next_try_at'])
  await index(database, 'webhook_deliveries', ['endpoint_id', 'number'])
  await index(database, 'webhook_deliveries', ['created_at'])
}

async function makeAttempts(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('webhook_attempts')
    .addColumn('number', 'integer', (column) => column.primaryKey().autoIncrement())
    .addColumn('delivery', 'integer', (column) =>
      column.notNull().references('webhook_deliveries.number').onDelete('cascade'),
    )
    .addColumn('at', 'text', (column) => column.notNull())
    .addColumn('status', 'integer')
    .addColumn('problem', 'text')
    .addColumn('excerpt', 'text')
    .addColumn('ms', 'real', (column) => column.notNull())
    .execute()
  await index(database, 'webhook_attempts', ['delivery', 'number'])
}

async function index(database: Kysely<unknown>, table: string, columns: readonly string[]): Promise<void> {
  await database.schema
    .createIndex([table, ...columns].join('_by_'))
    .on(table)
    .columns([...columns])
    .execute()
}
