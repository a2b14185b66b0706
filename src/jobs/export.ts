import { join } from 'node:path'
import type { Program } from '../domain/program.ts'
import { quoteText } from '../lake/database.ts'
import { openLake } from '../lake/lake.ts'
import { findPredictionDay } from '../lake/prediction-days.ts'
import { type RowTarget, writeSelected } from './row-file.ts'

export interface ExportOptions extends RowTarget {
  readonly dataFolder: string
  readonly date: string
}

/**
 * Writes the predictions of a day, ordered by customer; returns the number of rows.
 *
 * **Errors** `no-predictions` with the days that there are, `storage` where the file cannot be written.
 */
export async function exportPredictions(program: Program, options: ExportOptions): Promise<number> {
  const lake = await openLake(options.dataFolder, program)
  const day = findPredictionDay(lake, options.date)
  const path = quoteText(join(lake.folder, day.path))
  await writeSelected(
    `select ${exportedColumns(options.format)} from read_parquet(${path}, hive_partitioning = false) order by customer_id`,
    options,
  )
  return day.rows
}

/** Drivers and flags are JSON: nested in JSON, text elsewhere. */
function exportedColumns(format: RowTarget['format']): string {
  const isJson = format === 'ndjson' || format === 'json'
  return isJson ? '* replace (top_drivers::json as top_drivers, flags::json as flags)' : '*'
}
