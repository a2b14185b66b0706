import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { predictionColumns } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import { batched, type ExportShape, shapeSelect } from '../engage/export-shapes.ts'
import { type Database, type Parameters, quoteText } from '../lake/database.ts'
import { rowsInSlices, writeLines } from '../lake/prediction-lines.ts'
import { numberedRowsOf, type PredictionFile } from '../lake/read-predictions.ts'

export interface ShapedRows {
  readonly program: Program
  readonly shape: ExportShape
  /** Which rows, as SQL over them; null: all. */
  readonly where: { readonly sql: string; readonly parameters: Parameters } | null
  /** Rows of the file from one on, up to and without another. */
  readonly from: number
  readonly to: number
  /** A file to write into that nobody else writes. */
  readonly path: string
}

/** Does work with a database when it may. */
export type InTurn = (work: (database: Database) => Promise<void>) => Promise<void>

/**
 * The bytes of rows of a day, in the order of customers. They are written and read slice by slice, so that neither
 * memory nor disk grows with the rows; Parquet alone is written whole first.
 */
export function shapedBytes(file: PredictionFile, rows: ShapedRows, inTurn: InTurn): AsyncGenerator<Buffer> {
  const bytes = slicedBytes(file, rows, inTurn)
  return rows.shape.crm === 'hubspot' ? inBatches(bytes) : bytes
}

async function* slicedBytes(file: PredictionFile, rows: ShapedRows, inTurn: InTurn): AsyncGenerator<Buffer> {
  const { path, from, to } = rows
  const whole = rows.shape.format === 'parquet' ? [{ from, to }] : rowsInSlices(from, to)
  try {
    for (const slice of whole) {
      await inTurn((database) =>
        writeSlice(database, file, { ...rows, ...slice, isFirst: slice.from === from }),
      )
      for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) yield piece
    }
  } finally {
    await rm(path, { force: true })
  }
}

async function* inBatches(bytes: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const lines = createInterface({ input: Readable.from(bytes), crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of batched(lines)) yield Buffer.from(line)
}

async function writeSlice(
  database: Database,
  file: PredictionFile,
  { program, shape, where, path, from, to, isFirst }: ShapedRows & { readonly isFirst: boolean },
): Promise<void> {
  const { select, form, missing } = shapeSelect(file, program, { columns: predictionColumns(program), shape })
  const conditions = [
    `file_row_number >= ${from} and file_row_number < ${to}`,
    ...(where === null ? [] : [`(${where.sql})`]),
  ]
  const sql = `select ${select} from ${numberedRowsOf(file)} where ${conditions.join(' and ')}`
  const parameters = where?.parameters ?? {}
  if (form === 'lines') return writeLines(database, { sql, parameters }, path)
  const options =
    form === 'csv'
      ? `format csv, header ${isFirst}, nullstr ${quoteText(missing)}`
      : 'format parquet, compression zstd, row_group_size 16384'
  await database.run(`copy (${sql}) to ${quoteText(path)} (${options})`, parameters)
}
