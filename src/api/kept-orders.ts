import type { Database } from '../lake/database.ts'
import type { PredictionLines } from '../lake/prediction-lines.ts'
import { type PickedRow, type PredictionFile, type RowOrder, selectRows } from '../lake/read-predictions.ts'
import { Kept } from './kept-results.ts'

/** Orders of a day that are kept: 12 bytes a row each. */
const mostKept = 4

/** All rows of a day in an order. */
interface SortedRows {
  readonly rows: Int32Array
  /** NaN: missing. */
  readonly values: Float64Array
}

/** Rows in the orders that were asked for last, so that a further page of a large day need not sort it again. */
const orders = new WeakMap<PredictionLines, Kept<SortedRows>>()

export interface SortedPage {
  readonly order: RowOrder
  readonly after: PickedRow | null
  readonly limit: number
}

/** The next rows of everybody in an order. @param lines whose rows are those of the file. */
export async function pickSorted(
  database: Database,
  { file, lines }: { readonly file: PredictionFile; readonly lines: PredictionLines },
  { order, after, limit }: SortedPage,
): Promise<PickedRow[]> {
  const { rows, values } = await sorted(database, file, { lines, order })
  const start = after === null ? 0 : rows.indexOf(after.row) + 1
  return Array.from(rows.subarray(start, start + limit), (row, place) => {
    const value = values[start + place]
    return { row, value: Number.isNaN(value) ? null : value }
  })
}

function sorted(
  database: Database,
  file: PredictionFile,
  { lines, order }: { lines: PredictionLines; order: RowOrder },
): Promise<SortedRows> {
  const kept = orders.get(lines) ?? new Kept<SortedRows>(mostKept)
  orders.set(lines, kept)
  const key = `${order.isDescending ? '-' : ''}${order.column}`
  return kept.get(key, () => sortRows(database, file, order))
}

async function sortRows(database: Database, file: PredictionFile, order: RowOrder): Promise<SortedRows> {
  const { sql, parameters } = selectRows(file, { where: null, order, after: null, limit: null })
  const { row, value } = await database.columns(sql, parameters)
  return { rows: Int32Array.from(row as Float64Array), values: value as Float64Array }
}
