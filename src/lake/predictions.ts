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

/** Working column of the draft: would be an expansion promoter if upsell lay in the day's top fifth. Not published. */
const isExpanding: PredictionColumn = { name: 'is_expanding', type: 'double' }

/** Collects a day's predictions in a scratch table until they are published. */
export class PredictionDraft {
  readonly #database: Database
  readonly #columns: readonly PredictionColumn[]

  private constructor(database: Database, columns: readonly PredictionColumn[]) {
    this.#database = database
    this.#columns = columns
  }

  static async create(database: Database, columns: readonly PredictionColumn[]): Promise<PredictionDraft> {
    const types = [...columns, isExpanding].map(
      ({ name, type }) => `${quoteName(name)} ${type === 'date' ? 'varchar' : type}`,
    )
    await database.run(`create or replace table prediction_draft (${types.join(', ')})`)
    return new PredictionDraft(database, columns)
  }

  async append(rows: readonly PredictionRow[]): Promise<void> {
    const columns = [...this.#columns, isExpanding]
    const types: DuckDBType[] = columns.map(({ type }) => (type === 'double' ? DOUBLE : VARCHAR))
    const appender = await this.#database.appender('prediction_draft')
    for (let start = 0; start < rows.length; start += chunkRows) {
      const part = rows.slice(start, start + chunkRows)
      const chunk = DuckDBDataChunk.create(types, part.length)
      chunk.setColumns(columns.map(({ name }) => part.map((row): DuckDBValue => row[name] ?? null)))
      appender.appendDataChunk(chunk)
    }
    appender.closeSync()
  }

  /** Makes the draft the predictions of a day, replacing earlier ones at once. */
  async publish(
    lake: Lake,
    day: Pick<PredictionDay, 'date' | 'modelVersion'> & { at: string; timezone: string },
  ): Promise<PredictionDay> {
    const { state, folder } = lake
    const sequence = state.sequence + 1
    const path = join('predictions', `date=${day.date}`, `${paddedSequence(sequence)}.parquet`)
    const staged = join(folder, 'staging', 'predictions.parquet')
    await mkdir(join(folder, 'staging'), { recursive: true })
    const picks = this.#columns.map(({ name, type }) =>
      type === 'date' ? `${quoteName(name)}::date as ${quoteName(name)}` : quoteName(name),
    )
    await this.#database.run(
      `copy (select ${picks.join(', ')} from prediction_draft order by customer_id) to ${quoteText(staged)} (format parquet, compression zstd)`,
    )
    const counts = await this.#database.row<{ rows: number; predicted: number }>(
      "select count(*) as rows, count(*) filter (where status = 'predicted') as predicted from prediction_draft",
    )
    await publish(staged, join(folder, path))
    const { date, modelVersion } = day
    const published = { date, path, modelVersion, lakeCommit: state.sequence, ...counts }
    await appendCommit(folder, { ...nextCommit(state, day), predictions: [published] })
    return published
  }
}
