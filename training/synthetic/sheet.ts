import { DOUBLE, DuckDBDataChunk, type DuckDBValue, INTEGER, VARCHAR } from '@duckdb/node-api'
import { type Database, quoteName } from '../../src/lake/database.ts'

const types = { integer: INTEGER, double: DOUBLE, varchar: VARCHAR }
export type CellType = keyof typeof types

/** Rows on their way to a table of the database: numbers in typed arrays, NaN where there is none. */
export class Sheet {
  readonly #table: string
  readonly #columns: readonly (readonly [string, CellType])[]
  #numbers: Float64Array[]
  readonly #texts: (string | null)[][]
  #rows = 0

  constructor(table: string, columns: Readonly<Record<string, CellType>>) {
    this.#table = table
    this.#columns = Object.entries(columns)
    this.#numbers = this.#columns.map(() => new Float64Array(1024))
    this.#texts = this.#columns.map(() => [])
  }

  get rows(): number {
    return this.#rows
  }

  /** Adds a row: numbers, then texts, in the order of the columns; texts come last. */
  add(...cells: (number | string | null)[]): void {
    if (this.#rows === this.#numbers[0].length) this.#grow()
    for (let column = 0; column < cells.length; column++) {
      const cell = cells[column]
      if (typeof cell === 'number') this.#numbers[column][this.#rows] = cell
      else this.#texts[column][this.#rows] = cell
    }
    this.#rows++
  }

  /** Drops those rows from `first` on whose number in a column lies above `most`. */
  dropAbove(first: number, column: number, most: number): void {
    let kept = first
    for (let row = first; row < this.#rows; row++) {
      if (this.#numbers[column][row] > most) continue
      for (const numbers of this.#numbers) numbers[kept] = numbers[row]
      for (const texts of this.#texts) if (texts.length > 0) texts[kept] = texts[row]
      kept++
    }
    this.#rows = kept
  }

  /** Makes the table. */
  async create(database: Database): Promise<void> {
    const columns = this.#columns.map(([name, type]) => `${quoteName(name)} ${type}`)
    await database.run(`create table ${quoteName(this.#table)} (${columns.join(', ')})`)
  }

  /** Moves all rows into the table. */
  async flush(database: Database): Promise<void> {
    const appender = await database.appender(this.#table)
    const chunkTypes = this.#columns.map(([, type]) => types[type])
    for (let start = 0; start < this.#rows; start += 2048) {
      const end = Math.min(this.#rows, start + 2048)
      const chunk = DuckDBDataChunk.create(chunkTypes, end - start)
      this.#columns.forEach(([, type], column) => {
        const values =
          type === 'varchar'
            ? this.#texts[column].slice(start, end)
            : this.#numbers[column].subarray(start, end)
        chunk.setColumnValues(column, values as unknown as readonly DuckDBValue[])
      })
      appender.appendDataChunk(chunk)
    }
    appender.closeSync()
    this.#rows = 0
  }

  #grow(): void {
    this.#numbers = this.#numbers.map((numbers) => {
      const larger = new Float64Array(numbers.length * 2)
      larger.set(numbers)
      return larger
    })
  }
}
