import { join } from 'node:path'
import { quarantineReasons } from '../domain/tables.ts'
import { type Database, quoteText } from './database.ts'
import { publish } from './durable-files.ts'

/** A refused row, to be shown. */
export interface RefusedRow {
  readonly source: string
  /** Its number in the source, from 1. */
  readonly sourceRow: number
  readonly reason: string
  readonly words: string
  /** The row as it came, as JSON. */
  readonly row: string
}

/**
 * Copies the refused rows of `staged` to a Parquet file that people can read: source, source_row, reason, words, row.
 * Returns how many by reason; writes nothing where there are none.
 */
export async function writeQuarantine(
  database: Database,
  sourceKey: string,
  { staging, path }: { staging: string; path: string },
): Promise<Record<string, number>> {
  const rows = await database.rows<{ reason: string; rows: number }>(
    'select reason::varchar as reason, count(*) as rows from staged where reason is not null group by all order by 1',
  )
  if (rows.length === 0) return {}
  const words = Object.entries(quarantineReasons).map(
    ([reason, text]) => `when '${reason}' then ${quoteText(text)}`,
  )
  const staged = join(staging, 'quarantine.parquet')
  await database.run(`
    copy (
      select
        ${quoteText(sourceKey)} as source,
        rowid + 1 as source_row,
        reason::varchar as reason,
        case reason ${words.join(' ')} end as words,
        raw_row as row
      from staged
      where reason is not null
      order by source_row
    ) to ${quoteText(staged)} (format parquet)`)
  await publish(staged, path)
  return Object.fromEntries(rows.map((row) => [row.reason, row.rows]))
}

/** The first refused row of each source and reason. */
export async function firstRefused(database: Database, paths: readonly string[]): Promise<RefusedRow[]> {
  if (paths.length === 0) return []
  return database.rows<RefusedRow & Record<string, unknown>>(`
    select source, source_row as "sourceRow", reason, words, row
    from read_parquet([${paths.map(quoteText).join(', ')}])
    qualify row_number() over (partition by source, reason order by source_row) = 1
    order by source, source_row`)
}
