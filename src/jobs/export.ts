import { createReadStream } from 'node:fs'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { failure, usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { Database, quoteText } from '../lake/database.ts'
import { publish } from '../lake/durable-files.ts'
import { openLake } from '../lake/lake.ts'

export const exportFormats = ['csv', 'ndjson', 'parquet'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** `json`: one array, for readers that want a single document. */
const copyOptions: Readonly<Record<ExportFormat | 'json', string>> = {
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
  const day = lake.state.predictions.get(options.date)
  if (!day) throw noPredictions(options.date, [...lake.state.predictions.keys()])
  const folder = await scratchFolder(file)
  const staged = join(folder, 'rows')
  const database = await Database.open({ spillFolder: join(folder, 'spill'), timezone: 'UTC' })
  try {
    const source = `read_parquet(${quoteText(join(lake.folder, day.path))}, hive_partitioning = false)`
    await database.run(
      `copy (select ${exportedColumns(format)} from ${source} order by customer_id) to ${quoteText(staged)} (${copyOptions[format]})`,
    )
    if (file !== null) await publish(staged, file)
    else await pourInto(process.stdout, staged)
    return day.rows
  } finally {
    database.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function noPredictions(date: string, days: readonly string[]): Error {
  const known = days.toSorted().slice(-10).join(', ')
  const hint = known === '' ? 'There are none yet.' : `There are predictions of: ${known}.`
  return usageError(
    'no-predictions',
    `No predictions of ${date}. ${hint} Run loyalcast daily --date ${date}.`,
  )
}

/** A folder on the file's disk, so that a finished file only needs to be renamed. */
async function scratchFolder(file: string | null): Promise<string> {
  const refuse = (reason: string) => {
    throw failure('storage', `${file} cannot be written: ${reason}`)
  }
  if (file === null) return mkdtemp(join(tmpdir(), 'loyalcast-export-'))
  const isFolder = await stat(file).then(
    (found) => found.isDirectory(),
    () => false,
  )
  if (isFolder) refuse('it is a folder. Name a file in it.')
  return mkdtemp(join(dirname(file), '.loyalcast-export-')).catch((error: Error) => refuse(error.message))
}

/** A reader that wants no more (`| head`) is no failure. */
async function pourInto(stream: Writable, path: string): Promise<void> {
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
