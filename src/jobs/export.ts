import { createWriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Program } from '../domain/program.ts'
import { selectDrivers } from '../engage/driver-rows.ts'
import type { ExportShape } from '../engage/export-shapes.ts'
import { quoteText } from '../lake/database.ts'
import { publish, requirePlace } from '../lake/durable-files.ts'
import { openLake } from '../lake/lake.ts'
import { findPredictionDay } from '../lake/prediction-days.ts'
import { openPredictions, openReadingDatabase } from '../lake/read-predictions.ts'
import { withScratchFolder } from '../lake/scratch.ts'
import { selectChanges } from './changes.ts'
import { pourInto, type RowTarget, writeFound, writeSelected } from './row-file.ts'
import { shapedBytes } from './shaped-rows.ts'

export interface ExportOptions {
  readonly dataFolder: string
  readonly date: string
  /** Null: one JSON array of all rows. */
  readonly shape: ExportShape | null
  /** It appears whole or not at all. Null: to stdout. */
  readonly file: string | null
}

/** Most memory that an export takes. */
const memoryLimit = '1GB'

/**
 * Writes the predictions of a day, ordered by customer; returns the number of rows.
 *
 * **Errors** `no-predictions` with the days that there are, `storage` where the file cannot be written.
 */
export async function exportPredictions(program: Program, options: ExportOptions): Promise<number> {
  const { dataFolder, date, shape, file } = options
  const lake = await openLake(dataFolder, program)
  const day = findPredictionDay(lake, date)
  const path = join(lake.folder, day.path)
  if (shape === null) {
    const nested = '* replace (top_drivers::json as top_drivers, flags::json as flags)'
    const select = `select ${nested} from read_parquet(${quoteText(path)}, hive_partitioning = false) order by customer_id`
    await writeSelected(select, { format: 'json', file })
    return day.rows
  }
  if (file !== null) await requirePlace(file)
  await withScratchFolder(file === null ? tmpdir() : dirname(file), async (folder) => {
    const database = await openReadingDatabase({ spillFolder: join(folder, 'spill'), memoryLimit })
    try {
      const opened = await openPredictions(database, path)
      const rows = { program, shape, where: null, from: 0, to: opened.rows, path: join(folder, 'rows') }
      const bytes = Readable.from(
        shapedBytes(opened, rows, (work) => work(database)),
        { objectMode: false },
      )
      if (file === null) return await pourInto(process.stdout, bytes)
      const sent = join(folder, 'sent')
      await pipeline(bytes, createWriteStream(sent))
      await publish(sent, file)
    } finally {
      database.close()
    }
  })
  return day.rows
}

/** Of what, and where it goes. */
export interface TableOptions extends RowTarget {
  readonly dataFolder: string
  readonly date: string
}

/**
 * Writes what changed between two days, ordered by customer; returns the number of rows. Outside of JSON `moved` is JSON
 * as text.
 *
 * **Errors** `no-predictions` with the days that there are, `changes` where `since` is not before `date`, `storage`.
 */
export async function exportChanges(
  program: Program,
  { dataFolder, since, date, ...target }: TableOptions & { readonly since: string },
): Promise<number> {
  const lake = await openLake(dataFolder, program)
  const isJson = target.format === 'ndjson' || target.format === 'json'
  return writeFound(async (database) => {
    const changes = await selectChanges(database, program, { lake, since, date })
    const columns = isJson ? '* replace (moved::json as moved)' : '*'
    return { sql: `select ${columns} from (${changes})`, parameters: {} }
  }, target)
}

/**
 * Writes the drivers of a day's predictions, a row each; returns the number of rows.
 *
 * **Errors** as {@link exportPredictions}.
 */
export async function exportDrivers(
  program: Program,
  { dataFolder, date, ...target }: TableOptions,
): Promise<number> {
  const lake = await openLake(dataFolder, program)
  const path = join(lake.folder, findPredictionDay(lake, date).path)
  return writeFound(async (database) => {
    const file = await openPredictions(database, path)
    return selectDrivers(file, { format: target.format, outcome: null })
  }, target)
}
