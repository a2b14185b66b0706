import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { predictionColumns } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import { PredictionLines } from '../lake/prediction-lines.ts'
import { openReadingDatabase, type PredictionFile } from '../lake/read-predictions.ts'

/** Most memory that making lines takes. */
const memoryLimit = '512MB'

export interface LinesOptions {
  readonly dataFolder: string
  readonly spillFolder: string
  readonly onError: (error: unknown) => void
}

/**
 * The rows of a program's latest day ready to be sent. They are made beside everything else; until they are there, and
 * for all other days, rows are read from the published files.
 */
export class ServedLines {
  readonly #program: Program
  readonly #dataFolder: string
  readonly #spillFolder: string
  readonly #onError: (error: unknown) => void
  #wanted: string | null = null
  #lines: PredictionLines | null = null
  #making: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(program: Program, { dataFolder, spillFolder, onError }: LinesOptions) {
    this.#program = program
    this.#dataFolder = dataFolder
    this.#spillFolder = spillFolder
    this.#onError = onError
  }

  /** The lines of a file, where they are there. @param mark tells the file from all others, also of its path. */
  find(mark: string): PredictionLines | null {
    return this.#wanted === mark ? this.#lines : null
  }

  /** Whether the lines of the latest day that was asked for are there. */
  get isReady(): boolean {
    return this.#lines !== null
  }

  /** Has the lines of this file made in place of those there are, unless they are made already. */
  want(mark: string, file: PredictionFile): void {
    if (this.#wanted === mark || this.#isClosed) return
    this.#wanted = mark
    const before = this.#lines
    this.#lines = null
    this.#making = this.#making.then(() => this.#make(mark, file)).catch(this.#onError)
    void before?.close().catch(this.#onError)
  }

  /** Resolves once nothing is being made. */
  settled(): Promise<void> {
    return this.#making
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#wanted = null
    await this.#making
    await this.#lines?.close()
  }

  async #make(mark: string, file: PredictionFile): Promise<void> {
    if (this.#wanted !== mark) return
    const columns = predictionColumns(this.#program)
    // Beside the lake: whoever serves writes nothing into it.
    const folder = join(this.#dataFolder, `${this.#program.name}.served`)
    const name = createHash('sha256')
      .update(JSON.stringify([mark, columns]))
      .digest('hex')
      .slice(0, 32)
    const database = await openReadingDatabase({ spillFolder: this.#spillFolder, memoryLimit })
    try {
      const lines = await PredictionLines.open(database, file, { columns, folder, name })
      if (this.#wanted === mark) this.#lines = lines
      else await lines.close()
    } finally {
      database.close()
    }
  }
}
