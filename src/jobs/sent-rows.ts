import { mapInbound } from '../domain/inbound.ts'
import { isKept, judgeRow, type KeptRow, type RefusedRow } from '../domain/incoming-rows.ts'
import type { InboundMapping, TableName } from '../domain/program.ts'
import { rowOfCall } from '../domain/segment-calls.ts'
import { counted, type RowFormat, readJson, readRows, UnreadableBody, UnreadableRow } from './row-bodies.ts'

/** Calls that a body may be in Segment's shape. */
export const segmentCalls = ['identify', 'track', 'batch'] as const

/** What a body is: rows of a table, calls in Segment's shape, or a document that a mapping finds rows in. */
export type RowShape =
  | { readonly kind: 'rows'; readonly table: TableName; readonly format: RowFormat }
  | { readonly kind: 'segment'; readonly call: (typeof segmentCalls)[number] }
  | { readonly kind: 'mapped'; readonly mapping: InboundMapping }

/** A row of a body, judged, beside how it came. */
export interface JudgedRow {
  readonly judged: KeptRow | RefusedRow
  /** For those who look at what was refused. */
  readonly sent: unknown
}

/** The rows of a body, each judged by itself. @param now the clock, ISO 8601. **Errors** `UnreadableBody` */
export function judgeBody(shape: RowShape, body: Uint8Array, now: string): JudgedRow[] {
  const nowMs = Date.parse(now)
  if (shape.kind === 'rows')
    return readRows(shape.format, body).map((row) => judgeSent(shape.table, row, nowMs))
  const document = readJson(body)
  if (shape.kind === 'segment')
    return callsOf(shape.call, document).map((call) => judgeCall(call, { call: shape.call, now, nowMs }))
  const { mapping } = shape
  const rows = mapInbound(mapping, document)
  if (rows === null)
    throw new UnreadableBody('invalid-request', `There is no list at ${mapping.each} of the body.`)
  return counted(rows).map((row) => ({ judged: judgeMapped(mapping, row, nowMs), sent: row }))
}

function judgeSent(table: TableName, row: unknown, nowMs: number): JudgedRow {
  if (row instanceof UnreadableRow)
    return { judged: { table, reason: 'malformed_line', words: row.words }, sent: row.text }
  return { judged: judgeRow(table, row, nowMs), sent: row }
}

function callsOf(call: (typeof segmentCalls)[number], document: unknown): unknown[] {
  if (call !== 'batch') return [document]
  const batch = (document as { batch?: unknown } | null)?.batch
  if (!Array.isArray(batch)) throw new UnreadableBody('invalid-request', 'The body has no list called batch.')
  return counted(batch)
}

function judgeCall(
  sent: unknown,
  { call, now, nowMs }: { call: (typeof segmentCalls)[number]; now: string; nowMs: number },
): JudgedRow {
  const { table, row, refusal } = rowOfCall(sent, { type: call === 'batch' ? null : call, now })
  return { judged: refusal ? { table, ...refusal } : judgeRow(table, row, nowMs), sent }
}

/** Says of a refused row also which places of the document were empty. */
function judgeMapped(
  mapping: InboundMapping,
  row: Record<string, unknown>,
  nowMs: number,
): KeptRow | RefusedRow {
  const judged = judgeRow(mapping.table, row, nowMs)
  const empty = Object.entries(mapping.columns).filter(([column]) => row[column] === undefined)
  if (isKept(judged) || empty.length === 0) return judged
  const places = empty.map(([column, place]) => `${column} at ${place}`).join(', ')
  return { ...judged, words: `${judged.words}; nothing was found for ${places}` }
}

export { isKept }
