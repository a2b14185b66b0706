import { usageError } from '../domain/errors.ts'
import type { Source } from '../domain/program.ts'
import { type Database, quoteText } from './database.ts'

/** What stands for a missing value in CSV files. */
const missing = "['', 'NULL', 'null', 'NA', 'N/A']"

const separators = [',', ';', '\t', '|'] as const

/** Most characters of a malformed line that are kept. */
const shownCharacters = 1000

/**
 * A select over CSV files whose shape DuckDB finds out; it fails at the first line that has another one. Tolerant it
 * passes over lines with more or fewer columns than their header, broken quotes or without end, and DuckDB notes them
 * for {@link addMalformedLines}.
 *
 * **Errors** `duplicate-column` where a header has a name twice: DuckDB would give the second another name.
 */
export async function csvSelect(
  database: Database,
  source: Source,
  { paths, isTolerant }: { paths: readonly string[]; isTolerant: boolean },
): Promise<string> {
  const names = await columnsOf(database, paths)
  const isRenamed = (name: string) => names.includes(name.replace(/_\d+$/, '')) && /_\d+$/.test(name)
  if (names.some(isRenamed)) await refuseNamesakes(database, source, paths)
  if (isTolerant) return tolerantSelect(database, source, paths)
  if (!names.some((name) => separatorOf(name))) return sniffedSelect(paths)
  // A ragged file made DuckDB take whole lines for one column.
  const selects: string[] = []
  for (const path of paths) {
    const own = await columnsOf(database, [path])
    const isMisread = own.length === 1 && separatorOf(own[0]) !== undefined
    selects.push(isMisread ? await tolerantSelect(database, source, [path]) : sniffedSelect([path]))
  }
  return selects.join(' union all by name ')
}

function sniffedSelect(paths: readonly string[]): string {
  const list = `[${paths.map(quoteText).join(', ')}]`
  return `select * from read_csv(${list}, all_varchar = true, header = true, nullstr = ${missing}, union_by_name = true)`
}

/** The columns that DuckDB finds; none where it does not know what to make of the files. */
async function columnsOf(database: Database, paths: readonly string[]): Promise<string[]> {
  const columns = await database
    .rows<{ column_name: string }>(`describe (${sniffedSelect(paths)})`)
    .catch(() => [])
  return columns.map((column) => column.column_name)
}

async function tolerantSelect(database: Database, source: Source, paths: readonly string[]): Promise<string> {
  const selects: string[] = []
  for (const path of paths) {
    const { separator, names } = await headerOf(database, source, path)
    const types = names.map((name) => `${quoteText(name)}: 'VARCHAR'`).join(', ')
    const select = (more: string) =>
      `select * from read_csv(${quoteText(path)}, all_varchar = true, header = true, nullstr = ${missing}, auto_detect = false, delim = ${quoteText(separator)}, quote = '"', escape = '"', columns = {${types}}${more})`
    const isMixed = await database
      .row(`select count(*) from (${select(', ignore_errors = true')})`)
      .then(() => false, hasMixedEnds)
    selects.push(select(`, store_rejects = true, rejects_limit = 0${isMixed ? lenient : ''}`))
  }
  return selects.join(' union all by name ')
}

/** Reads lines also where some end in CR LF and others in LF; what is there beyond the columns is passed over then. */
const lenient = ', strict_mode = false'

/** Whether DuckDB gives up a file because its lines end in different ways. */
function hasMixedEnds(error: unknown): boolean {
  return /reached an invalid state|sniffing file/.test(String(error))
}

async function refuseNamesakes(database: Database, source: Source, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const lower = (await headerOf(database, source, path)).names.map((name) => name.toLowerCase())
    const twice = lower.find((name, place) => lower.indexOf(name) !== place)
    if (twice === undefined) continue
    throw usageError(
      'duplicate-column',
      `sources.${source.key}: two columns of ${path} are called ${twice}. Give one another name.`,
    )
  }
}

/** The separator that occurs most. */
function separatorOf(header: string): string | undefined {
  const counts = separators.map((mark) => header.split(mark).length - 1)
  const most = Math.max(...counts)
  return most > 0 ? separators[counts.indexOf(most)] : undefined
}

/** The first line of a file, taken apart. */
async function headerOf(
  database: Database,
  source: Source,
  path: string,
): Promise<{ separator: string; names: string[] }> {
  const readFirst = (more = '') =>
    database.rows<{ line: string | null }>(
      `select line from read_csv(${quoteText(path)}, auto_detect = false, header = false, delim = '', quote = '', escape = '', columns = {'line': 'VARCHAR'}, ignore_errors = true${more}) limit 1`,
    )
  const [first] = await readFirst().catch((error) => {
    if (hasMixedEnds(error)) return readFirst(lenient)
    throw error
  })
  const line = first?.line
  if (!line) {
    throw usageError(
      'source-sql',
      `sources.${source.key}: ${path} does not begin with a header in UTF-8. Save the file as UTF-8, or read it in a select: read_csv('…', encoding = 'latin-1') or 'utf-16'.`,
    )
  }
  const separator = separatorOf(line) ?? ','
  const names = ['']
  let isQuoted = false
  for (const character of line) {
    if (character === '"') isQuoted = !isQuoted
    else if (character === separator && !isQuoted) names.push('')
    else names[names.length - 1] += character
  }
  return { separator, names: names.map((name) => name.trim()) }
}

/** Forgets the malformed lines of earlier readings. */
export async function forgetMalformedLines(database: Database): Promise<void> {
  await database.run('drop table if exists reject_errors')
  await database.run('drop table if exists reject_scans')
}

/**
 * Adds the lines that a tolerant select passed over to `staged`, as rows that are refused. Several readings of a file
 * note a line several times; it counts once.
 *
 * **Errors** `source-sql` where a first reading found no other lines: then the file is something else than it is taken for.
 */
export async function addMalformedLines(
  database: Database,
  source: Source,
  { isFirst }: { isFirst: boolean },
): Promise<void> {
  const { noted } = await database.row<{ noted: number }>(
    "select count(*) as noted from duckdb_tables() where table_name = 'reject_errors'",
  )
  if (noted === 0) return
  await database.run(`
    create or replace temp table malformed_lines as
    select
      file_path as file,
      line,
      arg_min(error_message, error_message) as problem,
      left(arg_min(csv_line, error_message), ${shownCharacters}) as text
    from reject_errors
    join reject_scans using (scan_id, file_id)
    group by all
    order by file, line`)
  const [first] = await database.rows<{ file: string; line: number; problem: string; text: string }>(
    'select * from malformed_lines limit 1',
  )
  if (!first) return
  const { read } = await database.row<{ read: number }>('select count(*) as read from staged')
  if (isFirst && read === 0) {
    throw usageError(
      'source-sql',
      `sources.${source.key}: not a single line of ${first.file} can be read. Line ${first.line}: ${first.problem} It says: ${first.text.slice(0, 200)}`,
    )
  }
  await database.run(`
    insert into staged by name
    select 'malformed_line' as reason, to_json(malformed_lines)::varchar as raw_row
    from malformed_lines`)
}
