import type { Generated, Migration } from 'kysely'
import type { Role } from '../domain/access.ts'

/** A key of the API. Times are ISO 8601. */
export interface ApiKeyRow {
  readonly number: Generated<number>
  readonly id: string
  /** For people. */
  readonly name: string
  /** SHA-256 of the whole key, hexadecimal. The key itself is kept nowhere. */
  readonly hash: string
  readonly role: Role
  /** JSON; null: all that are served. */
  readonly programs: string | null
  readonly created_at: string
  /** From then on it is refused. */
  readonly expires_at: string | null
  /** To about a minute. */
  readonly last_used_at: string | null
  readonly revoked_at: string | null
}

/** Something that was written or pulled. */
export interface AuditRow {
  readonly number: Generated<number>
  readonly at: string
  readonly key_id: string
  readonly key_name: string
  readonly method: string
  /** The pattern of the route, not the address, which may hold a customer's id. */
  readonly route: string
  readonly program: string | null
  readonly status: number
  readonly request_id: string
  readonly remote_address: string
}

/** What belongs to no program. */
export interface ServerTables {
  readonly api_keys: ApiKeyRow
  readonly audit_log: AuditRow
}

/** Every change of the tables, in order. What has been released never changes: a later one is added. */
export const serverMigrations: Readonly<Record<string, Migration>> = {
  '001-access': {
    async up(database) {
      await database.schema
        .createTable('api_keys')
        .addColumn('number', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('id', 'text', (column) => column.notNull().unique())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('hash', 'text', (column) => column.notNull())
        .addColumn('role', 'text', (column) => column.notNull())
        .addColumn('programs', 'text')
        .addColumn('created_at', 'text', (column) => column.notNull())
        .addColumn('expires_at', 'text')
        .addColumn('last_used_at', 'text')
        .addColumn('revoked_at', 'text')
        .execute()
      await database.schema
        .createTable('audit_log')
        .addColumn('number', 'integer', (column) => column.primaryKey().autoIncrement())
        .addColumn('at', 'text', (column) => column.notNull())
        .addColumn('key_id', 'text', (column) => column.notNull())
        .addColumn('key_name', 'text', (column) => column.notNull())
        .addColumn('method', 'text', (column) => column.notNull())
        .addColumn('route', 'text', (column) => column.notNull())
        .addColumn('program', 'text')
        .addColumn('status', 'integer', (column) => column.notNull())
        .addColumn('request_id', 'text', (column) => column.notNull())
        .addColumn('remote_address', 'text', (column) => column.notNull())
        .execute()
      await database.schema
        .createIndex('audit_of_program')
        .on('audit_log')
        .columns(['program', 'number'])
        .execute()
    },
  },
}
