import { createReadStream } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { failure, usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { Database, quoteText } from '../lake/database.ts'
import { openLake } from '../lake/lake.ts'

export const exportFormats = ['csv', 'ndjson', 'parquet'] as const
export type ExportFormat = (typeof exportFormats)[number]

const copyOptions: Readonly<Record<ExportFormat, string>> = {
  csv: 'format csv, header true',
  ndjson: 'format json, array false',
  parquet: 'format parquet',
}

export interface ExportOptions {
  readonly dataFolder: string
  readonly date: string
  readonly format: ExportFormat
  /** Null: to stdout. */
  readonly file: string | null
}

/** Writes the predictions of a day, ordered by customer; returns the number of rows. */
export async function exportPredictions(program: Program, options: ExportOptions): Promise<number> {
  const lake = await openLake(options.dataFolder, program)
  const day = lake.state.predictions.get(options.date)
  if (!day) {
    const known = [...lake.state.predictions.keys()].sort()
    const hint =
      known.length > 0 ? `There are predictions of: ${known.slice(-10).join(', ')}.` : 'There are none yet.'
    throw usageError(
      'no-predictions',
      `No predictions of ${options.date}. ${hint} Run loyalcast daily --date ${options.date}.`,
    )
  }
  const folder = await mkdtemp(
    join(options.file === null ? tmpdir() : dirname(options.file), '.loyalcast-export-'),
  ).catch((error: Error) => {
    throw failure('storage', `${options.file} cannot be written: ${error.message}`)
  })
  const staged = join(folder, 'rows')
  const database = await Database.open({ spillFolder: join(folder, 'spill'), timezone: 'UTC' })
  try {
    const source = `read_parquet(${quoteText(join(lake.folder, day.path))}, hive_partitioning = false)`
    await database.run(
      `copy (select ${exportedColumns(options.format)} from ${source} order by customer_id) to ${quoteText(staged)} (${copyOptions[options.format]})`,
    )
    if (options.file === null) await pipeline(createReadStream(staged), process.stdout, { end: false })
    else await rename(staged, options.file)
    return day.rows
  } finally {
    database.close()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Drivers and flags are JSON: nested in NDJSON, text elsewhere. */
function exportedColumns(format: ExportFormat): string {
  return format === 'ndjson' ? '* replace (top_drivers::json as top_drivers, flags::json as flags)' : '*'
}
