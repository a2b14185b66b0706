import { dirname } from 'node:path'
import { Kysely, type Migration, Migrator, SqliteDialect } from 'kysely'
import Libsql from 'libsql'
import { failure } from '../domain/errors.ts'
import { makeFolder } from '../lake/durable-files.ts'

/** How long a process waits for another one that writes, in milliseconds. */
const longestWaitMs = 5000

/** A file may be held while it is brought up to date, and who waits for it holds the process up: one at a time. */
let lastOpening: Promise<unknown> = Promise.resolve()

/**
 * Opens an SQLite file that several processes may have open, with its tables up to date; makes it where there is none.
 * Destroy what it gives to close the file.
 *
 * @param migrations every change of the tables, in order of their names.
 *
 * **Errors** `control` where the file cannot be used.
 */
export function openSqliteFile<Tables>(
  path: string,
  migrations: Readonly<Record<string, Migration>>,
): Promise<Kysely<Tables>> {
  const opening = lastOpening.then(() => open<Tables>(path, migrations))
  lastOpening = opening.catch(() => undefined)
  return opening
}

async function open<Tables>(
  path: string,
  migrations: Readonly<Record<string, Migration>>,
): Promise<Kysely<Tables>> {
  try {
    await makeFolder(dirname(path))
    return await openTables<Tables>(path, migrations)
  } catch (error) {
    throw failure(
      'control',
      `${path} cannot be opened: ${(error as Error).message}. It must be an SQLite database in a folder that can be written to.`,
      { cause: error },
    )
  }
}

async function openTables<Tables>(
  path: string,
  migrations: Readonly<Record<string, Migration>>,
): Promise<Kysely<Tables>> {
  const database = new Libsql(path)
  try {
    database.pragma(`busy_timeout = ${longestWaitMs}`)
    database.pragma('foreign_keys = on')
    // Readers and one writer at a time go on side by side. Kept in the file, and refused while others begin.
    if (journalMode(database) !== 'wal') database.pragma('journal_mode = WAL')
    const tables = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) })
    await migrate(database, tables, migrations)
    return tables
  } catch (error) {
    database.close()
    throw error
  }
}

function journalMode(database: Libsql.Database): string {
  return (database.prepare('pragma journal_mode').get() as { journal_mode: string }).journal_mode
}

/** Brings the tables up to date, one process after the other: Kysely itself takes no lock on SQLite. */
async function migrate<Tables>(
  database: Libsql.Database,
  tables: Kysely<Tables>,
  migrations: Readonly<Record<string, Migration>>,
): Promise<void> {
  database.exec('begin immediate')
  try {
    const provider = { getMigrations: async () => migrations }
    const { error } = await new Migrator({ db: tables, provider }).migrateToLatest()
    if (error !== undefined) throw error
    database.exec('commit')
  } catch (error) {
    database.exec('rollback')
    throw error
  }
}
