import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { selectChanges } from '../jobs/changes.ts'
import { type Database, quoteText } from '../lake/database.ts'
import type { Lake } from '../lake/lake.ts'
import { findPredictionDay } from '../lake/prediction-days.ts'
import type { ExportDesk } from './export-desk.ts'
import type { ServedProgram } from './served-program.ts'

/** Comparisons whose rows are kept, of all programs together. */
const mostKept = 16

/** What changed between two days, worked out. */
export interface ComparedRows {
  /** Tells these rows from all others: the same days, not predicted again. */
  readonly key: string
  /** Parquet, in the order of customers. */
  readonly path: string
  /** Rows by kind of change. */
  readonly counts: Readonly<Record<'new' | 'gone' | 'moved', number>>
}

/** Compares days once, in the turn of exports, and keeps the rows of those asked for last. */
export class ServedChanges {
  readonly #exports: ExportDesk
  readonly #kept = new Map<string, Promise<ComparedRows>>()

  constructor(exports: ExportDesk) {
    this.#exports = exports
  }

  /** **Errors** `no-predictions`, `changes` as `selectChanges` has them; `busy`. */
  get(served: ServedProgram, days: { lake: Lake; since: string; date: string }): Promise<ComparedRows> {
    const { lake, since, date } = days
    const files = [since, date].map((day) => findPredictionDay(lake, day).path)
    const identity = JSON.stringify([
      served.program.name,
      lake.state.sequence,
      ...files,
      served.program.outcomes,
    ])
    const key = createHash('sha256').update(identity).digest('base64url').slice(0, 22)
    const known = this.#kept.get(key)
    if (known) return known
    const made = this.#exports.run((database) => this.#compare(database, served, { ...days, key }))
    this.#kept.set(key, made)
    made.catch(() => this.#kept.delete(key))
    this.#forgetOldest()
    return made
  }

  async #compare(
    database: Database,
    { program }: ServedProgram,
    { key, ...days }: { key: string; lake: Lake; since: string; date: string },
  ): Promise<ComparedRows> {
    const path = this.#exports.makePath()
    const select = await selectChanges(database, program, days)
    await database.run(`copy (${select}) to ${quoteText(path)} (format parquet)`)
    const counts = await database.row<Record<'new' | 'gone' | 'moved', number>>(
      `select ${['new', 'gone', 'moved'].map((kind) => `count(*) filter (change = '${kind}') as ${kind}`).join(', ')} from read_parquet(${quoteText(path)})`,
    )
    return { key, path, counts }
  }

  #forgetOldest(): void {
    if (this.#kept.size <= mostKept) return
    const [key, oldest] = [...this.#kept][0]
    this.#kept.delete(key)
    // Whoever reads it may finish: the file is open.
    void oldest.then(({ path }) => rm(path, { force: true })).catch(() => undefined)
  }
}
