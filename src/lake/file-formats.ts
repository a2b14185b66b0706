import { usageError } from '../domain/errors.ts'
import type { Source } from '../domain/program.ts'
import type { InputFile } from './commits.ts'
import { type Database, quoteText } from './database.ts'

type Format = 'csv' | 'json' | 'parquet'

const endings: readonly [Format, RegExp][] = [
  ['csv', /\.(csv|tsv|txt)(\.gz|\.zst)?$/i],
  ['json', /\.(json|ndjson|jsonl)(\.gz|\.zst)?$/i],
  ['parquet', /\.(parquet|pq)$/i],
]

/** What stands for a missing value in CSV files. */
const missing = "['', 'NULL', 'null', 'NA', 'N/A']"

/**
 * A select over the files of a source.
 *
 * Texts stay texts: guessing types would make 7 of customer 007, change its mind when a file grows, and read times
 * with a zone as if they had none.
 *
 * **Errors** `file-format`, `empty-file`.
 */
export async function openFiles(
  database: Database,
  source: Source,
  inputs: readonly InputFile[],
): Promise<string> {
  const formats = new Set(inputs.map(({ path }) => formatOf(source, path)))
  if (formats.size > 1) {
    throw usageError(
      'file-format',
      `sources.${source.key}.file: ${source.file} matches files of several formats: ${[...formats].join(', ')}. Make it one source a format.`,
    )
  }
  const filled = inputs.filter(({ bytes }) => bytes > 0)
  if (filled.length === 0) {
    throw usageError(
      'empty-file',
      `sources.${source.key}.file: ${inputs[0].path} is empty, without even a header.`,
    )
  }
  const paths = `[${filled.map(({ path }) => quoteText(path)).join(', ')}]`
  switch ([...formats][0]) {
    case 'parquet':
      return `select * from read_parquet(${paths}, union_by_name = true)`
    case 'json':
      // A format that no text has: otherwise texts with a zone become times without one.
      return `select * from read_json_auto(${paths}, sample_size = -1, union_by_name = true, dateformat = 'none', timestampformat = 'none')`
    default:
      return csvSelect(database, paths)
  }
}

function formatOf(source: Source, path: string): Format {
  const format = endings.find(([, pattern]) => pattern.test(path))?.[0]
  if (format) return format
  throw usageError(
    'file-format',
    `sources.${source.key}.file: ${path} is none of csv, csv.gz, json, ndjson, parquet.`,
  )
}

const separators = [',', ';', '\t', '|'] as const

/** A ragged file makes DuckDB take whole lines for one column; told the columns of the header it names the bad line. */
async function csvSelect(database: Database, paths: string): Promise<string> {
  const all = `select * from read_csv(${paths}, all_varchar = true, header = true, nullstr = ${missing}`
  const sniffed = `${all}, union_by_name = true)`
  const columns = await database
    .rows<{ column_name: string }>(`describe (${sniffed})`)
    .catch(() => [] as { column_name: string }[])
  const header = columns.length === 1 ? columns[0].column_name : ''
  const separator = separators.find((mark) => header.includes(mark))
  if (separator === undefined) return sniffed
  const names = header.split(separator).map((name) => `${quoteText(name.replaceAll('"', ''))}: 'VARCHAR'`)
  return `${all}, auto_detect = false, delim = ${quoteText(separator)}, quote = '"', escape = '"', columns = {${names.join(', ')}})`
}
