import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Libsql from 'libsql'
import { failure } from '../domain/errors.ts'
import { type Program, type TableName, tableNames } from '../domain/program.ts'
import { makeFolder } from '../lake/durable-files.ts'
import { inboxTables } from './inbox-tables.ts'
import { KeptAnswers } from './kept-answers.ts'
import { type RefusedLine, RefusedLines } from './refused-lines.ts'

/** Rows of one request and table, to be kept until they are ingested. */
export interface Chunk {
  readonly table: TableName
  /** ISO 8601. */
  readonly receivedAt: string
  readonly rows: number
  /** Rows as NDJSON, without a newline at the end. */
  readonly lines: string
}

/** What was not ingested yet. */
export interface Pending {
  readonly rows: number
  readonly bytes: number
}

/** How long another process that writes is waited for, in milliseconds. */
const longestWaitMs = 10_000
/** Chunks that are removed at once, so that nobody waits long for the file. */
const sweptAtOnce = 200

/** The file: beside the lake's folder. */
export function inboxPath(dataFolder: string, { name }: Pick<Program, 'name'>): string {
  return join(dataFolder, `${name}.inbox.sqlite`)
}

/**
 * What was sent to a program and is not in its lake yet, with the ids by which rows sent twice are known. Several
 * processes may have it open: one writes at a time. What a transaction wrote is on the disk when it returns.
 */
export class Inbox {
  /** Tells this inbox from one that was made anew after it was lost. */
  readonly id: string
  readonly answers: KeptAnswers
  readonly refused: RefusedLines
  readonly #database: Libsql.Database
  readonly #insertChunk: Libsql.Statement
  readonly #findKnown: Libsql.Statement
  readonly #insertIds: Libsql.Statement

  constructor(database: Libsql.Database, newId: string) {
    this.#database = database
    database.prepare("insert or ignore into inbox (name, value) values ('id', ?)").run(newId)
    this.id = (database.prepare("select value from inbox where name = 'id'").get() as { value: string }).value
    this.answers = new KeptAnswers(database)
    this.refused = new RefusedLines(database)
    this.#insertChunk = database.prepare(
      'insert into chunks (target, received_at, rows, bytes, lines) values (?, ?, ?, ?, ?)',
    )
    // The order of the join matters: the other way round every id that is known would be looked for in the list.
    this.#findKnown = database.prepare(
      'select sent.key as place from json_each(?) as sent cross join ids on ids.target = ? and ids.id = sent.value',
    )
    this.#insertIds = database.prepare(
      'insert or ignore into ids (target, id, day) select ?, value, ? from json_each(?)',
    )
  }

  /** Runs `work` as one transaction: when it returns all is on the disk, when it throws nothing was done. */
  transact<T>(work: () => T): T {
    this.#database.exec('begin immediate')
    try {
      const result = work()
      this.#database.exec('commit')
      return result
    } catch (error) {
      if (this.#database.inTransaction) this.#database.exec('rollback')
      throw error
    }
  }

  /** Which of some ids have been taken, as their places in the list. */
  findKnown(table: TableName, ids: readonly string[]): Set<number> {
    if (ids.length === 0) return new Set()
    const rows = this.#findKnown.all(JSON.stringify(ids), table) as { place: number }[]
    return new Set(rows.map(({ place }) => place))
  }

  /** @param day on which they came, for {@link forget}. */
  addIds(table: TableName, ids: readonly string[], day: string): void {
    if (ids.length > 0) this.#insertIds.run(table, day, JSON.stringify(ids))
  }

  addChunk({ table, receivedAt, rows, lines }: Chunk): void {
    this.#insertChunk.run(table, receivedAt, rows, Buffer.byteLength(lines), lines)
  }

  addRefused(lines: readonly RefusedLine[]): void {
    this.refused.add(lines)
  }

  pending(): Pending {
    return this.#database
      .prepare('select coalesce(sum(rows), 0) as rows, coalesce(sum(bytes), 0) as bytes from chunks')
      .get() as Pending
  }

  /** Number of the last chunk; 0 where there never was one. */
  lastSequence(): number {
    const row = this.#database.prepare("select seq from sqlite_sequence where name = 'chunks'").get()
    return (row as { seq: number } | undefined)?.seq ?? 0
  }

  /** The chunks of a table with numbers from `after` (exclusive) to `upTo`, in order. */
  *chunks(table: TableName, { after, upTo }: { after: number; upTo: number }): Generator<Chunk> {
    const next = this.#database.prepare(
      `select sequence, received_at as "receivedAt", rows, lines from chunks
       where target = ? and sequence > ? and sequence <= ? order by sequence limit 1`,
    )
    for (let last = after; ; ) {
      const chunk = next.get(table, last, upTo) as (Omit<Chunk, 'table'> & { sequence: number }) | undefined
      if (chunk === undefined) return
      last = chunk.sequence
      yield { table, receivedAt: chunk.receivedAt, rows: chunk.rows, lines: chunk.lines }
    }
  }

  /** The rows of a customer in chunks of a table after a number, as lines of JSON, in order. */
  linesOf(table: TableName, { customerId, after }: { customerId: string; after: number }): string[] {
    const name = `"customer_id":${JSON.stringify(customerId)}`
    const chunks = this.#database
      .prepare(
        'select lines from chunks where target = ? and sequence > ? and instr(lines, ?) > 0 order by sequence',
      )
      .all(table, after, name) as { lines: string }[]
    return chunks
      .flatMap(({ lines }) => lines.split('\n').filter((line) => line.includes(name)))
      .filter((line) => (JSON.parse(line) as { customer_id: string }).customer_id === customerId)
  }

  /** Removes the chunks of a table up to a number. Killed in between it leaves some, which are removed later. */
  sweep(table: TableName, upTo: number): void {
    const remove = this.#database.prepare(
      `delete from chunks where sequence in
       (select sequence from chunks where target = ? and sequence <= ? limit ${sweptAtOnce})`,
    )
    while (remove.run(table, upTo).changes > 0);
  }

  /** Forgets ids that came before a day, answers that were given before a moment, and what was refused before that day. */
  forget({ before, answersBefore }: { before: string; answersBefore: string }): void {
    for (const table of tableNames) {
      const remove = this.#database.prepare(
        'delete from ids where target = ? and id in (select id from ids where target = ? and day < ? limit 5000)',
      )
      while (remove.run(table, table, before).changes > 0);
    }
    this.answers.forget(answersBefore)
    this.refused.forget(before)
  }

  close(): void {
    this.#database.close()
  }
}

/** Opens the inbox of a program; makes it where there is none. @param newId names one that is new. **Errors** `inbox` */
export async function openInbox(
  dataFolder: string,
  program: Pick<Program, 'name'>,
  newId: string,
): Promise<Inbox> {
  const path = inboxPath(dataFolder, program)
  try {
    await makeFolder(dataFolder)
    return new Inbox(openDatabase(path), newId)
  } catch (error) {
    throw failure(
      'inbox',
      `${path} cannot be opened: ${(error as Error).message}. It must be an SQLite database in a folder that can be written to.`,
      { cause: error },
    )
  }
}

/** The inbox of a program; null where nothing was ever sent. */
export async function findInbox(dataFolder: string, program: Pick<Program, 'name'>): Promise<Inbox | null> {
  return existsSync(inboxPath(dataFolder, program)) ? openInbox(dataFolder, program, '') : null
}

/** Copies it as it is now to another data folder. @returns whether there is one */
export async function copyInbox(program: Pick<Program, 'name'>, from: string, to: string): Promise<boolean> {
  const path = inboxPath(from, program)
  if (!existsSync(path)) return false
  await makeFolder(to)
  const database = new Libsql(path, { readonly: true })
  try {
    database.prepare('vacuum into ?').run(inboxPath(to, program))
  } finally {
    database.close()
  }
  return true
}

function openDatabase(path: string): Libsql.Database {
  const database = new Libsql(path)
  try {
    database.pragma(`busy_timeout = ${longestWaitMs}`)
    if (journalMode(database) !== 'wal') database.pragma('journal_mode = WAL')
    // What was acknowledged survives the machine's end, not only the process's.
    database.pragma('synchronous = FULL')
    // 32 MB between two: pages that many transactions change are then written once.
    database.pragma('wal_autocheckpoint = 8000')
    database.pragma(`journal_size_limit = ${64 * 1024 * 1024}`)
    database.exec(`begin immediate; ${inboxTables} commit`)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function journalMode(database: Libsql.Database): string {
  return (database.prepare('pragma journal_mode').get() as { journal_mode: string }).journal_mode
}
