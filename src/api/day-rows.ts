import type { PredictionColumn } from '../domain/prediction.ts'
import type { Database, Parameters } from '../lake/database.ts'
import type { PredictionLines } from '../lake/prediction-lines.ts'
import {
  type PickedRow,
  type PredictionFile,
  pickRows,
  type RowQuestion,
  readLine,
  readLines,
  rowsOf,
} from '../lake/read-predictions.ts'
import { pickSorted } from './kept-orders.ts'

/** A row as JSON. */
export type Line = string | Buffer

/** The rows of one day: from lines that are ready, else from the published file. Both give the same. */
export class DayRows {
  readonly #database: Database
  readonly #file: PredictionFile
  readonly #columns: readonly PredictionColumn[]
  readonly #lines: PredictionLines | null

  constructor(
    database: Database,
    day: { file: PredictionFile; columns: readonly PredictionColumn[]; lines: PredictionLines | null },
  ) {
    this.#database = database
    this.#file = day.file
    this.#columns = day.columns
    this.#lines = day.lines
  }

  /** The row of a customer; null where there is none. */
  async find(customerId: string): Promise<Line | null> {
    if (this.#lines === null)
      return readLine(this.#database, this.#file, { columns: this.#columns, customerId })
    const row = this.#lines.find(customerId)
    return row === null ? null : this.#lines.readNow(row)
  }

  /** Which rows come next. In the order of the file those of nobody in particular are simply the next ones. */
  async pick(question: RowQuestion & { readonly limit: number }): Promise<PickedRow[]> {
    const { where, order, after, limit } = question
    if (this.#lines === null || where !== null) return pickRows(this.#database, this.#file, question)
    if (order !== null)
      return pickSorted(this.#database, { file: this.#file, lines: this.#lines }, { order, after, limit })
    const first = after === null ? 0 : after.row + 1
    const count = Math.max(0, Math.min(limit, this.#lines.rows - first))
    return Array.from({ length: count }, (_, place) => ({ row: first + place, value: null }))
  }

  /** The first row behind a customer, whether or not there is a row of that customer. */
  async after(customerId: string): Promise<number> {
    if (this.#lines !== null) return this.#lines.after(customerId)
    const { rows } = await this.#database.row<{ rows: number }>(
      `select count(*) as rows from ${rowsOf(this.#file)} where customer_id <= $customer`,
      { customer: customerId },
    )
    return rows
  }

  /** The last of so many rows from one on; null where not more than so many are left. */
  async nth({ where, from, count }: NthRow): Promise<number | null> {
    const after = { row: from - 1, value: null }
    const found = await pickRows(this.#database, this.#file, {
      ...{ where, order: null, after, limit: 2 },
      offset: count - 1,
    })
    return found.length === 2 ? found[0].row : null
  }

  async read(rows: readonly number[]): Promise<Line[]> {
    if (this.#lines !== null) return this.#lines.read(rows)
    return readLines(this.#database, this.#file, { columns: this.#columns, rows })
  }
}

export interface NthRow {
  readonly where: BoundSql | null
  readonly from: number
  readonly count: number
}

/** SQL over the rows of a file, with what is bound in it. */
export interface BoundSql {
  readonly sql: string
  readonly parameters: Parameters
}
