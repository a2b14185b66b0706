import { isKept, judgeRow, type KeptRow, type RefusedRow } from '../domain/incoming-rows.ts'
import type { TableName } from '../domain/program.ts'
import { type RowFormat, readRows, UnreadableRow } from './row-bodies.ts'

/** What a body is: rows of a table. */
export type RowShape = { readonly kind: 'rows'; readonly table: TableName; readonly format: RowFormat }

/** A row of a body, judged, beside how it came. */
export interface JudgedRow {
  readonly judged: KeptRow | RefusedRow
  /** For those who look at what was refused. */
  readonly sent: unknown
}

/** The rows of a body, each judged by itself. **Errors** `UnreadableBody` */
export function judgeBody(shape: RowShape, body: Uint8Array, nowMs: number): JudgedRow[] {
  return readRows(shape.format, body).map((row) => judged(shape.table, row, nowMs))
}

function judged(table: TableName, row: unknown, nowMs: number): JudgedRow {
  if (row instanceof UnreadableRow)
    return { judged: { table, reason: 'malformed_line', words: row.words }, sent: row.text }
  return { judged: judgeRow(table, row, nowMs), sent: row }
}

export { isKept }
