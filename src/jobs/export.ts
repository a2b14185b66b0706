import { createReadStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Program } from '../domain/program.ts'
import { Database, quoteText } from '../lake/database.ts'
import { publish, requirePlace } from '../lake/durable-files.ts'
import { openLake } from '../lake/lake.ts'
import { findPredictionDay } from '../lake/prediction-days.ts'
import { withScratchFolder } from '../lake/scratch.ts'

export const exportFormats = ['csv', 'ndjson', 'parquet'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** How DuckDB writes each. `json`: one array, for readers that want a single document. */
export const copyOptions: Readonly<Record<ExportFormat | 'json', string>> = {
  csv: 'format csv, header true',
  ndjson: 'format json, array false',
  json: 'format json, array true',
  parquet: 'format parquet',
}

export interface ExportOptions {
  readonly dataFolder: string
  readonly date: string
  readonly format: ExportFormat | 'json'
  /** It appears whole or not at all. Null: to stdout. */
  readonly file: string | null
}

/**
 * Writes the predictions of a day, ordered by customer; returns the number of rows.
 *
 * **Errors** `no-predictions` with the days that there are, `storage` where the file cannot be written.
 */
export async function exportPredictions(program: Program, options: ExportOptions): Promise<number> {
  const { file, format } = options
  const lake = await openLake(options.dataFolder, program)
  const day = findPredictionDay(lake, options.date)
  if (file !== null) await requirePlace(file)
  const parent = file === null ? tmpdir() : dirname(file)
  await withScratchFolder(parent, async (folder) => {
    const staged = join(folder, 'rows')
    const rows = `read_parquet(${quoteText(join(lake.folder, day.path))}, hive_partitioning = false)`
    await copyRows(rows, { staged, format, spillFolder: join(folder, 'spill') })
    if (file !== null) await publish(staged, file)
    else await pourInto(process.stdout, staged)
  })
  return day.rows
}

/** Writes rows to a file, ordered by customer. */
async function copyRows(
  rows: string,
  { staged, format, spillFolder }: Pick<ExportOptions, 'format'> & { staged: string; spillFolder: string },
): Promise<void> {
  const database = await Database.open({ spillFolder, timezone: 'UTC' })
  try {
    await database.run(
      `copy (select ${exportedColumns(format)} from ${rows} order by customer_id) to ${quoteText(staged)} (${copyOptions[format]})`,
    )
  } finally {
    database.close()
  }
}

/** A reader that wants no more (`| head`) is no failure. */
export async function pourInto(stream: Writable, path: string): Promise<void> {
  try {
    await pipeline(createReadStream(path), stream, { end: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  }
}

/** Drivers and flags are JSON: nested in JSON, text elsewhere. */
function exportedColumns(format: ExportOptions['format']): string {
  const isJson = format === 'ndjson' || format === 'json'
  return isJson ? '* replace (top_drivers::json as top_drivers, flags::json as flags)' : '*'
}
