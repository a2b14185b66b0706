import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { type InTurn, type ShapedRows, shapedBytes } from '../jobs/shaped-rows.ts'
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
  open(file: PredictionFile, rows: Omit<ShapedRows, 'path'>): Promise<Readable> {
    const inTurn: InTurn = (work) => this.run(work)
    return begun(shapedBytes(file, { ...rows, path: this.makePath() }, inTurn))
  }

  /** What a piece of work writes into a file, to be sent. **Errors** `busy`, and those of the work. */
  async write(work: (database: Database, path: string) => Promise<void>): Promise<Readable> {
    const path = this.makePath()
    try {
      await this.run((database) => work(database, path))
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
    const sent = createReadStream(path, { highWaterMark: 1 << 20 })
    sent.once('close', () => void rm(path, { force: true }))
    return sent
  }

  /** Does work in its turn. **Errors** `busy` where too much waits already. */
  async run<T>(work: (database: Database) => Promise<T>): Promise<T> {
    if (this.#waiting > mostWaiting)
      throw new Problem('busy', `${mostWaiting} exports are waiting already. Try again a little later.`)
    this.#waiting++
    const done = this.#last.then(async () => {
      this.#connection ??= this.#database.beside()
      return work(await this.#connection)
    })
    this.#last = done.catch(() => undefined)
    try {
      return await done
    } finally {
      this.#waiting--
    }
  }

  /** A file that nobody else writes, gone with the server. */
  makePath(): string {
    return join(this.#folder, `export-${++this.#written}`)
  }

  async close(): Promise<void> {
    await this.#last
    if (this.#connection) (await this.#connection).close()
  }
}

/** A stream whose first piece is there: what goes wrong before is still answered as a problem. */
async function begun(bytes: AsyncGenerator<Buffer>): Promise<Readable> {
  const first = await bytes.next()
  async function* all(): AsyncGenerator<Buffer> {
    try {
      if (!first.done) yield first.value
      yield* bytes
    } finally {
      await bytes.return(undefined)
    }
  }
  return Readable.from(all(), { objectMode: false })
}
