import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { readShaped, type ShapedRows, writeShaped } from '../jobs/shaped-rows.ts'
import type { Database } from '../lake/database.ts'
import type { PredictionFile } from '../lake/read-predictions.ts'
import { Problem } from './problems.ts'

/** Exports that may wait while one is being written. */
const mostWaiting = 8

/**
 * Writes exports that are not ready to be sent, one at a time, into files that are gone once they are read. Reading
 * goes on beside it.
 */
export class ExportDesk {
  readonly #database: Database
  readonly #folder: string
  #connection: Promise<Database> | null = null
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0
  #written = 0

  constructor(database: Database, folder: string) {
    this.#database = database
    this.#folder = folder
  }

  /** The rows as they are to be sent. **Errors** `busy` where too many wait already. */
  async open(file: PredictionFile, rows: Omit<ShapedRows, 'path'>): Promise<Readable> {
    if (this.#waiting > mostWaiting)
      throw new Problem('busy', `${mostWaiting} exports are waiting already. Try again a little later.`)
    this.#waiting++
    const path = join(this.#folder, `export-${++this.#written}`)
    const writing = this.#last.then(() => this.#write(file, { ...rows, path }))
    this.#last = writing.catch(() => undefined)
    try {
      await writing
    } catch (error) {
      await rm(path, { force: true })
      throw error
    } finally {
      this.#waiting--
    }
    const sent = readShaped(path, rows.shape)
    sent.once('close', () => void rm(path, { force: true }))
    return sent
  }

  async close(): Promise<void> {
    await this.#last
    if (this.#connection) (await this.#connection).close()
  }

  async #write(file: PredictionFile, rows: ShapedRows): Promise<void> {
    this.#connection ??= this.#database.beside()
    await writeShaped(await this.#connection, file, rows)
  }
}
