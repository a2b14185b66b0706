import type { Kysely } from 'kysely'
import type { ControlTables } from './control-tables.ts'

/** How long, and from when on, a piece of work is one's own. Times are ISO 8601 in UTC with milliseconds. */
export interface LeaseTerm {
  readonly holder: string
  readonly now: string
  readonly until: string
}

/** Says which of several processes does a piece of work. Whoever has died loses it when its term ends. */
export class Leases {
  readonly #tables: Kysely<ControlTables>

  constructor(tables: Kysely<ControlTables>) {
    this.#tables = tables
  }

  /** Who holds it, also after the term has ended; null: nobody. */
  async find(name: string): Promise<{ readonly holder: string; readonly expiresAt: string } | null> {
    const row = await this.#tables
      .selectFrom('leases')
      .select(['holder', 'expires_at as expiresAt'])
      .where('name', '=', name)
      .executeTakeFirst()
    return row ?? null
  }

  /** Takes it, or holds it for longer; false where somebody else has it. */
  async take(name: string, { holder, now, until }: LeaseTerm): Promise<boolean> {
    const { numInsertedOrUpdatedRows } = await this.#tables
      .insertInto('leases')
      .values({ name, holder, expires_at: until })
      .onConflict((conflict) =>
        conflict
          .column('name')
          .doUpdateSet({ holder, expires_at: until })
          .where(({ eb, or }) => or([eb('leases.holder', '=', holder), eb('leases.expires_at', '<=', now)])),
      )
      .executeTakeFirst()
    return (numInsertedOrUpdatedRows ?? 0n) > 0n
  }

  /** Lets go of it for a holder: oneself, or one that is known to be gone. */
  async release(name: string, holder: string): Promise<void> {
    await this.#tables.deleteFrom('leases').where('name', '=', name).where('holder', '=', holder).execute()
  }
}
