import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type Libsql from 'libsql'

/** Under which key of a caller something was asked, and what: a hash of the whole request. */
export interface IdempotencyKey {
  /** Whose key it is, and of which route. */
  readonly scope: string
  readonly key: string
  readonly fingerprint: string
}

/** An answer as it was given. */
export interface KeptAnswer {
  readonly status: number
  /** JSON. */
  readonly body: string
}

/** How long an answer is kept, in milliseconds. */
export const answersKeptMs = 24 * 3600 * 1000

/** Answers that are given again to whoever asks the same under the same key. */
export class KeptAnswers {
  readonly #find: Libsql.Statement
  readonly #insert: Libsql.Statement
  readonly #forget: Libsql.Statement

  constructor(database: Libsql.Database) {
    this.#find = database.prepare(
      'select fingerprint, status, body from answers where scope = ? and key = ? and answered_at >= ?',
    )
    this.#insert = database.prepare(
      'insert or replace into answers (scope, key, fingerprint, answered_at, status, body) values (?, ?, ?, ?, ?, ?)',
    )
    this.#forget = database.prepare('delete from answers where answered_at < ?')
  }

  /** Null: none that is young enough; `other`: the key was used for another request. @param now ISO 8601 */
  find({ scope, key, fingerprint }: IdempotencyKey, now: string): KeptAnswer | 'other' | null {
    const oldest = new Date(Date.parse(now) - answersKeptMs).toISOString()
    const row = this.#find.get(scope, key, oldest) as
      | { fingerprint: string; status: number; body: Uint8Array }
      | undefined
    if (row === undefined) return null
    if (row.fingerprint !== fingerprint) return 'other'
    return { status: row.status, body: inflateRawSync(row.body).toString() }
  }

  /** @param now ISO 8601 */
  keep({ scope, key, fingerprint }: IdempotencyKey, { status, body }: KeptAnswer, now: string): void {
    const at = new Date(Date.parse(now)).toISOString()
    this.#insert.run(scope, key, fingerprint, at, status, deflateRawSync(body, { level: 1 }))
  }

  /** @param before ISO 8601 */
  forget(before: string): void {
    this.#forget.run(before)
  }
}
