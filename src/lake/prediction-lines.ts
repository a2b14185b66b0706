import { createReadStream, createWriteStream, readSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import type { PredictionColumn } from '../domain/prediction.ts'
import { type Database, type Parameters, quoteText } from './database.ts'
import { lineSql, numberedRowsOf, type PredictionFile, rowsOf } from './read-predictions.ts'

/** Not in any JSON text, so that no line is ever quoted. */
const unused = "E'\\x1f'"

/** Bytes that are looked at together for the ends of lines. */
const scannedBytes = 1 << 20
/** Bytes between two rows that are rather read than skipped. */
const closeBytes = 16 * 1024
/** Reads in a row before others get their turn. */
const readsATurn = 50

/** Files that this process wrote: each has a name of its own until it is whole. */
let written = 0

/** Rows that are written together: all at once would be held in memory. A few row groups of a published file. */
const sliceRows = 65_536

/** Rows of a file in slices; at least one, which may be empty. @param to exclusive */
export function* rowsInSlices(from: number, to: number): Generator<{ from: number; to: number }> {
  let start = from
  do {
    yield { from: start, to: Math.min(start + sliceRows, to) }
    start += sliceRows
  } while (start < to)
}

/** Writes what a select of one text yields, a line each, as it is. */
export async function writeLines(
  database: Database,
  { sql, parameters = {} }: { readonly sql: string; readonly parameters?: Parameters },
  path: string,
): Promise<void> {
  await database.run(
    `copy (${sql}) to ${quoteText(path)} (format csv, header false, quote '', escape '', delimiter ${unused})`,
    parameters,
  )
}

export interface LinesRequest {
  readonly columns: readonly PredictionColumn[]
  readonly folder: string
  readonly name: string
}

/**
 * The rows of a published file as JSON, a line each, in the order of `customer_id`, ready to be sent.
 *
 * Reading a row takes microseconds and a whole day goes out as fast as the disk gives it; in exchange it takes about
 * 3 KB of disk a row. The file can be made again at any time from the predictions.
 */
export class PredictionLines {
  readonly rows: number
  readonly #file: FileHandle
  /** Where each line begins, and where the last one ends. */
  readonly #offsets: Float64Array
  readonly #customers: Buffer
  readonly #customerEnds: Uint32Array
  #readers = 0
  #isClosed = false

  private constructor(file: FileHandle, offsets: Float64Array, customers: readonly string[]) {
    this.#file = file
    this.#offsets = offsets
    this.rows = customers.length
    this.#customers = Buffer.from(customers.join(''))
    this.#customerEnds = new Uint32Array(customers.length)
    let end = 0
    for (const [row, customer] of customers.entries()) {
      end += Buffer.byteLength(customer)
      this.#customerEnds[row] = end
    }
  }

  /**
   * Opens the lines of a published file, and writes them where there are none yet; those of other files are removed.
   *
   * @param folder holds the lines of one program. @param name of these; the same for the same rows and columns only.
   */
  static async open(
    database: Database,
    predictions: PredictionFile,
    { columns, folder, name }: LinesRequest,
  ): Promise<PredictionLines> {
    const found = await database.columns(`select customer_id from ${rowsOf(predictions)}`)
    const customers = found.customer_id as string[]
    const path = join(folder, `${name}.ndjson`)
    const kept = await openWhole(path, customers.length)
    if (kept !== null) return new PredictionLines(kept.file, kept.offsets, customers)
    await mkdir(folder, { recursive: true })
    const part = `${path}.${process.pid}-${++written}.part`
    // Another process may be writing the same lines.
    for (const other of await readdir(folder))
      if (!other.startsWith(`${name}.`)) await rm(join(folder, other), { force: true })
    const slice = `${part}.slice`
    await rm(part, { force: true })
    for (const { from, to } of rowsInSlices(0, customers.length)) {
      const range = `file_row_number >= ${from} and file_row_number < ${to}`
      const sql = `select ${lineSql(predictions, columns)} from ${numberedRowsOf(predictions)} where ${range}`
      await writeLines(database, { sql }, slice)
      await pipeline(createReadStream(slice), createWriteStream(part, { flags: 'a' }))
    }
    await rm(slice, { force: true })
    await rename(part, path)
    const made = await openWhole(path, customers.length)
    if (made === null) throw new Error(`${path} has not a line for each of ${customers.length} rows.`)
    return new PredictionLines(made.file, made.offsets, customers)
  }

  /** The row of a customer; null where there is none. */
  find(customerId: string): number | null {
    const row = this.#firstFrom(Buffer.from(customerId))
    return row < this.rows && this.#customer(row).equals(Buffer.from(customerId)) ? row : null
  }

  /** The first row behind a customer, whether or not there is a row of that customer. */
  after(customerId: string): number {
    const row = this.find(customerId)
    return row === null ? this.#firstFrom(Buffer.from(customerId)) : row + 1
  }

  /**
   * The line of one row, without its end. Read in this thread: from the page cache that takes microseconds, and a tenth
   * of what handing it to another thread takes.
   */
  readNow(row: number): Buffer {
    return this.#readNow(this.#offsets[row], this.#end(row) - this.#offsets[row])
  }

  /** The lines of some rows in that order, without their ends. Others get their turn every few rows. */
  read(rows: ArrayLike<number>): Promise<Buffer[]> {
    return this.#reading(() => this.#readAll(rows))
  }

  async #readAll(rows: ArrayLike<number>): Promise<Buffer[]> {
    const lines = new Array<Buffer>(rows.length)
    const order = Array.from(rows, (row, place) => ({ row, place })).sort((a, b) => a.row - b.row)
    let sinceTurn = 0
    for (let from = 0; from < order.length; ) {
      let to = from + 1
      while (to < order.length && this.#offsets[order[to].row] - this.#end(order[to - 1].row) <= closeBytes)
        to++
      this.#readClose(order.slice(from, to), lines)
      from = to
      if (++sinceTurn % readsATurn === 0) await setImmediate()
    }
    return lines
  }

  /** The bytes of lines from a row on, with their ends. @param to exclusive */
  async *stream(from: number, to: number): AsyncGenerator<Buffer> {
    const end = this.#offsets[to]
    this.#readers++
    try {
      for (let at = this.#offsets[from]; at < end; ) {
        const wanted = Math.min(scannedBytes, end - at)
        const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(wanted), 0, wanted, at)
        if (bytesRead === 0) throw new Error('The lines of the predictions end too soon.')
        at += bytesRead
        yield buffer.subarray(0, bytesRead)
      }
    } finally {
      await this.#leave()
    }
  }

  /** Closes the file once nobody reads it any more. */
  async close(): Promise<void> {
    this.#isClosed = true
    if (this.#readers === 0) await this.#file.close()
  }

  async #reading<T>(work: () => Promise<T>): Promise<T> {
    this.#readers++
    try {
      return await work()
    } finally {
      await this.#leave()
    }
  }

  async #leave(): Promise<void> {
    this.#readers--
    if (this.#isClosed && this.#readers === 0) await this.#file.close()
  }

  #readClose(wanted: readonly { row: number; place: number }[], lines: Buffer[]): void {
    const start = this.#offsets[wanted[0].row]
    const piece = this.#readNow(start, this.#end(wanted[wanted.length - 1].row) - start)
    for (const { row, place } of wanted)
      lines[place] = piece.subarray(this.#offsets[row] - start, this.#end(row) - start)
  }

  #readNow(start: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length)
    if (readSync(this.#file.fd, buffer, 0, length, start) !== length)
      throw new Error('The lines of the predictions end too soon.')
    return buffer
  }

  #end(row: number): number {
    return this.#offsets[row + 1] - 1
  }

  #customer(row: number): Buffer {
    return this.#customers.subarray(row === 0 ? 0 : this.#customerEnds[row - 1], this.#customerEnds[row])
  }

  /** The first row whose customer is not before this one: the file is in the order of their bytes. */
  #firstFrom(customer: Buffer): number {
    let low = 0
    let high = this.rows
    while (low < high) {
      const middle = (low + high) >>> 1
      if (Buffer.compare(this.#customer(middle), customer) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** A file of lines with where each begins; null where there is none or it has not so many. */
async function openWhole(
  path: string,
  rows: number,
): Promise<{ file: FileHandle; offsets: Float64Array } | null> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (file === null) return null
  const offsets = await findLines(file, rows)
  if (offsets !== null) return { file, offsets }
  await file.close()
  return null
}

/** Where each of so many lines begins, and where the last one ends; null where there are not so many. */
async function findLines(file: FileHandle, rows: number): Promise<Float64Array | null> {
  const offsets = new Float64Array(rows + 1)
  const buffer = Buffer.allocUnsafe(scannedBytes)
  let found = 0
  let position = 0
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, scannedBytes, position)
    if (bytesRead === 0) break
    const piece = buffer.subarray(0, bytesRead)
    for (let end = piece.indexOf(10); end !== -1; end = piece.indexOf(10, end + 1)) {
      found++
      if (found > rows) return null
      offsets[found] = position + end + 1
    }
    position += bytesRead
  }
  return found === rows && offsets[rows] === position ? offsets : null
}
