import { createHash, timingSafeEqual } from 'node:crypto'
import { type Kysely, type Selectable, sql } from 'kysely'
import type { Role } from '../domain/access.ts'
import type { ListPage, Numbered } from './saved-scenarios.ts'
import type { ApiKeyRow, ServerTables } from './server-tables.ts'

/** A key of the API, without the key. Times are ISO 8601. */
export interface ApiKeyRecord {
  readonly id: string
  /** For people. */
  readonly name: string
  readonly role: Role
  /** Null: all that are served. */
  readonly programs: readonly string[] | null
  readonly createdAt: string
  /** From then on it is refused; null: never. */
  readonly expiresAt: string | null
  /** To about a minute; null: never. */
  readonly lastUsedAt: string | null
  readonly revokedAt: string | null
}

/** A record that a key can be checked by. */
export type CheckedKey = ApiKeyRecord & { readonly hash: Buffer }

/** A key that is to be made. */
export type NewKey = Omit<ApiKeyRecord, 'lastUsedAt' | 'revokedAt'> & {
  /** At least 32 random bytes as base64url: letters, digits, - and _. */
  readonly secret: string
}

const keyForm = /^lc_([a-z0-9]{1,64})_[\w-]{43,200}$/

/** The id within a key; null where the text has not the form of one. */
export function idOfKey(key: string): string | null {
  return keyForm.exec(key)?.[1] ?? null
}

/** What is kept instead of a key: it is too random to be found by trying. */
export function hashOfKey(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}

/** Takes the same time whatever is wrong. */
export function isSameHash(given: Buffer, kept: Buffer): boolean {
  return given.length === kept.length && timingSafeEqual(given, kept)
}

/** Keys of the API: what each may do, and until when. */
export class ApiKeys {
  readonly #tables: Kysely<ServerTables>

  constructor(tables: Kysely<ServerTables>) {
    this.#tables = tables
  }

  /** Makes a key and gives it: this is the only time that anybody sees it. */
  async create({ secret, ...record }: NewKey): Promise<string> {
    const { id, name, role, programs, createdAt, expiresAt } = record
    const key = `lc_${id}_${secret}`
    if (idOfKey(key) !== id) throw new Error('the id or the secret of a key has not its form')
    await this.#tables
      .insertInto('api_keys')
      .values({
        ...{ id, name, role, hash: hashOfKey(key).toString('hex') },
        programs: programs && JSON.stringify(programs),
        created_at: createdAt,
        expires_at: expiresAt,
      })
      .execute()
    return key
  }

  /**
   * Newest first, also those that no longer work.
   *
   * @param within only keys that are for none but these programs; null: all.
   */
  async list(
    { after, limit }: ListPage,
    within: readonly string[] | null = null,
  ): Promise<Numbered<ApiKeyRecord>[]> {
    const rows = await this.#tables
      .selectFrom('api_keys')
      .selectAll()
      .$if(after !== null, (query) => query.where('number', '<', after as number))
      .$if(within !== null, (query) => query.where(isWithin(within ?? [])))
      .orderBy('number', 'desc')
      .limit(limit)
      .execute()
    return rows.map((row) => ({ ...recordOf(row), number: row.number }))
  }

  /** Null where there is none of that id. */
  async find(id: string): Promise<CheckedKey | null> {
    const row = await this.#tables.selectFrom('api_keys').selectAll().where('id', '=', id).executeTakeFirst()
    return row === undefined ? null : { ...recordOf(row), hash: Buffer.from(row.hash, 'hex') }
  }

  /** Has a key refused from now on. It stays in the list; revoking it again changes nothing. */
  async revoke(id: string, at: string): Promise<void> {
    await this.#tables
      .updateTable('api_keys')
      .set({ revoked_at: at })
      .where('id', '=', id)
      .where('revoked_at', 'is', null)
      .execute()
  }

  /** @param uses id → when it was last used. */
  async noteUses(uses: ReadonlyMap<string, string>): Promise<void> {
    await this.#tables.transaction().execute(async (tables) => {
      for (const [id, at] of uses)
        await tables.updateTable('api_keys').set({ last_used_at: at }).where('id', '=', id).execute()
    })
  }
}

/** What a key can't be used for any more, and why; null where it works. */
export function endOfKey(
  { revokedAt, expiresAt }: Pick<ApiKeyRecord, 'revokedAt' | 'expiresAt'>,
  now: string,
): string | null {
  if (revokedAt !== null) return `was revoked at ${revokedAt}`
  // Of different precision, and so not comparable as texts.
  if (expiresAt !== null && Date.parse(expiresAt) <= Date.parse(now)) return `expired at ${expiresAt}`
  return null
}

function isWithin(programs: readonly string[]) {
  return sql<boolean>`programs is not null and not exists (
    select 1
    from json_each(programs)
    where value not in (${sql.join(programs)})
  )`
}

function recordOf(row: Selectable<ApiKeyRow>): ApiKeyRecord {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    programs: row.programs === null ? null : JSON.parse(row.programs),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  }
}
