import { openInbox } from '../../src/control/inbox.ts'
import type { TableName } from '../../src/domain/program.ts'
import { receiveRows } from '../../src/jobs/receive-rows.ts'
import { now as testNow } from '../lakes.ts'
import type { FileRow, MadeProgram } from '../programs.ts'

let batches = 0

/** Sends rows to a table as the API would. */
export async function send(
  made: Pick<MadeProgram, 'dataFolder' | 'program'>,
  table: TableName,
  rows: readonly FileRow[],
  now = testNow,
) {
  const inbox = await openInbox(made.dataFolder, made.program, `inbox${++batches}`)
  try {
    const body = Buffer.from(JSON.stringify(rows))
    const shape = { kind: 'rows', table, format: 'json' } as const
    const request = { program: 'test', shape, body, now, batchId: `batch${++batches}`, idempotency: null }
    const [answer] = receiveRows(inbox, [request])
    return 'json' in answer ? JSON.parse(answer.json).rows : answer
  } finally {
    inbox.close()
  }
}
