import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { Reporter } from '../domain/progress.ts'
import { canonicalSelect, type ExtraColumns, findColumn } from './canonical.ts'
import { columnKinds } from './column-kinds.ts'
import type { ColumnKind } from './commits.ts'
import type { Database } from './database.ts'
import { type SourceRelation, sqlError } from './source.ts'

export interface StagingOptions {
  readonly program: Program
  /** The clock, ISO 8601. */
  readonly now: string
  readonly reporter: Reporter
  /** What earlier readings of the table found a column to hold: it stays that way. */
  readonly known: ReadonlyMap<string, ColumnKind>
  /** Properties or attributes of earlier readings of this source. */
  readonly earlier: readonly string[]
  /** No reading of the source came before: then it fails where not a single row has a time. */
  readonly isFirst: boolean
}

/** What a source was found to have beyond the canonical columns. */
export interface StagedColumns {
  /** Name in the lake → kind. */
  readonly columns: Readonly<Record<string, ColumnKind>>
  /** Those of this reading and of earlier ones, sorted: what makes a row's identity. */
  readonly identity: readonly string[]
}

/**
 * Reads a source into the scratch table `staged`: what `canonicalSelect` yields, in the source's order, so that
 * `rowid + 1` is the number of the source's row.
 */
export async function stageSource(
  database: Database,
  relation: SourceRelation,
  options: StagingOptions,
): Promise<StagedColumns> {
  const { program, now, known } = options
  checkTimeTypes(relation)
  const extras = await columnKinds(database, relation, { known, timezone: program.timezone })
  const names = [...extras.values()].map(({ name }) => name)
  const identity = [...new Set([...options.earlier, ...names])].sort()
  const select = canonicalSelect(relation, { program, now, extras, identity })
  await database.run('drop table if exists staged')
  await database.run(`create table staged as ${select}`).catch((error) => {
    throw sqlError(relation.source, error)
  })
  if (options.isFirst) await refuseUnreadable(database, relation)
  await warnOfUnread(database, { relation, extras, reporter: options.reporter })
  return {
    columns: Object.fromEntries([...extras.values()].map(({ name, kind }) => [name, kind])),
    identity,
  }
}

function checkTimeTypes(relation: SourceRelation): void {
  for (const name of ['at', 'valid_from', 'joined_at', 'observed_until']) {
    const own = findColumn(relation, name)
    const type = own === undefined ? null : relation.columns.get(own)
    if (type && !/^(DATE|TIMESTAMP|VARCHAR|JSON)|^"NULL"$/.test(type)) {
      throw usageError(
        'time-type',
        `sources.${relation.source.key}: ${name} is ${type}, not a time. Convert it in a select, for example to_timestamp(${own}) for seconds since 1970, make_timestamp(${own} * 1000) for milliseconds, or strptime(${own}::varchar, '%Y%m%d') for days such as 20261120.`,
      )
    }
  }
}

/** A source none of whose rows has a time is a wrong program file, not dirty data. */
async function refuseUnreadable(database: Database, relation: SourceRelation): Promise<void> {
  const { rows, times } = await database.row<{ rows: number; times: number }>(
    "select count(*) as rows, count(*) filter (reason = 'bad_time') as times from staged",
  )
  if (rows === 0 || times < rows) return
  const example = await database.row<{ raw_row: string }>('select raw_row from staged where rowid = 0')
  const hasNumbers = /"(at|valid_from|joined_at)":"?\d{9,}/i.test(example.raw_row)
  const format = /"(at|valid_from|joined_at)":"?\d{8}\b/i.test(example.raw_row) ? '%Y%m%d' : '%d/%m/%Y'
  const remedy = hasNumbers
    ? 'Numbers count seconds or milliseconds: convert them in a select, with to_timestamp(seconds) or make_timestamp(milliseconds * 1000).'
    : `Convert others in a select, with strptime(column, format): sql: select * replace (strptime("at", '${format}') as "at") from read_csv('…', all_varchar = true).`
  throw usageError(
    'bad-time',
    `sources.${relation.source.key}: no row has a time that can be read; the first: ${example.raw_row}. Times look like 2026-11-20, 2026-11-20 08:30:00 or 2026-11-20T08:30:00Z. ${remedy}`,
  )
}

const kindWords: Readonly<Record<ColumnKind, string>> = {
  number: 'are no numbers',
  time: 'are no times',
  boolean: 'are neither true nor false',
  category: '',
}

/** Says which texts were not what their column holds. They count as missing; nothing fails. */
async function warnOfUnread(
  database: Database,
  { relation, extras, reporter }: { relation: SourceRelation; extras: ExtraColumns; reporter: Reporter },
): Promise<void> {
  if ([...extras.values()].every(({ kind }) => kind === 'category')) return
  const rows = await database.rows<{ place: number; count: number }>(`
    select place::integer as place, count(*) as count
    from (select unnest(string_split(unread::varchar, ' ')) as place from staged where unread::varchar <> '')
    group by all
    order by all`)
  for (const { place, count } of rows) {
    const { name, kind } = [...extras.values()][place]
    reporter.warn(
      `sources.${relation.source.key}: ${count} values of ${name} ${kindWords[kind]}, as its values were before; they count as missing. ingest --rebuild decides anew what the column holds.`,
    )
  }
}
