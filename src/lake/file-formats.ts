import { usageError } from '../domain/errors.ts'
import type { Source } from '../domain/program.ts'
import type { InputFile } from './commits.ts'
import { csvSelect } from './csv-files.ts'
import { type Database, quoteText } from './database.ts'

type Format = 'csv' | 'json' | 'parquet'

const endings: readonly [Format, RegExp][] = [
  ['csv', /\.(csv|tsv|txt)(\.gz|\.zst)?$/i],
  ['json', /\.(json|ndjson|jsonl)(\.gz|\.zst)?$/i],
  ['parquet', /\.(parquet|pq)$/i],
]

/**
 * A select over the files of a source.
 *
 * Texts stay texts: guessing types would make 7 of customer 007, change its mind when a file grows, and read times
 * with a zone as if they had none.
 *
 * @param isTolerant pass over malformed lines of CSV files instead of failing at the first.
 *
 * **Errors** `file-format`, `empty-file`.
 */
export async function openFiles(
  database: Database,
  source: Source,
  inputs: readonly InputFile[],
  isTolerant: boolean,
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
  const files = filled.map(({ path }) => path)
  const paths = `[${files.map(quoteText).join(', ')}]`
  switch ([...formats][0]) {
    case 'parquet':
      return `select * from read_parquet(${paths}, union_by_name = true)`
    case 'json':
      // A format that no text has: otherwise texts with a zone become times without one.
      return `select * from read_json_auto(${paths}, sample_size = -1, union_by_name = true, dateformat = 'none', timestampformat = 'none')`
    default:
      return csvSelect(database, source, { paths: files, isTolerant })
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
