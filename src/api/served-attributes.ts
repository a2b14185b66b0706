import type { Program } from '../domain/program.ts'
import { type AttributeTable, makeAttributeTable } from '../features/known-attributes.ts'
import type { Database } from '../lake/database.ts'
import type { Lake } from '../lake/lake.ts'
import { numberedRowsOf, type PredictionFile } from '../lake/read-predictions.ts'

/** Days whose attributes are kept. */
const mostKept = 4

/** What was known of customers at the end of a day, as tables that their rows can be picked by. */
export class ServedAttributes {
  readonly #database: Database
  readonly #program: Program
  readonly #tables = new Map<string, Promise<AttributeTable>>()
  #made = 0

  constructor(database: Database, program: Program) {
    this.#database = database
    this.#program = program
  }

  /** A row of the table is that of the file. @param mark tells the file from all others, also of its path. */
  get(file: PredictionFile, { mark, date, lake }: AttributesWish): Promise<AttributeTable> {
    const key = `${mark} ${lake.state.sequence}`
    const known = this.#tables.get(key)
    if (known) return known
    const customers = `(select file_row_number as row, customer_id from ${numberedRowsOf(file)})`
    const name = `attributes_${this.#program.name}_${++this.#made}`
    const table = makeAttributeTable(this.#database, name, { program: this.#program, lake, date, customers })
    this.#tables.set(key, table)
    table.catch(() => this.#tables.delete(key))
    void this.#forgetOldest().catch(() => undefined)
    return table
  }

  async #forgetOldest(): Promise<void> {
    if (this.#tables.size <= mostKept) return
    const [key, oldest] = [...this.#tables][0]
    this.#tables.delete(key)
    await this.#database.run(`drop table if exists "${(await oldest).name}"`)
  }
}

export interface AttributesWish {
  readonly mark: string
  readonly date: string
  readonly lake: Lake
}
