import type { Kysely, Selectable } from 'kysely'
import type { ListPage, Numbered } from './saved-scenarios.ts'
import type { AuditRow, ServerTables } from './server-tables.ts'

/** Something that was written or pulled, and by whom. Neither what was in it nor any secret. */
export interface AuditEntry {
  /** When it was answered, ISO 8601 in UTC. */
  readonly at: string
  readonly keyId: string
  readonly keyName: string
  readonly method: string
  /** The pattern of the route, such as `/v1/programs/:program/scenarios`. */
  readonly route: string
  readonly program: string | null
  readonly status: number
  readonly requestId: string
  readonly remoteAddress: string
}

/** Which entries are wanted. */
export interface AuditFilter {
  /** Null: of all, and of none. */
  readonly programs: readonly string[] | null
  /** ISO 8601 in UTC; null: from the first. */
  readonly since: string | null
}

/** SQLite takes a limited number of values at once. */
const mostAtOnce = 500

/** Who wrote and pulled what. Entries are only ever added. */
export class AuditLog {
  readonly #tables: Kysely<ServerTables>

  constructor(tables: Kysely<ServerTables>) {
    this.#tables = tables
  }

  /** Adds all of them or none. */
  async append(entries: readonly AuditEntry[]): Promise<void> {
    await this.#tables.transaction().execute(async (tables) => {
      for (let at = 0; at < entries.length; at += mostAtOnce)
        await tables
          .insertInto('audit_log')
          .values(entries.slice(at, at + mostAtOnce).map(rowOf))
          .execute()
    })
  }

  /** Newest first. */
  async list({ after, limit }: ListPage, { programs, since }: AuditFilter): Promise<Numbered<AuditEntry>[]> {
    const rows = await this.#tables
      .selectFrom('audit_log')
      .selectAll()
      .$if(after !== null, (query) => query.where('number', '<', after as number))
      .$if(programs !== null, (query) => query.where('program', 'in', programs as string[]))
      .$if(since !== null, (query) => query.where('at', '>=', since as string))
      .orderBy('number', 'desc')
      .limit(limit)
      .execute()
    return rows.map((row) => ({ ...entryOf(row), number: row.number }))
  }
}

function rowOf(entry: AuditEntry): Omit<Selectable<AuditRow>, 'number'> {
  const { at, keyId, keyName, method, route, program, status, requestId, remoteAddress } = entry
  return {
    ...{ at, method, route, program, status },
    key_id: keyId,
    key_name: keyName,
    request_id: requestId,
    remote_address: remoteAddress,
  }
}

function entryOf(row: Selectable<AuditRow>): AuditEntry {
  const { at, method, route, program, status } = row
  return {
    ...{ at, method, route, program, status },
    keyId: row.key_id,
    keyName: row.key_name,
    requestId: row.request_id,
    remoteAddress: row.remote_address,
  }
}
