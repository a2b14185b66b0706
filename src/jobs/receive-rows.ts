import type { Inbox } from '../control/inbox.ts'
import type { IdempotencyKey } from '../control/kept-answers.ts'
import type { RefusedLine } from '../control/refused-lines.ts'
import { idColumns, type KeptRow } from '../domain/incoming-rows.ts'
import type { TableName } from '../domain/program.ts'
import { UnreadableBody } from './row-bodies.ts'
import { isKept, type JudgedRow, judgeBody, type RowShape } from './sent-rows.ts'

/** Rows as they were sent. Data only: it crosses threads. */
export interface RowRequest {
  readonly program: string
  readonly shape: RowShape
  readonly body: Uint8Array
  /** The clock, ISO 8601. */
  readonly now: string
  /** Unguessable; rows without an id of their own are called by it and their number. */
  readonly batchId: string
  readonly idempotency: IdempotencyKey | null
}

/** What a request is answered with: JSON with an answer for each row, or why not even one was looked at. */
export type RowAnswer =
  | { readonly json: string; readonly isReplayed: boolean }
  | {
      readonly code: 'invalid-request' | 'body-too-large' | 'idempotency-key-reused'
      readonly detail: string
    }

/** The answer for one row. */
interface RowVerdict {
  readonly index: number
  readonly status: 'accepted' | 'duplicate' | 'quarantined'
  readonly id: string | null
  readonly reason?: string
  readonly words?: string
}

type Judged = { readonly request: RowRequest; readonly rows: readonly JudgedRow[] }

/**
 * Keeps what several requests send, in one transaction: when this returns all that is acknowledged is on the disk.
 *
 * **Shape** an answer for each request, in order. **Errors** those of the disk: nothing was kept then.
 */
export function receiveRows(inbox: Inbox, requests: readonly RowRequest[]): RowAnswer[] {
  const judged = requests.map(judge)
  return inbox.transact(() => judged.map((one) => ('code' in one ? one : receive(inbox, one))))
}

function judge(request: RowRequest): Judged | Extract<RowAnswer, { code: string }> {
  try {
    return { request, rows: judgeBody(request.shape, request.body, request.now) }
  } catch (error) {
    if (!(error instanceof UnreadableBody)) throw error
    return { code: error.code, detail: error.message }
  }
}

function receive(inbox: Inbox, { request, rows }: Judged): RowAnswer {
  const { idempotency, now } = request
  const known = idempotency && inbox.answers.find(idempotency, now)
  if (known === 'other')
    return {
      code: 'idempotency-key-reused',
      detail: 'The Idempotency-Key was sent with another body before. Take a new key for each request.',
    }
  if (known) return { json: known.body, isReplayed: true }
  const verdicts = keep(inbox, request, rows)
  const count = (status: RowVerdict['status']) =>
    verdicts.reduce((sum, one) => sum + Number(one.status === status), 0)
  const json = JSON.stringify({
    program: request.program,
    accepted: count('accepted'),
    duplicate: count('duplicate'),
    quarantined: count('quarantined'),
    rows: verdicts,
  })
  if (idempotency) inbox.answers.keep(idempotency, { status: 200, body: json }, now)
  return { json, isReplayed: false }
}

/** Keeps the rows of a request that are new and those that are refused. **Shape** a verdict for each. */
function keep(inbox: Inbox, request: RowRequest, rows: readonly JudgedRow[]): RowVerdict[] {
  const { now, batchId } = request
  const taken = takenIds(inbox, rows)
  const lines = new Map<TableName, { row: KeptRow; id: string }[]>()
  const refused: RefusedLine[] = []
  const verdicts = rows.map(({ judged, sent }, index): RowVerdict => {
    const { table } = judged
    if (!isKept(judged)) {
      const { reason, words } = judged
      refused.push({ table, receivedAt: now, reason, words, row: JSON.stringify(sent) ?? 'null' })
      return { index, status: 'quarantined', id: null, reason, words }
    }
    const id = judged.id ?? (idColumns[table] === null ? judged.customerId : `${batchId}-${index}`)
    if (judged.id !== null) {
      const ids = taken.get(table) as Set<string>
      if (ids.has(judged.id)) return { index, status: 'duplicate', id }
      ids.add(judged.id)
    }
    const accepted = lines.get(table)
    if (accepted) accepted.push({ row: judged, id })
    else lines.set(table, [{ row: judged, id }])
    return { index, status: 'accepted', id }
  })
  for (const [table, accepted] of lines) keepTable(inbox, { table, accepted, now })
  inbox.addRefused(refused)
  return verdicts
}

/** The ids of a request that came before. */
function takenIds(inbox: Inbox, rows: readonly JudgedRow[]): Map<TableName, Set<string>> {
  const given = new Map<TableName, string[]>()
  for (const { judged } of rows) {
    if (!isKept(judged) || judged.id === null) continue
    const ids = given.get(judged.table)
    if (ids) ids.push(judged.id)
    else given.set(judged.table, [judged.id])
  }
  return new Map(
    [...given].map(([table, ids]) => {
      const places = inbox.findKnown(table, ids)
      return [table, new Set(ids.filter((_, place) => places.has(place)))]
    }),
  )
}

interface Accepted {
  readonly table: TableName
  readonly accepted: readonly { readonly row: KeptRow; readonly id: string }[]
  readonly now: string
}

function keepTable(inbox: Inbox, { table, accepted, now }: Accepted): void {
  const idColumn = idColumns[table]
  const lines = accepted.map(({ row, id }) =>
    JSON.stringify(
      idColumn === null ? { ...row.columns, received_at: now } : { ...row.columns, [idColumn]: id },
    ),
  )
  inbox.addChunk({ table, receivedAt: now, rows: lines.length, lines: lines.join('\n') })
  const given = accepted.flatMap(({ row }) => row.id ?? [])
  inbox.addIds(table, given, now.slice(0, 10))
}
