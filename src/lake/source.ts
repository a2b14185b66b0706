import { distance } from 'fastest-levenshtein'
import { usageError } from '../domain/errors.ts'
import type { Source } from '../domain/program.ts'
import { absolutePaths } from '../domain/source-paths.ts'
import { tableShapes } from '../domain/tables.ts'
import type { InputFile } from './commits.ts'
import { type Database, quoteName } from './database.ts'
import { openFiles } from './file-formats.ts'
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
 * **Errors** (all name the source) `missing-column`, `duplicate-column`, `file-format`, `empty-file`, `no-file`,
 * `source-sql` with what DuckDB says.
 */
export async function openSource(
  database: Database,
  source: Source,
  folder: string,
): Promise<SourceRelation> {
  const inputs = await listInputs(database, source, folder)
  const sql =
    source.file === null ? selectOf(source, folder) : await openFiles(database, source, inputs ?? [])
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

/** An error of DuckDB while reading a source, with the source's name in front. */
export function sqlError(source: Source, error: unknown): Error {
  if (error instanceof Error && error.name === 'LoyalcastError') return error
  const text = error instanceof Error ? error.message : String(error)
  const shown = text.trim().split('\n').slice(0, 12).join('\n')
  return usageError(
    'source-sql',
    `sources.${source.key}: DuckDB could not read it: ${shown}${hintFor(text)}`,
    { cause: error },
  )
}

function hintFor(text: string): string {
  if (/not utf-?8|invalid unicode/i.test(text))
    return "\nSave the file as UTF-8, or read it in a select: read_csv('…', encoding = 'latin-1') or 'utf-16'."
  if (/^Out of Memory/i.test(text)) return ''
  return /conver|cast|sniff/i.test(text)
    ? '\nWhere a column holds values of several kinds, read it as text (all_varchar = true) and cast with try_cast.'
    : ''
}

function missingColumns(source: Source, missing: readonly string[], found: readonly string[]): Error {
  const near = missing.map((name) => {
    const best = [...found].sort(
      (a, b) => distance(a.toLowerCase(), name) - distance(b.toLowerCase(), name),
    )[0]
    return best && distance(best.toLowerCase(), name) <= 3 ? `${name} (is it ${best}?)` : name
  })
  const remedy =
    source.file === null
      ? 'Rename it in the select (… as customer_id).'
      : 'Map it under columns: (customer_id: its name in the file).'
  return usageError(
    'missing-column',
    `sources.${source.key}: column missing: ${near.join(', ')}. Found: ${found.join(', ') || 'none'}. ${remedy}`,
  )
}
