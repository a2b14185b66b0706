import { type Inbox, openInbox } from '../control/inbox.ts'
import type { IdempotencyKey, KeptAnswer } from '../control/kept-answers.ts'
import type { ListedRefusal } from '../control/refused-lines.ts'
import { type RowAnswer, type RowRequest, receiveRows } from './receive-rows.ts'

/** Rows for the inbox of a program. */
export interface ReceiveTask {
  readonly dataFolder: string
  readonly request: RowRequest
}

/** An answer, or that the inbox holds as much as it may. */
export type ReceiveReply = RowAnswer | { readonly code: 'inbox-full'; readonly detail: string }

/** What may wait for an ingest: about a day of twenty million events. */
const mostPending = { rows: 20_000_000, bytes: 8 * 1024 ** 3 }
/** Transactions after which the pending rows are counted anew: an ingest may have taken them. */
const countedEvery = 50

interface Opened {
  readonly inbox: Inbox
  transactions: number
  isFull: boolean
}

interface Waiting {
  readonly request: RowRequest
  resolve(reply: ReceiveReply): void
  reject(error: unknown): void
}

const opened = new Map<string, Promise<Opened>>()
/** Inbox → requests that go into its next transaction. */
const waiting = new Map<Opened, Waiting[]>()

/** Runs in a thread: keeps the rows of a request, with those of all others that came meanwhile, in one transaction. */
export async function receive({ dataFolder, request }: ReceiveTask): Promise<ReceiveReply> {
  const inbox = await open(dataFolder, request)
  return new Promise((resolve, reject) => {
    const others = waiting.get(inbox)
    if (others) others.push({ request, resolve, reject })
    else {
      waiting.set(inbox, [{ request, resolve, reject }])
      setImmediate(() => flush(inbox))
    }
  })
}

/** Runs in a thread: a page of what was refused, newest first. */
export async function listRefused({
  dataFolder,
  program,
  newId,
  page,
}: {
  readonly dataFolder: string
  readonly program: string
  readonly newId: string
  readonly page: { readonly after: number | null; readonly limit: number }
}): Promise<ListedRefusal[]> {
  const { inbox } = await open(dataFolder, { program, batchId: newId })
  return inbox.refused.list(page)
}

/** An answer that a route gives under an Idempotency-Key. */
export interface AnswerTask {
  readonly dataFolder: string
  readonly program: string
  readonly newId: string
  readonly key: IdempotencyKey
  /** The clock, ISO 8601. */
  readonly now: string
}

/** Runs in a thread: what was answered under a key. */
export async function findAnswer(task: AnswerTask): Promise<KeptAnswer | 'other' | null> {
  const { inbox } = await open(task.dataFolder, { program: task.program, batchId: task.newId })
  return inbox.answers.find(task.key, task.now)
}

/** Runs in a thread: keeps an answer; it is on the disk when this returns. */
export async function keepAnswer(task: AnswerTask & { readonly answer: KeptAnswer }): Promise<void> {
  const { inbox } = await open(task.dataFolder, { program: task.program, batchId: task.newId })
  inbox.transact(() => inbox.answers.keep(task.key, task.answer, task.now))
}

/** Runs in a thread before it ends. */
export async function close(): Promise<void> {
  const all = [...opened.values()]
  opened.clear()
  for (const one of all) (await one.catch(() => null))?.inbox.close()
}

function open(
  dataFolder: string,
  { program, batchId }: Pick<RowRequest, 'program' | 'batchId'>,
): Promise<Opened> {
  const key = `${dataFolder}\n${program}`
  const known = opened.get(key)
  if (known) return known
  const opening = openInbox(dataFolder, { name: program }, batchId).then((inbox) => ({
    inbox,
    transactions: 0,
    isFull: isFull(inbox),
  }))
  opened.set(key, opening)
  opening.catch(() => opened.delete(key))
  return opening
}

function isFull(inbox: Inbox): boolean {
  const { rows, bytes } = inbox.pending()
  return rows > mostPending.rows || bytes > mostPending.bytes
}

function flush(one: Opened): void {
  const requests = waiting.get(one) ?? []
  waiting.delete(one)
  try {
    if (one.transactions++ % countedEvery === 0) one.isFull = isFull(one.inbox)
    if (one.isFull) {
      const detail =
        'As many rows wait to be ingested as may. Run loyalcast ingest, and send them again later.'
      for (const { resolve } of requests) resolve({ code: 'inbox-full', detail })
      return
    }
    const answers = receiveRows(
      one.inbox,
      requests.map(({ request }) => request),
    )
    for (const [place, { resolve }] of requests.entries()) resolve(answers[place])
  } catch (error) {
    for (const { reject } of requests) reject(error)
  }
}
