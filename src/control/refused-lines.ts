import type Libsql from 'libsql'
import type { TableName } from '../domain/program.ts'

/** A row that was sent and not taken. */
export interface RefusedLine {
  readonly table: TableName
  /** ISO 8601. */
  readonly receivedAt: string
  readonly reason: string
  readonly words: string
  /** As it came, JSON; cut where it is long. */
  readonly row: string
}

/** The same, as it is listed. */
export interface ListedRefusal extends RefusedLine {
  /** Later ones have larger numbers. */
  readonly number: number
}

/** Rows that are kept: the latest. */
const mostKept = 10_000
/** Characters of a row that are kept. */
const longestRow = 4000

/** Rows that were sent and not taken, with the reasons. The latest are kept for a month. */
export class RefusedLines {
  readonly #database: Libsql.Database
  readonly #insert: Libsql.Statement
  readonly #trim: Libsql.Statement

  constructor(database: Libsql.Database) {
    this.#database = database
    this.#insert = database.prepare(
      'insert into refused (target, received_at, reason, words, row) values (?, ?, ?, ?, ?)',
    )
    this.#trim = database.prepare(
      `delete from refused where sequence <= (select max(sequence) from refused) - ${mostKept}`,
    )
  }

  add(lines: readonly RefusedLine[]): void {
    for (const { table, receivedAt, reason, words, row } of lines.slice(-mostKept))
      this.#insert.run(table, receivedAt, reason, words, row.slice(0, longestRow))
    if (lines.length > 0) this.#trim.run()
  }

  /** Newest first. @param after the number of the last one that was seen; null: from the newest on. */
  list({ after, limit }: { after: number | null; limit: number }): ListedRefusal[] {
    return this.#database
      .prepare(
        `select sequence as number, target as "table", received_at as "receivedAt", reason, words, row
         from refused where sequence < ? order by sequence desc limit ?`,
      )
      .all(after ?? Number.MAX_SAFE_INTEGER, limit) as ListedRefusal[]
  }

  /** @param before a day */
  forget(before: string): void {
    this.#database.prepare('delete from refused where received_at < ?').run(before)
  }
}
