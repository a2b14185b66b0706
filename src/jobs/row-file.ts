import { createWriteStream } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { usageError } from '../domain/errors.ts'
import { Database, quoteName, quoteText } from '../lake/database.ts'
import { publish, requirePlace } from '../lake/durable-files.ts'
import { withScratchFolder } from '../lake/scratch.ts'
import { copyOptions, type ExportFormat, exportFormats, pourInto } from './export.ts'

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

/**
 * Writes rows in their order to a file, which appears whole or not at all, or to stdout.
 *
 * **Errors** `storage` where the file cannot be written.
 */
export async function writeRows(
  { columns, rows }: Rows,
  { format, file }: { format: ExportFormat | 'json'; file: string | null },
): Promise<void> {
  if (file !== null) await requirePlace(file)
  await withScratchFolder(file === null ? tmpdir() : dirname(file), async (folder) => {
    const [read, staged] = [join(folder, 'read'), join(folder, 'rows')]
    const lines = (function* () {
      for (const row of rows) yield `${JSON.stringify(row)}\n`
    })()
    await pipeline(Readable.from(lines), createWriteStream(read))
    const types = Object.entries(columns).map(([name, type]) => `${quoteName(name)}: ${quoteText(type)}`)
    const database = await Database.open({ spillFolder: join(folder, 'spill'), timezone: 'UTC' })
    try {
      await database.run(
        `copy (from read_json(${quoteText(read)}, format = 'newline_delimited', columns = { ${types.join(', ')} })) to ${quoteText(staged)} (${copyOptions[format]})`,
      )
    } finally {
      database.close()
    }
    if (file !== null) await publish(staged, file)
    else await pourInto(process.stdout, staged)
  })
}
