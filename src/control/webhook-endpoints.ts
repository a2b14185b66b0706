import type { Kysely, Selectable, Updateable } from 'kysely'
import type { ControlTables } from './control-tables.ts'
import type { ListPage, Numbered } from './saved-scenarios.ts'
import type { WebhookEndpointRow } from './webhook-tables.ts'

/** Where events are sent. Times are ISO 8601 in UTC with milliseconds. */
export interface WebhookEndpoint {
  readonly id: string
  readonly url: string
  /** `*` stands for all. */
  readonly eventTypes: readonly string[]
  readonly description: string
  readonly isActive: boolean
  /** Why Loyalcast itself stopped sending to it; null where it did not. */
  readonly disabledReason: string | null
  readonly disabledAt: string | null
  /** First failure since something last got through. */
  readonly failingSince: string | null
  readonly secret: string
  /** Still signs until then. */
  readonly previousSecret: string | null
  readonly previousUntil: string | null
  readonly createdAt: string
  readonly updatedAt: string
}

export type NewEndpoint = Pick<
  WebhookEndpoint,
  'id' | 'url' | 'eventTypes' | 'description' | 'isActive' | 'secret' | 'createdAt'
>
export type EndpointChange = Partial<
  Pick<WebhookEndpoint, 'url' | 'eventTypes' | 'description' | 'isActive'>
> & { readonly at: string }

/** Where the sources of events are now: source → position. */
export type Positions = ReadonlyMap<string, string>

/** The endpoints of a program. */
export class WebhookEndpoints {
  readonly #tables: Kysely<ControlTables>

  constructor(tables: Kysely<ControlTables>) {
    this.#tables = tables
  }

  /**
   * Adds an endpoint; false where there are `most` already. The first of a program begins with what happens from now
   * on: the sources' positions of this moment are kept with it.
   */
  async add(
    endpoint: NewEndpoint,
    { most, positions }: { most: number; positions: Positions },
  ): Promise<boolean> {
    return this.#tables.transaction().execute(async (tables) => {
      // A write comes first: a transaction that begins with reading may not write after another process did.
      await tables.insertInto('webhook_endpoints').values(rowOf(endpoint)).execute()
      const count = await countOf(tables)
      if (count > most) {
        await tables.deleteFrom('webhook_endpoints').where('id', '=', endpoint.id).execute()
        return false
      }
      if (count > 1) return true
      await tables.deleteFrom('webhook_watermarks').execute()
      for (const [source, position] of positions)
        await tables.insertInto('webhook_watermarks').values({ source, position }).execute()
      return true
    })
  }

  async count(): Promise<number> {
    return countOf(this.#tables)
  }

  /** Newest first. */
  async list({ after, limit }: ListPage): Promise<Numbered<WebhookEndpoint>[]> {
    const rows = await this.#tables
      .selectFrom('webhook_endpoints')
      .selectAll()
      .$if(after !== null, (query) => query.where('number', '<', after as number))
      .orderBy('number', 'desc')
      .limit(limit)
      .execute()
    return rows.map((row) => ({ ...endpointOf(row), number: row.number }))
  }

  async find(id: string): Promise<WebhookEndpoint | null> {
    const row = await this.#tables
      .selectFrom('webhook_endpoints')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirst()
    return row === undefined ? null : endpointOf(row)
  }

  /** Null where there is none. One that is switched on again starts without its past failures. */
  async change(id: string, { at, ...change }: EndpointChange): Promise<WebhookEndpoint | null> {
    const { url, eventTypes, description, isActive } = change
    return this.#update(id, {
      updated_at: at,
      ...(url !== undefined && { url }),
      ...(eventTypes !== undefined && { event_types: JSON.stringify(eventTypes) }),
      ...(description !== undefined && { description }),
      ...(isActive !== undefined && { is_active: isActive ? 1 : 0 }),
      ...(isActive === true && { disabled_reason: null, disabled_at: null, failing_since: null }),
    })
  }

  /** Signs with another secret, and until some time with the one before too. Null where there is no such endpoint. */
  async rotate(
    id: string,
    { secret, at, previousUntil }: { secret: string; at: string; previousUntil: string },
  ): Promise<WebhookEndpoint | null> {
    await this.#tables
      .updateTable('webhook_endpoints')
      .set(({ ref }) => ({
        previous_secret: ref('secret'),
        previous_until: previousUntil,
        secret,
        updated_at: at,
      }))
      .where('id', '=', id)
      .execute()
    return this.find(id)
  }

  /** Forgets an endpoint and everything that was or should have been sent to it; false where there was none. */
  async remove(id: string): Promise<boolean> {
    return this.#tables.transaction().execute(async (tables) => {
      const { numDeletedRows } = await tables
        .deleteFrom('webhook_endpoints')
        .where('id', '=', id)
        .executeTakeFirst()
      await tables
        .deleteFrom('webhook_messages')
        .where('id', 'not in', (messages) =>
          messages.selectFrom('webhook_deliveries').select('message_id').distinct(),
        )
        .execute()
      return numDeletedRows > 0n
    })
  }

  async #update(id: string, values: Updateable<WebhookEndpointRow>): Promise<WebhookEndpoint | null> {
    await this.#tables.updateTable('webhook_endpoints').set(values).where('id', '=', id).execute()
    return this.find(id)
  }
}

async function countOf(tables: Kysely<ControlTables>): Promise<number> {
  const { count } = await tables
    .selectFrom('webhook_endpoints')
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}

function rowOf({ id, url, eventTypes, description, isActive, secret, createdAt }: NewEndpoint) {
  return {
    ...{ id, url, description, secret },
    event_types: JSON.stringify(eventTypes),
    is_active: isActive ? 1 : 0,
    created_at: createdAt,
    updated_at: createdAt,
  } as const
}

/** An endpoint as it is used. */
export function endpointOf(row: Selectable<WebhookEndpointRow>): WebhookEndpoint {
  return {
    id: row.id,
    url: row.url,
    eventTypes: JSON.parse(row.event_types),
    description: row.description,
    isActive: row.is_active === 1,
    disabledReason: row.disabled_reason,
    disabledAt: row.disabled_at,
    failingSince: row.failing_since,
    secret: row.secret,
    previousSecret: row.previous_secret,
    previousUntil: row.previous_until,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}
