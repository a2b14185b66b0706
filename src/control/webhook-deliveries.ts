import { type Kysely, type Selectable, sql } from 'kysely'
import type { ControlTables } from './control-tables.ts'
import type { ListPage, Numbered } from './saved-scenarios.ts'
import { endpointOf, type WebhookEndpoint } from './webhook-endpoints.ts'
import type { DeliveryStatus, WebhookDeliveryRow } from './webhook-tables.ts'

/** One try. */
export interface Attempt {
  readonly at: string
  /** HTTP status; null where there was no answer. */
  readonly status: number | null
  /** What went wrong; null where it got through. */
  readonly problem: string | null
  /** The beginning of what was answered. */
  readonly excerpt: string | null
  readonly ms: number
}

/** A message on its way to an endpoint, or at its end. Times are ISO 8601 in UTC with milliseconds. */
export interface Delivery {
  readonly messageId: string
  readonly type: string
  readonly status: DeliveryStatus
  /** Since it was made or replayed. */
  readonly tries: number
  readonly nextTryAt: string | null
  readonly last: Attempt | null
  readonly createdAt: string
  readonly finishedAt: string | null
}

/** What is to be sent now. */
export interface DueDelivery {
  readonly number: number
  readonly messageId: string
  readonly payload: string
  readonly tries: number
  readonly endpoint: WebhookEndpoint
}

/** What a try leads to. */
export interface AttemptResult extends Attempt {
  readonly status: number | null
  readonly next: 'delivered' | 'dead' | { readonly tryAt: string }
  /** Why nothing more is sent to the endpoint; null: it goes on. */
  readonly disabledReason: string | null
}

/** How much waits, and how much was given up. */
export interface QueueLengths {
  readonly pending: number
  readonly dead: number
}

/** Which deliveries of an endpoint are sent anew: some, whatever became of them, or the dead ones since a time. */
export type Replay = { readonly messageIds: readonly string[] } | { readonly since: string }

/** What became of every message at every endpoint. */
export class WebhookDeliveries {
  readonly #tables: Kysely<ControlTables>

  constructor(tables: Kysely<ControlTables>) {
    this.#tables = tables
  }

  /** Active endpoints that something is due for. */
  async endpointsDue(now: string): Promise<string[]> {
    const rows = await this.#tables
      .selectFrom('webhook_endpoints')
      .select('id')
      .where('is_active', '=', 1)
      .where(({ exists, selectFrom }) =>
        exists(
          selectFrom('webhook_deliveries')
            .select('number')
            .whereRef('endpoint_id', '=', 'webhook_endpoints.id')
            .where('status', '=', 'pending')
            .where('next_try_at', '<=', now),
        ),
      )
      .execute()
    return rows.map(({ id }) => id)
  }

  /** The deliveries of an endpoint that are due, longest first. @param except numbers of those at hand. */
  async due(
    endpointId: string,
    { now, limit, except }: { now: string; limit: number; except: readonly number[] },
  ): Promise<DueDelivery[]> {
    const rows = await this.#tables
      .selectFrom('webhook_deliveries as delivery')
      .innerJoin('webhook_messages as message', 'message.id', 'delivery.message_id')
      .innerJoin('webhook_endpoints as endpoint', 'endpoint.id', 'delivery.endpoint_id')
      .selectAll('endpoint')
      .select(['delivery.number as delivery', 'delivery.tries', 'message_id', 'payload'])
      .where('delivery.endpoint_id', '=', endpointId)
      .where('endpoint.is_active', '=', 1)
      .where('delivery.status', '=', 'pending')
      .where('delivery.next_try_at', '<=', now)
      .$if(except.length > 0, (query) => query.where('delivery.number', 'not in', [...except]))
      .orderBy('delivery.next_try_at')
      .orderBy('delivery.number')
      .limit(limit)
      .execute()
    return rows.map((row) => ({
      number: row.delivery,
      messageId: row.message_id,
      payload: row.payload,
      tries: row.tries,
      endpoint: endpointOf(row),
    }))
  }

  /**
   * Keeps what a try led to. Does nothing where the delivery is gone, or was tried by another process meanwhile. An
   * endpoint that is disabled takes what waits for it along: it is dead then.
   */
  async record({ number, tries, endpoint }: DueDelivery, result: AttemptResult): Promise<void> {
    const { at, status, problem, excerpt, ms, next, disabledReason } = result
    await this.#tables.transaction().execute(async (tables) => {
      const isPending = typeof next === 'object'
      const { numUpdatedRows } = await tables
        .updateTable('webhook_deliveries')
        .set({
          status: isPending ? 'pending' : next,
          tries: tries + 1,
          next_try_at: isPending ? next.tryAt : null,
          finished_at: isPending ? null : at,
          ...{ last_try_at: at, last_status: status, last_problem: problem },
          ...{ last_excerpt: excerpt, last_ms: ms },
        })
        .where('number', '=', number)
        .where('tries', '=', tries)
        // What got through did, even where the endpoint was disabled meanwhile.
        .$if(next !== 'delivered', (query) => query.where('status', '=', 'pending'))
        .executeTakeFirst()
      if (numUpdatedRows === 0n) return
      await tables
        .insertInto('webhook_attempts')
        .values({ delivery: number, at, status, problem, excerpt, ms })
        .execute()
      await markEndpoint(tables, endpoint.id, { at, hasFailed: next !== 'delivered' })
      if (disabledReason !== null) await disable(tables, endpoint.id, { at, reason: disabledReason })
    })
  }

  /** Newest first. @param status only those; null: all. */
  async list(
    endpointId: string,
    { after, limit, status }: ListPage & { readonly status: DeliveryStatus | null },
  ): Promise<Numbered<Delivery>[]> {
    const rows = await this.#select(endpointId)
      .$if(after !== null, (query) => query.where('delivery.number', '<', after as number))
      .$if(status !== null, (query) => query.where('delivery.status', '=', status as DeliveryStatus))
      .orderBy('delivery.number', 'desc')
      .limit(limit)
      .execute()
    return rows.map((row) => ({ ...deliveryOf(row), number: row.number }))
  }

  /** A delivery with its tries, the first one first, and what is sent. Null where there is none. */
  async find(
    endpointId: string,
    messageId: string,
  ): Promise<(Delivery & { readonly payload: string; readonly attempts: readonly Attempt[] }) | null> {
    const row = await this.#select(endpointId).where('message_id', '=', messageId).executeTakeFirst()
    if (row === undefined) return null
    const attempts = await this.#tables
      .selectFrom('webhook_attempts')
      .select(['at', 'status', 'problem', 'excerpt', 'ms'])
      .where('delivery', '=', row.number)
      .orderBy('number')
      .execute()
    return { ...deliveryOf(row), payload: row.payload, attempts }
  }

  /** Sends deliveries anew, with all their tries before them. @returns how many */
  async replay(endpointId: string, { replay, at }: { replay: Replay; at: string }): Promise<number> {
    const { numUpdatedRows } = await this.#tables
      .updateTable('webhook_deliveries')
      .set({
        status: 'pending',
        // What is being sent right now is known by its tries.
        tries: sql<number>`case when status = 'pending' then tries else 0 end`,
        next_try_at: at,
        finished_at: null,
      })
      .where('endpoint_id', '=', endpointId)
      .$if('messageIds' in replay, (query) =>
        query.where('message_id', 'in', 'messageIds' in replay ? [...replay.messageIds] : []),
      )
      .$if('since' in replay, (query) =>
        query.where('status', '=', 'dead').where('created_at', '>=', 'since' in replay ? replay.since : ''),
      )
      .executeTakeFirst()
    return Number(numUpdatedRows)
  }

  async lengths(): Promise<QueueLengths> {
    const rows = await this.#tables
      .selectFrom('webhook_deliveries')
      .select(({ fn }) => ['status', fn.countAll<number>().as('count')])
      .where('status', 'in', ['pending', 'dead'])
      .groupBy('status')
      .execute()
    const countOf = (wanted: DeliveryStatus) => rows.find(({ status }) => status === wanted)?.count ?? 0
    return { pending: countOf('pending'), dead: countOf('dead') }
  }

  /** Forgets what was made before a time. */
  async sweep(before: string): Promise<void> {
    await this.#tables.deleteFrom('webhook_messages').where('created_at', '<', before).execute()
  }

  #select(endpointId: string) {
    return this.#tables
      .selectFrom('webhook_deliveries as delivery')
      .innerJoin('webhook_messages as message', 'message.id', 'delivery.message_id')
      .selectAll('delivery')
      .select(['message.type', 'message.payload'])
      .where('endpoint_id', '=', endpointId)
  }
}

async function markEndpoint(
  tables: Kysely<ControlTables>,
  id: string,
  { at, hasFailed }: { at: string; hasFailed: boolean },
): Promise<void> {
  await tables
    .updateTable('webhook_endpoints')
    .set({ failing_since: hasFailed ? sql<string>`coalesce(failing_since, ${at})` : null })
    .where('id', '=', id)
    .execute()
}

async function disable(
  tables: Kysely<ControlTables>,
  id: string,
  { at, reason }: { at: string; reason: string },
): Promise<void> {
  await tables
    .updateTable('webhook_endpoints')
    .set({ is_active: 0, disabled_reason: reason, disabled_at: at })
    .where('id', '=', id)
    .execute()
  await tables
    .updateTable('webhook_deliveries')
    .set({ status: 'dead', next_try_at: null, finished_at: at, last_problem: reason })
    .where('endpoint_id', '=', id)
    .where('status', '=', 'pending')
    .execute()
}

function deliveryOf(row: Selectable<WebhookDeliveryRow> & { readonly type: string }): Delivery {
  const { last_try_at: at, last_status: status, last_problem: problem, last_excerpt: excerpt } = row
  return {
    messageId: row.message_id,
    type: row.type,
    status: row.status,
    tries: row.tries,
    nextTryAt: row.next_try_at,
    last: at === null ? null : { at, status, problem, excerpt, ms: row.last_ms ?? 0 },
    createdAt: row.created_at,
    finishedAt: row.finished_at,
  }
}
