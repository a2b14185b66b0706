import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import { predictionColumns } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import { batched, type ExportShape, shapeSelect } from '../engage/export-shapes.ts'
import { type Database, type Parameters, quoteText } from '../lake/database.ts'
import { writeLines } from '../lake/prediction-lines.ts'
import { numberedRowsOf, type PredictionFile } from '../lake/read-predictions.ts'

export interface ShapedRows {
  readonly program: Program
  readonly shape: ExportShape
  /** Which rows, as SQL over them; null: all. */
  readonly where: { readonly sql: string; readonly parameters: Parameters } | null
  /** The file to write. {@link readShaped} reads it. */
  readonly path: string
}

/** Writes rows of a day, in the order of customers, into a file of their own. Memory does not grow with the rows. */
export async function writeShaped(
  database: Database,
  file: PredictionFile,
  { program, shape, where, path }: ShapedRows,
): Promise<void> {
  const { select, form, missing } = shapeSelect(file, program, { columns: predictionColumns(program), shape })
  const sql = `select ${select} from ${numberedRowsOf(file)} ${where === null ? '' : `where ${where.sql}`}`
  const parameters = where?.parameters ?? {}
  if (form === 'lines') return writeLines(database, { sql, parameters }, path)
  const options =
    form === 'csv'
      ? `format csv, header true, nullstr ${quoteText(missing)}`
      : 'format parquet, compression zstd'
  await database.run(`copy (${sql}) to ${quoteText(path)} (${options})`, parameters)
}

/** What was written, as it is to be sent. */
export function readShaped(path: string, { crm }: ExportShape): Readable {
  const bytes = createReadStream(path, { highWaterMark: 1 << 20 })
  if (crm !== 'hubspot') return bytes
  return Readable.from(batched(createInterface({ input: bytes, crlfDelay: Number.POSITIVE_INFINITY })))
}
