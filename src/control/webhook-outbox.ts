import type { Kysely } from 'kysely'
import type { ControlTables } from './control-tables.ts'
import { endpointOf } from './webhook-endpoints.ts'

/** An event, ready to be sent. */
export interface OutgoingMessage {
  /** Told apart from all others, and the same with every try. */
  readonly id: string
  readonly type: string
  /** The body, JSON. */
  readonly payload: string
}

/** What a source had to tell, and how far it has been read with it. */
export interface SourceReading {
  readonly source: string
  /** The position that was read from; null: it was never read. */
  readonly from: string | null
  readonly to: string
  readonly messages: readonly OutgoingMessage[]
  readonly at: string
}

/** Turns events into deliveries, each exactly once, whatever is killed when. */
export class WebhookOutbox {
  readonly #tables: Kysely<ControlTables>

  constructor(tables: Kysely<ControlTables>) {
    this.#tables = tables
  }

  /** How far a source has been read; null: it never was. */
  async position(source: string): Promise<string | null> {
    const row = await this.#tables
      .selectFrom('webhook_watermarks')
      .select('position')
      .where('source', '=', source)
      .executeTakeFirst()
    return row?.position ?? null
  }

  /**
   * Keeps the messages with a delivery for every active endpoint that wants their type, and moves the source's position
   * on: all of it or nothing. False, and nothing is kept, where the position is not the one that was read from.
   */
  async store({ source, from, to, messages, at }: SourceReading): Promise<boolean> {
    return this.#tables.transaction().execute(async (tables) => {
      // A write comes first: a transaction that begins with reading may not write after another process did.
      if (!(await movePosition(tables, { source, from, to }))) return false
      if (messages.length === 0) return true
      const rows = await tables
        .selectFrom('webhook_endpoints')
        .selectAll()
        .where('is_active', '=', 1)
        .orderBy('number')
        .execute()
      const endpoints = rows.map(endpointOf)
      for (const message of messages) {
        const wanting = endpoints.filter(
          ({ eventTypes }) => eventTypes.includes('*') || eventTypes.includes(message.type),
        )
        if (wanting.length > 0) await send(tables, message, { at, endpointIds: wanting.map(({ id }) => id) })
      }
      return true
    })
  }

  /** Keeps a message for one endpoint, whatever types it wants. */
  async sendTo(endpointId: string, message: OutgoingMessage, at: string): Promise<void> {
    await this.#tables
      .transaction()
      .execute((tables) => send(tables, message, { at, endpointIds: [endpointId] }))
  }
}

async function movePosition(
  tables: Kysely<ControlTables>,
  { source, from, to }: Pick<SourceReading, 'source' | 'from' | 'to'>,
): Promise<boolean> {
  if (from === null) {
    const { numInsertedOrUpdatedRows } = await tables
      .insertInto('webhook_watermarks')
      .values({ source, position: to })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirst()
    return (numInsertedOrUpdatedRows ?? 0n) > 0n
  }
  const { numUpdatedRows } = await tables
    .updateTable('webhook_watermarks')
    .set({ position: to })
    .where('source', '=', source)
    .where('position', '=', from)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

async function send(
  tables: Kysely<ControlTables>,
  { id, type, payload }: OutgoingMessage,
  { at, endpointIds }: { at: string; endpointIds: readonly string[] },
): Promise<void> {
  await tables.insertInto('webhook_messages').values({ id, type, payload, created_at: at }).execute()
  await tables
    .insertInto('webhook_deliveries')
    .values(
      endpointIds.map((endpoint) => ({
        endpoint_id: endpoint,
        message_id: id,
        status: 'pending' as const,
        tries: 0,
        next_try_at: at,
        created_at: at,
      })),
    )
    .execute()
}
