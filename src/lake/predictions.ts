import { join } from 'node:path'
import { DOUBLE, DuckDBDataChunk, DuckDBDoubleVector, type DuckDBVector, VARCHAR } from '@duckdb/node-api'
import type { PredictionColumn } from '../domain/prediction.ts'
import { appendCommit, nextCommit, type PredictionDay, paddedSequence } from './commits.ts'
import { type Database, quoteName, quoteText } from './database.ts'
import { publish } from './durable-files.ts'
import type { Lake } from './lake.ts'

/** A row of predictions by column; missing columns are null. */
export type PredictionRow = Readonly<Record<string, string | number | null>>

/**
 * Predictions of some customers by column: numbers, NaN where missing, or texts. A column that is not there is empty.
 * **Shape** every column [rows].
 */
export interface PredictionBatch {
  readonly rows: number
  readonly columns: Readonly<Record<string, Float64Array | readonly (string | null)[]>>
}

const chunkRows = 2048
/** Rows that are read together at least: small, since one customer is looked for more often than all are read. */
const groupRows = 16_384
/** Of zstd: the lowest, which packs nearly as well as the next ones and takes much less time. */
const level = 1

/** Working column of a part: would be an expansion promoter if upsell lay in the day's top fifth. Not published. */
const isExpanding: PredictionColumn = { name: 'is_expanding', type: 'double' }

export interface DraftOptions {
  readonly columns: readonly PredictionColumn[]
  /** Columns that say the same of everybody. Default: none. */
  readonly constants?: PredictionRow
  /** Scratch table. */
  readonly table?: string
}

/** Collects predictions of some customers in a scratch table until they are written as a part of a day. */
export class PredictionDraft {
  readonly #database: Database
  readonly #table: string
  readonly #columns: readonly PredictionColumn[]
  readonly #constants: PredictionRow
  readonly #varying: readonly PredictionColumn[]
  /** Filled again and again: a new one would ask the system for new memory. */
  readonly #chunk: DuckDBDataChunk

  private constructor(
    database: Database,
    { columns, constants = {}, table = 'prediction_draft' }: DraftOptions,
  ) {
    this.#database = database
    this.#table = table
    this.#columns = [...columns, isExpanding]
    this.#constants = constants
    this.#varying = this.#columns.filter(({ name }) => !(name in constants))
    this.#chunk = DuckDBDataChunk.create(
      this.#varying.map(({ type }) => (type === 'double' ? DOUBLE : VARCHAR)),
    )
  }

  static async create(database: Database, options: DraftOptions): Promise<PredictionDraft> {
    const draft = new PredictionDraft(database, options)
    const types = draft.#varying.map(({ name, type }) => `${quoteName(name)} ${sqlType(type)}`)
    await database.run(`create or replace table ${draft.#table} (${types.join(', ')})`)
    return draft
  }

  /** Adds customers; all of a draft are added in the order of their ids. */
  async append({ rows, columns }: PredictionBatch): Promise<void> {
    const chunk = this.#chunk
    const appender = await this.#database.appender(this.#table)
    for (let start = 0; start < rows; start += chunkRows) {
      chunk.reset()
      chunk.rowCount = Math.min(chunkRows, rows - start)
      for (const [index, { name }] of this.#varying.entries())
        fillVector(chunk.getColumnVector(index), columns[name] ?? null, start)
      appender.appendDataChunk(chunk)
    }
    appender.closeSync()
  }

  /**
   * Writes what was added as a Parquet file, which is not yet known to be on the disk. It is read once: what to look
   * for equal values takes would not come back.
   */
  async write(path: string): Promise<void> {
    const picks = this.#columns.map(({ name, type }) => {
      const value = name in this.#constants ? literal(this.#constants[name]) : columnSql(name, type)
      return `${value}::${sqlType(type)} as ${quoteName(name)}`
    })
    await this.#database.run(
      `copy (select ${picks.join(', ')} from ${this.#table}) to ${quoteText(path)} (format parquet, compression snappy, dictionary_size_limit 1)`,
    )
  }
}

function sqlType(type: PredictionColumn['type']): string {
  return type === 'date' ? 'varchar' : type
}

function literal(value: string | number | null): string {
  return typeof value === 'string' ? quoteText(value) : String(value)
}

/** While they are collected, missing numbers are NaN: a vector with nulls is filled many times slower. */
function columnSql(name: string, type: PredictionColumn['type']): string {
  return type === 'double' ? `nullif(${quoteName(name)}, 'nan'::double)` : quoteName(name)
}

function fillVector(
  vector: DuckDBVector,
  column: PredictionBatch['columns'][string] | null,
  start: number,
): void {
  const missing = vector instanceof DuckDBDoubleVector ? Number.NaN : null
  for (let row = 0; row < vector.itemCount; row++)
    vector.setItem(row, column === null ? missing : column[start + row])
  vector.flush()
}

/** What a run wrote of a day: files of {@link PredictionDraft.write}, which together hold everybody once. */
export interface DayParts {
  readonly columns: readonly PredictionColumn[]
  readonly paths: readonly string[]
}

export interface PublishedDay extends Pick<PredictionDay, 'date' | 'modelVersion' | 'lakeCommit'> {
  readonly parts: DayParts
  /** What the version of the day before says of the same customers. */
  readonly before: (DayParts & { readonly modelVersion: string }) | null
  /** Column of which the top fifth makes an expansion promoter; null: there are none. */
  readonly expansionColumn: string | null
  /** The clock, ISO 8601. */
  readonly at: string
  readonly timezone: string
  /** For what is not finished. */
  readonly folder: string
}

/**
 * Makes the parts the predictions of a day, in the order of customers, replacing earlier ones at once. Call it while
 * holding the lake's lock.
 *
 * **Errors** `locked` where another writer was faster.
 */
export async function publishDay(
  database: Database,
  { folder: lakeFolder, state }: Lake,
  day: PublishedDay,
): Promise<PredictionDay> {
  const { date, modelVersion, lakeCommit, parts, before } = day
  const counts = await database.row<{ rows: number; predicted: number }>(
    `select count(*) as rows, count(*) filter (where status = 'predicted') as predicted from ${readParts(parts)}`,
  )
  const name = join('predictions', `date=${date}`, paddedSequence(state.sequence + 1))
  const path = `${name}.parquet`
  const segment = await segmentSql(database, parts, day.expansionColumn)
  await writeDay(database, { lakeFolder, path, parts, segment, folder: day.folder })
  const published = { date, path, modelVersion, lakeCommit, ...counts }
  const record = nextCommit(state, day)
  if (before === null) {
    await appendCommit(lakeFolder, { ...record, predictions: [published] })
    return published
  }
  const beforePath = `${name}-before.parquet`
  await writeDay(database, { lakeFolder, path: beforePath, parts: before, folder: day.folder })
  const both = { ...published, before: { path: beforePath, modelVersion: before.modelVersion } }
  await appendCommit(lakeFolder, { ...record, predictions: [both] })
  return both
}

function readParts({ paths }: DayParts): string {
  return `read_parquet([${paths.map(quoteText).join(', ')}], hive_partitioning = false)`
}

/** Expansion promoters are known once the whole day is there: the column in the top fifth of everybody at risk. */
async function segmentSql(database: Database, parts: DayParts, column: string | null): Promise<string> {
  if (column === null) return 'segment'
  const { least } = await database.row<{ least: number | null }>(
    `select quantile_cont(${quoteName(column)}, 0.8) as least from ${readParts(parts)}`,
  )
  if (least === null) return 'segment'
  return `case when is_expanding = 1 and ${quoteName(column)} >= ${least}::double then 'expansion-promoters' else segment end as segment`
}

interface DayFile {
  readonly lakeFolder: string
  /** Relative to the lake. */
  readonly path: string
  readonly parts: DayParts
  readonly segment?: string
  readonly folder: string
}

async function writeDay(
  database: Database,
  { lakeFolder, path, parts, segment = 'segment', folder }: DayFile,
): Promise<void> {
  const staged = join(folder, 'day.parquet')
  const picks = parts.columns.map(({ name, type }) => {
    if (name === 'segment') return segment
    return type === 'date' ? `${quoteName(name)}::date as ${quoteName(name)}` : quoteName(name)
  })
  await database.run(
    `copy (select ${picks.join(', ')} from ${readParts(parts)} order by customer_id) to ${quoteText(staged)} (format parquet, compression zstd, compression_level ${level}, row_group_size ${groupRows})`,
  )
  await publish(staged, join(lakeFolder, path))
}
