import { createReadStream, createWriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { usageError } from '../domain/errors.ts'
import { type ExportFormat, exportFormats } from '../engage/export-shapes.ts'
import { Database, type Parameters, quoteName, quoteText } from '../lake/database.ts'
import { publish, requirePlace } from '../lake/durable-files.ts'
import { withScratchFolder } from '../lake/scratch.ts'

/** How DuckDB writes each. `json`: one array, for readers that want a single document. */
const copyOptions: Readonly<Record<ExportFormat | 'json', string>> = {
  csv: 'format csv, header true',
  ndjson: 'format json, array false',
  json: 'format json, array true',
  parquet: 'format parquet',
}

/** Where rows are written, and how. */
export interface RowTarget {
  readonly format: ExportFormat | 'json'
  /** It appears whole or not at all. Null: to stdout. */
  readonly file: string | null
}

export type RowValue = string | number | null

/** Rows with the same columns, in order: name and type of each. */
export interface Rows {
  readonly columns: Readonly<Record<string, 'varchar' | 'double' | 'date'>>
  readonly rows: readonly Readonly<Record<string, RowValue>>[]
}

/** The format that a file's name ends in. **Errors** `format` */
export function formatOf(file: string): ExportFormat {
  const found = exportFormats.find((format) => extname(file) === `.${format}`)
  if (found) return found
  throw usageError(
    'format',
    `${file}: the end of its name says the format; allowed: ${exportFormats.map((format) => `.${format}`).join(', ')}.`,
  )
}

/** Writes rows in their order. **Errors** `storage` where the file cannot be written. */
export async function writeRows({ columns, rows }: Rows, target: RowTarget): Promise<void> {
  await withScratchFolder(tmpdir(), async (folder) => {
    const read = join(folder, 'read')
    const lines = (function* () {
      for (const row of rows) yield `${JSON.stringify(row)}\n`
    })()
    await pipeline(Readable.from(lines), createWriteStream(read))
    const types = Object.entries(columns).map(([name, type]) => `${quoteName(name)}: ${quoteText(type)}`)
    await writeSelected(
      `from read_json(${quoteText(read)}, format = 'newline_delimited', columns = { ${types.join(', ')} })`,
      target,
    )
  })
}

/** Writes what a select yields, in its order. **Errors** `storage` where the file cannot be written. */
export async function writeSelected(select: string, target: RowTarget): Promise<void> {
  await writeFound(async () => ({ sql: select, parameters: {} }), target)
}

/** A select with what is bound in it. */
export interface BoundSelect {
  readonly sql: string
  readonly parameters: Parameters
}

/** The same for a select that needs the database to be found; returns the number of rows. */
export async function writeFound(
  find: (database: Database) => Promise<BoundSelect>,
  { format, file }: RowTarget,
): Promise<number> {
  if (file !== null) await requirePlace(file)
  return withScratchFolder(file === null ? tmpdir() : dirname(file), async (folder) => {
    const staged = join(folder, 'rows')
    const database = await Database.open({ spillFolder: join(folder, 'spill'), timezone: 'UTC' })
    let rows: number
    try {
      const { sql, parameters } = await find(database)
      const copied = `copy (${sql}) to ${quoteText(staged)} (${copyOptions[format]})`
      rows = (await database.row<{ Count: number }>(copied, parameters)).Count
    } finally {
      database.close()
    }
    if (file !== null) await publish(staged, file)
    else await pourInto(process.stdout, createReadStream(staged))
    return rows
  })
}

/** A reader that wants no more (`| head`) is no failure. */
export async function pourInto(stream: Writable, bytes: Readable): Promise<void> {
  try {
    await pipeline(bytes, stream, { end: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
  }
}
