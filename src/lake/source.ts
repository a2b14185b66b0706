import { distance } from 'fastest-levenshtein'
import { usageError } from '../domain/errors.ts'
import type { Source } from '../domain/program.ts'
import { absolutePaths } from '../domain/source-paths.ts'
import { tableShapes } from '../domain/tables.ts'
import type { InputFile } from './commits.ts'
import { type Database, quoteName } from './database.ts'
import { openFiles } from './file-formats.ts'
import { refuseBrokenGzip } from './gzip.ts'
import { listInputs } from './inputs.ts'

/** A source made ready to be read. */
export interface SourceRelation {
  readonly source: Source
  /** A select that yields the canonical columns and whatever else the source has. */
  readonly sql: string
  /** Column → DuckDB type. */
  readonly columns: ReadonlyMap<string, string>
  /** Files it is read from; null where they cannot be told. */
  readonly inputs: readonly InputFile[] | null
}

/**
 * Makes a source readable and checks that it has the columns its table needs.
 *
 * @param folder relative paths start there. @param isTolerant see {@link openFiles}. @param only the files to be read of a
 * source of files. Default: all.
 *
 * **Errors** (all name the source) `missing-column`, `duplicate-column`, `file-format`, `empty-file`, `no-file`,
 * `source-sql` with what DuckDB says.
 */
export async function openSource(
  database: Database,
  source: Source,
  { folder, isTolerant = false, only }: { folder: string; isTolerant?: boolean; only?: readonly InputFile[] },
): Promise<SourceRelation> {
  const inputs = await listInputs(database, source, folder)
  await refuseBrokenGzip(source, only ?? inputs ?? [])
  const sql =
    source.file === null
      ? selectOf(source, folder)
      : await openFiles(database, source, only ?? inputs ?? [], isTolerant)
  const described = await describe(database, source, sql)
  const mapped = renamed(source, sql, described)
  const columns = mapped === sql ? described : await describe(database, source, mapped)
  const names = new Set([...columns.keys()].map((name) => name.toLowerCase()))
  const missing = tableShapes[source.table].required.filter((name) => !names.has(name))
  if (missing.length > 0) throw missingColumns(source, missing, [...columns.keys()])
  return { source, sql: mapped, columns, inputs }
}

/** The select without the semicolon that may end it, and what is said after that. */
function selectOf(source: Source, folder: string): string {
  const { sql } = absolutePaths(source.sql ?? '', folder)
  const end = /;(\s|--[^\n]*(\n|$)|\/\*[\s\S]*?\*\/)*$/.exec(sql)
  const isInText = end !== null && sql.slice(0, end.index).split("'").length % 2 === 0
  return end === null || isInText ? sql : sql.slice(0, end.index)
}

/** Canonical column names for a file's own ones. */
function renamed(source: Source, sql: string, found: ReadonlyMap<string, string>): string {
  const wanted = Object.entries(source.columns)
  if (wanted.length === 0) return sql
  const missing = wanted.map(([, column]) => column).filter((column) => !findName(found, column))
  if (missing.length > 0) throw missingColumns(source, missing, [...found.keys()])
  const taken = new Set(wanted.flat().map((name) => name.toLowerCase()))
  const kept = [...found.keys()].filter((column) => !taken.has(column.toLowerCase())).map(quoteName)
  const picked = wanted.map(([canonical, column]) => `${quoteName(column)} as ${quoteName(canonical)}`)
  return `select ${[...picked, ...kept].join(', ')} from (${sql}\n)`
}

/** The column of that name, whatever its case. */
function findName(columns: ReadonlyMap<string, string>, name: string): string | undefined {
  return [...columns.keys()].find((own) => own.toLowerCase() === name.toLowerCase())
}

async function describe(database: Database, source: Source, sql: string): Promise<Map<string, string>> {
  const rows = await database
    .rows<{ column_name: string; column_type: string }>(`describe (${sql}\n)`)
    .catch((error) => {
      throw sqlError(source, error)
    })
  const columns = new Map<string, string>()
  for (const { column_name: name, column_type: type } of rows) {
    if (findName(columns, name) !== undefined) {
      throw usageError(
        'duplicate-column',
        `sources.${source.key}: two columns are called ${name}. Give one another name, or leave it out with exclude.`,
      )
    }
    columns.set(name, type)
  }
  return columns
}

/** What DuckDB says of a text that is not UTF-8. */
const notUtf8 = /not utf-?8|invalid unicode/i

/**
 * An error of DuckDB while reading a source, with the source's name in front: `malformed-csv` where a line of a file has
 * another shape than the others, else `source-sql`.
 */
export function sqlError(source: Source, error: unknown): Error {
  if (error instanceof Error && error.name === 'LoyalcastError') return error
  const text = error instanceof Error ? error.message : String(error)
  const isMalformed =
    source.file !== null &&
    /CSV Error on Line|sniffing file|line size|reached an invalid state/i.test(text) &&
    !notUtf8.test(text)
  return usageError(
    isMalformed ? 'malformed-csv' : 'source-sql',
    `sources.${source.key}: DuckDB could not read it: ${saidOf(source, text)}${hintFor(source, text)}`,
    { cause: error },
  )
}

/** What DuckDB says of a file ends where it speaks of SQL that nobody wrote; it quotes lines however long they are. */
function saidOf(source: Source, text: string): string {
  const said =
    source.file === null ? text : text.split(/\n(?:LINE \d|Possible|The search space|\s+file = )/)[0]
  const lines = said.trim().split('\n').slice(0, 12)
  return lines.map((line) => (line.length > 300 ? `${line.slice(0, 300)} …` : line)).join('\n')
}

function hintFor(source: Source, text: string): string {
  if (notUtf8.test(text))
    return "\nSave the file as UTF-8, or read it in a select: read_csv('…', encoding = 'latin-1') or 'utf-16'."
  if (/sniffing file/i.test(text))
    return `\nIt should be text with a header and one separator; others can be read in a select: read_csv('…', delim = ';', quote = '"', skip = 1).`
  if (/GZIP/i.test(text))
    return '\nThe file is damaged, or is not what its name says. Copy or write it again.'
  if (/Conversion Error|Could not convert/i.test(text))
    return '\nWhere a column holds values of several kinds, read it as text (all_varchar = true) and cast with try_cast.'
  return source.file === null ? '' : '\nMend the file, or read it in a select.'
}

function missingColumns(source: Source, missing: readonly string[], found: readonly string[]): Error {
  const near = missing.map((name) => {
    const best = [...found].sort(
      (a, b) => distance(a.toLowerCase(), name) - distance(b.toLowerCase(), name),
    )[0]
    return best && distance(best.toLowerCase(), name) <= Math.min(3, name.length / 2)
      ? `${name} (is it ${best}?)`
      : name
  })
  const remedy =
    source.file === null
      ? 'Rename it in the select (… as customer_id).'
      : `Map it under columns: (customer_id: its name in the file). What the file lacks can be added: sql: select *, 'login' as type from read_csv('…', all_varchar = true).`
  return usageError(
    'missing-column',
    `sources.${source.key}: column missing: ${near.join(', ')}. Found: ${found.join(', ') || 'none'}. ${remedy}`,
  )
}
