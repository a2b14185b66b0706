import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Kysely, Migrator, SqliteDialect } from 'kysely'
import Libsql from 'libsql'
import { failure } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { makeFolder } from '../lake/durable-files.ts'
import { type ControlTables, migrations } from './control-tables.ts'
import { QuestionJobs } from './question-jobs.ts'
import { SavedScenarios } from './saved-scenarios.ts'
import { openWebhooks, type Webhooks } from './webhooks.ts'

/** What people made in a program and no source can give back. Several processes may have it open. */
export interface Control {
  readonly jobs: QuestionJobs
  readonly scenarios: SavedScenarios
  readonly webhooks: Webhooks
  close(): Promise<void>
}

/** How long a process waits for another one that writes, in milliseconds. */
const longestWaitMs = 5000

/** The file: beside the lake's folder, so that a lake may be deleted and read anew without losing it. */
export function controlPath(dataFolder: string, { name }: Pick<Program, 'name'>): string {
  return join(dataFolder, `${name}.control.sqlite`)
}

/** The file may be held while it is brought up to date, and who waits for it holds the process up: one at a time. */
let lastOpening: Promise<unknown> = Promise.resolve()

/** Opens the control state of a program; makes it where there is none. **Errors** `control` where it cannot be used. */
export function openControl(dataFolder: string, program: Pick<Program, 'name'>): Promise<Control> {
  const opening = lastOpening.then(() => open(dataFolder, program))
  lastOpening = opening.catch(() => undefined)
  return opening
}

async function open(dataFolder: string, program: Pick<Program, 'name'>): Promise<Control> {
  const path = controlPath(dataFolder, program)
  try {
    await makeFolder(dataFolder)
    const tables = await openTables(path)
    return {
      jobs: new QuestionJobs(tables),
      scenarios: new SavedScenarios(tables),
      webhooks: openWebhooks(tables),
      close: () => tables.destroy(),
    }
  } catch (error) {
    throw failure(
      'control',
      `${path} cannot be opened: ${(error as Error).message}. It must be an SQLite database in a folder that can be written to.`,
      { cause: error },
    )
  }
}

/** The control state of a program; null where nothing was ever kept. */
export async function findControl(
  dataFolder: string,
  program: Pick<Program, 'name'>,
): Promise<Control | null> {
  return existsSync(controlPath(dataFolder, program)) ? openControl(dataFolder, program) : null
}

async function openTables(path: string): Promise<Kysely<ControlTables>> {
  const database = new Libsql(path)
  try {
    database.pragma(`busy_timeout = ${longestWaitMs}`)
    database.pragma('foreign_keys = on')
    // Readers and one writer at a time go on side by side. Kept in the file, and refused while others begin.
    if (journalMode(database) !== 'wal') database.pragma('journal_mode = WAL')
    const tables = new Kysely<ControlTables>({ dialect: new SqliteDialect({ database }) })
    await migrate(database, tables)
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
async function migrate(database: Libsql.Database, tables: Kysely<ControlTables>): Promise<void> {
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
