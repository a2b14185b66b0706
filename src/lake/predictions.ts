import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DOUBLE, DuckDBDataChunk, type DuckDBType, type DuckDBValue, VARCHAR } from '@duckdb/node-api'
import type { PredictionColumn } from '../domain/prediction.ts'
import { appendCommit, nextCommit, type PredictionDay, paddedSequence } from './commits.ts'
import { type Database, quoteName, quoteText } from './database.ts'
import { publish } from './durable-files.ts'
import type { Lake } from './lake.ts'

/** A row of predictions by column; missing columns are null. */
export type PredictionRow = Readonly<Record<string, string | number | null>>

const chunkRows = 2048
/** Rows that are read together at least: small, since one customer is looked for more often than all are read. */
const groupRows = 16_384

/** Working column of the draft: would be an expansion promoter if upsell lay in the day's top fifth. Not published. */
const isExpanding: PredictionColumn = { name: 'is_expanding', type: 'double' }

/** Collects a day's predictions in a scratch table until they are published. */
export class PredictionDraft {
  readonly #database: Database
  readonly #table: string
  readonly #columns: readonly PredictionColumn[]

  private constructor(database: Database, table: string, columns: readonly PredictionColumn[]) {
    this.#database = database
    this.#table = table
    this.#columns = columns
  }

  static async create(
    database: Database,
    columns: readonly PredictionColumn[],
    table = 'prediction_draft',
  ): Promise<PredictionDraft> {
    const types = [...columns, isExpanding].map(
      ({ name, type }) => `${quoteName(name)} ${type === 'date' ? 'varchar' : type}`,
    )
    await database.run(`create or replace table ${table} (${types.join(', ')})`)
    return new PredictionDraft(database, table, columns)
  }

  async append(rows: readonly PredictionRow[]): Promise<void> {
    const columns = [...this.#columns, isExpanding]
    const types: DuckDBType[] = columns.map(({ type }) => (type === 'double' ? DOUBLE : VARCHAR))
    const appender = await this.#database.appender(this.#table)
    for (let start = 0; start < rows.length; start += chunkRows) {
      const part = rows.slice(start, start + chunkRows)
      const chunk = DuckDBDataChunk.create(types, part.length)
      chunk.setColumns(columns.map(({ name }) => part.map((row): DuckDBValue => row[name] ?? null)))
      appender.appendDataChunk(chunk)
    }
    appender.closeSync()
  }

  /**
   * Makes the draft the predictions of a day, replacing earlier ones at once.
   *
   * @param before what the version of the day before says of the same customers.
   */
  async publish(
    lake: Lake,
    day: Pick<PredictionDay, 'date' | 'modelVersion'> & { at: string; timezone: string },
    before: { readonly draft: PredictionDraft; readonly modelVersion: string } | null = null,
  ): Promise<PredictionDay> {
    const { state, folder } = lake
    const { date, modelVersion } = day
    const name = join('predictions', `date=${date}`, paddedSequence(state.sequence + 1))
    const path = `${name}.parquet`
    const counts = await this.#database.row<{ rows: number; predicted: number }>(
      `select count(*) as rows, count(*) filter (where status = 'predicted') as predicted from ${this.#table}`,
    )
    await this.#write(folder, path)
    const published = { date, path, modelVersion, lakeCommit: state.sequence, ...counts }
    if (before === null) {
      await appendCommit(folder, { ...nextCommit(state, day), predictions: [published] })
      return published
    }
    const beforePath = `${name}-before.parquet`
    await before.draft.#write(folder, beforePath)
    const both = { ...published, before: { path: beforePath, modelVersion: before.modelVersion } }
    await appendCommit(folder, { ...nextCommit(state, day), predictions: [both] })
    return both
  }

  async #write(lakeFolder: string, path: string): Promise<void> {
    const staged = join(lakeFolder, 'staging', 'predictions.parquet')
    await mkdir(join(lakeFolder, 'staging'), { recursive: true })
    const picks = this.#columns.map(({ name, type }) =>
      type === 'date' ? `${quoteName(name)}::date as ${quoteName(name)}` : quoteName(name),
    )
    await this.#database.run(
      `copy (select ${picks.join(', ')} from ${this.#table} order by customer_id) to ${quoteText(staged)} (format parquet, compression zstd, row_group_size ${groupRows})`,
    )
    await publish(staged, join(lakeFolder, path))
  }
}
