import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ingestMade, queryLake } from '../lakes.ts'
import { makeLastingProgram } from '../programs.ts'
import { type ServedProcess, startProcess } from './served-process.ts'

const key = 'key-for-tests-0123456789'
const kills = 20
const writers = 4
const rowsOfBatch = 50

let made: Awaited<ReturnType<typeof makeLastingProgram>>
beforeAll(async () => {
  made = await makeLastingProgram({
    files: { 'events.csv': [{ customer_id: 'a', at: '2026-01-01', type: 'login' }] },
    yaml: 'sources: { events: { file: events.csv } }\noutcomes: { churn: { absence_of: login } }',
  })
})
afterAll(() => made.remove())

/** What was said to be kept: ids that were given by the sender, and those that the server gave. */
const acknowledged: string[] = []
/** Batches without an answer, to be sent again as they were. */
const unanswered: number[] = []
let batches = 0

/** Half of the rows have ids of their own. */
function batchOf(number: number): string {
  const rows = Array.from({ length: rowsOfBatch }, (_, row) => ({
    customer_id: `c${row}`,
    at: '2026-11-20T08:00:00Z',
    type: 'click',
    ...(row % 2 === 0 && { event_id: `b${number}-${row}` }),
  }))
  return JSON.stringify(rows)
}

/** Sends a batch; false where the server is gone. */
async function send(server: ServedProcess, number: number): Promise<boolean> {
  try {
    const response = await fetch(`${server.url}/v1/programs/test/events`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'idempotency-key': `batch-${number}`,
      },
      body: batchOf(number),
    })
    const { rows } = (await response.json()) as { rows: { status: string; id: string }[] }
    expect(response.status).toBe(200)
    acknowledged.push(...rows.map(({ id }) => id))
    return true
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    unanswered.push(number)
    return false
  }
}

/** Sends what had no answer, then more and more, until the server is gone: it is killed while others wait. */
async function writeUntilKilled(server: ServedProcess, answers: number): Promise<void> {
  let left = answers
  const again = unanswered.splice(0)
  const write = async () => {
    while (await send(server, again.shift() ?? ++batches)) {
      if (--left === 0) void server.kill()
    }
  }
  await Promise.all(Array.from({ length: writers }, write))
}

describe(`a server that is killed ${kills} times while rows are written`, () => {
  it('lost nothing that it acknowledged, and has nothing twice', async () => {
    const starts: number[] = []
    for (let kill = 1; kill <= kills; kill++) {
      const server = await startProcess(made, key)
      starts.push(server.startMs)
      await writeUntilKilled(server, 3 + ((kill * 7) % 12))
      if (kill % 7 === 0) await ingestMade(made)
    }
    const server = await startProcess(made, key)
    for (const number of unanswered.splice(0)) expect(await send(server, number)).toBe(true)
    await server.kill()
    await ingestMade(made)
    const stored = await queryLake<{ id: string }>(
      made,
      'events',
      "select event_id as id from rows where type = 'click'",
    )
    const ids = stored.map(({ id }) => id)
    const told = new Set(acknowledged)
    process.stderr.write(
      `Killed ${kills} times: ${acknowledged.length} rows acknowledged, ${ids.length} stored; started within ${Math.round(Math.max(...starts))} ms\n`,
    )
    expect(told.size).toBe(batches * rowsOfBatch)
    expect(new Set(ids)).toEqual(told)
    expect(ids).toHaveLength(told.size)
  })
})
