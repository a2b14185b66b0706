import { stat } from 'node:fs/promises'
import { distance } from 'fastest-levenshtein'
import { usageError } from '../domain/errors.ts'
import type { Source } from '../domain/program.ts'
import { absolutePath, absolutePaths } from '../domain/source-paths.ts'
import { tableShapes } from '../domain/tables.ts'
import type { InputFile } from './commits.ts'
import { type Database, quoteName, quoteText } from './database.ts'

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

const readers: readonly [RegExp, (path: string) => string][] = [
  [
    /\.(csv|tsv|txt)(\.gz|\.zst)?$/i,
    (path) =>
      `read_csv(${path}, sample_size = -1, union_by_name = true, nullstr = ['', 'NULL', 'null', 'NA', 'N/A', 'NaN', 'nan'])`,
  ],
  [
    /\.(json|ndjson|jsonl)(\.gz|\.zst)?$/i,
    (path) => `read_json_auto(${path}, sample_size = -1, union_by_name = true)`,
  ],
  [/\.(parquet|pq)$/i, (path) => `read_parquet(${path}, union_by_name = true)`],
]

/** The source's files as they are now, without reading them. Errors name a pattern that matches nothing. */
export async function listInputs(
  database: Database,
  source: Source,
  folder: string,
): Promise<InputFile[] | null> {
  const patterns =
    source.file === null ? absolutePaths(source.sql ?? '', folder).files : [absolutePath(source.file, folder)]
  if (patterns.length === 0) return null
  const inputs: InputFile[] = []
  for (const pattern of patterns) {
    const found = await database.rows<{ file: string }>('select file from glob($pattern) order by file', {
      pattern,
    })
    if (found.length === 0) {
      throw usageError(
        'no-file',
        `sources.${source.key}: no file matches ${pattern}. Relative paths start at the folder of the program file.`,
      )
    }
    for (const { file } of found) {
      const { size, mtimeMs } = await stat(file)
      inputs.push({ path: file, bytes: size, modifiedMs: Math.trunc(mtimeMs) })
    }
  }
  return inputs
}

/** Makes a source readable and checks that it has the columns its table needs. */
export async function openSource(
  database: Database,
  source: Source,
  folder: string,
): Promise<SourceRelation> {
  const inputs = await listInputs(database, source, folder)
  const sql =
    source.file === null
      ? absolutePaths(source.sql ?? '', folder).sql.replace(/;\s*$/, '')
      : fileSelect(source, folder)
  const described = await describe(database, source, sql)
  const mapped = source.file === null ? sql : renamed(source, sql, described)
  const columns = source.file === null ? described : await describe(database, source, mapped)
  const names = new Set([...columns.keys()].map((name) => name.toLowerCase()))
  const missing = tableShapes[source.table].required.filter((name) => !names.has(name))
  if (missing.length > 0) throw missingColumns(source, missing, [...columns.keys()])
  return { source, sql: mapped, columns, inputs }
}

function fileSelect(source: Source, folder: string): string {
  const path = absolutePath(source.file ?? '', folder)
  const reader = readers.find(([pattern]) => pattern.test(path))?.[1]
  if (!reader) {
    throw usageError(
      'file-format',
      `sources.${source.key}.file: ${path} is none of csv, csv.gz, json, ndjson, parquet.`,
    )
  }
  return `select * from ${reader(quoteText(path))}`
}

/** Canonical column names for a file's own ones. */
function renamed(source: Source, sql: string, found: ReadonlyMap<string, string>): string {
  const wanted = Object.entries(source.columns)
  if (wanted.length === 0) return sql
  const missing = wanted.filter(([, column]) => !found.has(column)).map(([, column]) => column)
  if (missing.length > 0) throw missingColumns(source, missing, [...found.keys()])
  const taken = new Set(wanted.flat())
  const kept = [...found.keys()].filter((column) => !taken.has(column)).map(quoteName)
  const picked = wanted.map(([canonical, column]) => `${quoteName(column)} as ${quoteName(canonical)}`)
  return `select ${[...picked, ...kept].join(', ')} from (${sql})`
}

async function describe(database: Database, source: Source, sql: string): Promise<Map<string, string>> {
  try {
    const rows = await database.rows<{ column_name: string; column_type: string }>(`describe (${sql}\n)`)
    return new Map(rows.map((row) => [row.column_name, row.column_type]))
  } catch (error) {
    throw sqlError(source, error)
  }
}

/** An error of DuckDB while reading a source, with the source's name in front. */
export function sqlError(source: Source, error: unknown): Error {
  if (error instanceof Error && error.name === 'LoyalcastError') return error
  const text = error instanceof Error ? error.message : String(error)
  const hint = /conver|cast|sniff/i.test(text)
    ? ' Where a column holds values of several kinds, read it as text (all_varchar = true or sample_size = -1) and cast with try_cast.'
    : ''
  return usageError('source-sql', `sources.${source.key}: DuckDB could not read it: ${text.trim()}${hint}`, {
    cause: error,
  })
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
