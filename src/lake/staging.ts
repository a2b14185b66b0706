import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { quarantineReasons, tableShapes } from '../domain/tables.ts'
import { canonicalSelect, findColumn } from './canonical.ts'
import type { ColumnKind } from './commits.ts'
import { type Database, quoteName, quoteText } from './database.ts'
import { type SourceRelation, sqlError } from './source.ts'

export interface StagingOptions {
  readonly program: Program
  /** The clock, ISO 8601. */
  readonly now: string
  /** What earlier readings found a column to hold: it stays that way. */
  readonly known: ReadonlyMap<string, ColumnKind>
}

/** Reads a source into the scratch table `staged`: canonical columns, `content`, `reason`, `raw_row`. */
export async function stageSource(
  database: Database,
  relation: SourceRelation,
  options: StagingOptions,
): Promise<Map<string, ColumnKind>> {
  checkTimeTypes(relation)
  const extras = await columnKinds(database, relation, options.known)
  try {
    await database.run('drop table if exists staged')
    await database.run(
      `create table staged as ${canonicalSelect(relation, { program: options.program, now: options.now, extras })}`,
    )
  } catch (error) {
    throw sqlError(relation.source, error)
  }
  await refuseUnreadable(database, relation)
  return extras
}

function checkTimeTypes(relation: SourceRelation): void {
  for (const name of ['at', 'valid_from', 'joined_at', 'observed_until']) {
    const column = findColumn(relation, name)
    if (column && !/^(DATE|TIMESTAMP|VARCHAR)|^"NULL"$/.test(column[1])) {
      throw usageError(
        'time-type',
        `sources.${relation.source.key}: ${name} is ${column[1]}, not a time. Convert it in the select, for example to_timestamp(${column[0]}) for seconds since 1970 or make_timestamp(${column[0]} * 1000) for milliseconds.`,
      )
    }
  }
}

/** A source none of whose rows can be read is a wrong program file, not dirty data. */
async function refuseUnreadable(database: Database, relation: SourceRelation): Promise<void> {
  const { rows, times } = await database.row<{ rows: number; times: number }>(
    "select count(*) as rows, count(*) filter (reason = 'bad_time') as times from staged",
  )
  if (rows === 0 || times < rows) return
  const example = await database.row<{ source_row: number; raw_row: string }>(
    'select source_row, raw_row from staged order by source_row limit 1',
  )
  throw usageError(
    'bad-time',
    `sources.${relation.source.key}: no row has a time that can be read; row ${example.source_row}: ${example.raw_row}. Times look like 2026-11-20, 2026-11-20 08:30:00 or 2026-11-20T08:30:00Z; convert others with strptime(column, format).`,
  )
}

/** What each column beyond the canonical ones holds. Texts that are nearly all numbers or times count as such. */
async function columnKinds(
  database: Database,
  relation: SourceRelation,
  known: ReadonlyMap<string, ColumnKind>,
): Promise<Map<string, ColumnKind>> {
  const { required, optional } = tableShapes[relation.source.table]
  const canonical = new Set([...required, ...optional])
  const kinds = new Map<string, ColumnKind>()
  const texts: string[] = []
  for (const [name, type] of relation.columns) {
    if (canonical.has(name.toLowerCase())) continue
    const kind = known.get(name) ?? kindOfType(type)
    if (kind === null) texts.push(name)
    else kinds.set(name, kind)
  }
  for (const [name, kind] of await sniffTexts(database, relation, texts)) kinds.set(name, kind)
  return new Map([...kinds].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function kindOfType(type: string): ColumnKind | null {
  if (type === 'BOOLEAN') return 'boolean'
  if (/^(DATE|TIMESTAMP)/.test(type)) return 'time'
  if (/^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL.*)$/.test(type)) return 'number'
  return type === 'VARCHAR' ? null : 'category'
}

async function sniffTexts(
  database: Database,
  relation: SourceRelation,
  texts: readonly string[],
): Promise<[string, ColumnKind][]> {
  if (texts.length === 0) return []
  const measures = texts.flatMap((name, index) => {
    const value = `nullif(trim(${quoteName(name)}), '')`
    return [
      `count(${value}) as filled_${index}`,
      `count(try_cast(${value} as double)) as numbers_${index}`,
      `count(try_cast(${value} as timestamp)) as times_${index}`,
    ]
  })
  try {
    const found = await database.row<Record<string, number>>(
      `select ${measures.join(', ')} from (select * from (${relation.sql}\n) limit 200000)`,
    )
    return texts.map((name, index) => {
      const nearlyAll = 0.99 * found[`filled_${index}`]
      if (nearlyAll > 0 && found[`numbers_${index}`] >= nearlyAll) return [name, 'number']
      return [name, nearlyAll > 0 && found[`times_${index}`] >= nearlyAll ? 'time' : 'category']
    })
  } catch (error) {
    throw sqlError(relation.source, error)
  }
}

/** Copies the refused rows of `staged` to a Parquet file that people can read; returns counts by reason. */
export async function writeQuarantine(
  database: Database,
  relation: SourceRelation,
  path: string,
): Promise<Record<string, number>> {
  const rows = await database.rows<{ reason: keyof typeof quarantineReasons; rows: number }>(
    'select reason, count(*) as rows from staged where reason is not null group by reason order by reason',
  )
  if (rows.length === 0) return {}
  const words = Object.entries(quarantineReasons).map(
    ([reason, text]) => `when '${reason}' then ${quoteText(text)}`,
  )
  await database.run(
    `copy (
      select ${quoteText(relation.source.key)} as source, source_row, reason, case reason ${words.join(' ')} end as words, raw_row as row
      from staged where reason is not null order by source_row
    ) to ${quoteText(path)} (format parquet)`,
  )
  return Object.fromEntries(rows.map((row) => [row.reason, row.rows]))
}
