import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeLastingProgram } from '../programs.ts'
import { madeYaml } from './made-predictions.ts'
import { problem, type Served, serveMade } from './served.ts'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  served = await serveMade(made)
})
afterAll(async () => {
  await served.close()
  await made.remove()
})

const event = { customer_id: 'a', at: '2026-11-20T08:00:00Z', type: 'login' }

/** Sends rows; JSON unless told. */
function send(table: string, rows: unknown, headers: Readonly<Record<string, string>> = {}) {
  const body = typeof rows === 'string' ? rows : JSON.stringify(rows)
  const all = { 'content-type': 'application/json', ...headers }
  return served.ask(`/v1/programs/test/${table}`, { method: 'POST', headers: all, body })
}

const statuses = ({ body }: { body: { rows: { status: string }[] } }) => body.rows.map(({ status }) => status)

describe('rows that are sent', () => {
  it('are answered one by one, in order, with the ids that they are known by', async () => {
    const answer = await send('events', [
      { ...event, event_id: 'e1', value: '12.5', channel: 'web' },
      { ...event, at: 'soon' },
      event,
      { ...event, event_id: 'e1' },
    ])
    expect(answer.status).toBe(200)
    expect(answer.body).toEqual({
      program: 'test',
      accepted: 2,
      duplicate: 1,
      quarantined: 1,
      rows: [
        { index: 0, status: 'accepted', id: 'e1' },
        {
          index: 1,
          status: 'quarantined',
          id: null,
          reason: 'bad_time',
          words: expect.stringContaining('at is no time'),
        },
        { index: 2, status: 'accepted', id: expect.stringMatching(/^id\d+-2$/) },
        { index: 3, status: 'duplicate', id: 'e1' },
      ],
    })
    expect(statuses(await send('events', { ...event, event_id: 'e1' }))).toEqual(['duplicate'])
  })

  it('are the same as JSON in three forms, NDJSON and CSV', async () => {
    const row = (id: string) => ({ ...event, event_id: id })
    const forms: [unknown, Record<string, string>?][] = [
      [row('f1')],
      [[row('f2')]],
      [{ rows: [row('f3')] }],
      [`${JSON.stringify(row('f4'))}\n\n`, { 'content-type': 'application/x-ndjson' }],
      [
        'Event_ID,customer_id,at,type\r\nf5,a,2026-11-20,"login"\r\n',
        { 'content-type': 'text/csv; charset=utf-8' },
      ],
    ]
    const ids: string[] = []
    for (const [rows, headers] of forms) {
      const answer = await send('events', rows, headers)
      expect(statuses(answer), answer.text).toEqual(['accepted'])
      ids.push(answer.body.rows[0].id)
    }
    expect(ids).toEqual(['f1', 'f2', 'f3', 'f4', 'f5'])
  })

  it('that equal each other and have no id are repeats that count', async () => {
    const first = await send('events', [event, event])
    const second = await send('events', [event])
    const ids = [...first.body.rows, ...second.body.rows].map(({ id }) => id)
    expect(new Set(ids).size).toBe(3)
  })

  it('may be wrong one by one: a bad line refuses itself alone', async () => {
    const lines = await send('events', `{"broken\n${JSON.stringify(event)}`, {
      'content-type': 'application/x-ndjson',
    })
    expect(statuses(lines)).toEqual(['quarantined', 'accepted'])
    const csv = await send('events', 'customer_id,at,type\na,2026-11-20\nb,2026-11-20,login\n', {
      'content-type': 'text/csv',
    })
    expect(statuses(csv)).toEqual(['quarantined', 'accepted'])
    expect(csv.body.rows[0]).toMatchObject({
      reason: 'malformed_line',
      words: expect.stringMatching(/2 values .* 3/),
    })
  })

  it('and refused can be looked at, newest first', async () => {
    await send('responses', { customer_id: 'q', at: '2026-11-20', metric: 'nps', score: 11 })
    const { rows } = await served.read('/v1/programs/test/quarantine?limit=1')
    expect(rows).toEqual([
      {
        number: expect.any(Number),
        table: 'responses',
        received_at: '2026-11-20T12:00:00Z',
        reason: 'score_out_of_range',
        words: 'score is 11; nps goes from 0 to 10',
        row: '{"customer_id":"q","at":"2026-11-20","metric":"nps","score":11}',
      },
    ])
  })

  it.each([
    ['nothing', '[]', 'application/json', 'invalid-request', 400],
    ['no JSON', '{', 'application/json', 'invalid-request', 400],
    ['a bare number', '7', 'application/json', 'invalid-request', 400],
    ['two columns of one name', 'a,a\n1,2\n', 'text/csv', 'invalid-request', 400],
    ['an open quote', 'a,b\n"1,2\n', 'text/csv', 'invalid-request', 400],
    ['too many rows', `[${'1,'.repeat(10_000)}1]`, 'application/json', 'body-too-large', 413],
    ['too many bytes', ' '.repeat(16 * 1024 * 1024 + 1), 'application/json', 'body-too-large', 413],
    ['another kind', '<a/>', 'application/xml', 'unsupported-media-type', 415],
  ] as const)('as %s are refused as a whole', async (_, body, type, code, status) => {
    const answer = await send('events', body, { 'content-type': type })
    expect([answer.status, answer.body]).toEqual([status, problem(code, status)])
  })
})

describe('an Idempotency-Key', () => {
  it('gets the same answer for the same body, byte for byte, and nothing is kept twice', async () => {
    const headers = { 'idempotency-key': 'once' }
    const first = await send('events', [event, { ...event, type: '' }], headers)
    const again = await send('events', [event, { ...event, type: '' }], headers)
    expect(again.text).toBe(first.text)
    expect([first, again].map((one) => one.headers.get('idempotent-replayed'))).toEqual([null, 'true'])
    const other = await send('events', [event, { ...event, type: '' }], { 'idempotency-key': 'twice' })
    expect(other.body.rows[0].id).not.toBe(first.body.rows[0].id)
  })

  it('refuses another body, and is its own in each route', async () => {
    const headers = { 'idempotency-key': 'k' }
    await send('events', [event], headers)
    const other = await send('events', [{ ...event, type: 'logout' }], headers)
    expect([other.status, other.body]).toEqual([422, problem('idempotency-key-reused', 422)])
    expect((await send('customers', { customer_id: 'a' }, headers)).status).toBe(200)
  })

  it('of which a request is not answered yet is refused, and answered later', async () => {
    const headers = { 'idempotency-key': 'race' }
    const answers = await Promise.all([1, 2, 3].map(() => send('events', [event], headers)))
    const good = answers.filter(({ status }) => status === 200)
    expect(new Set(good.map(({ text }) => text)).size).toBe(1)
    for (const { status, headers } of answers.filter((one) => !good.includes(one)))
      expect([status, headers.get('retry-after')]).toEqual([409, '1'])
  })

  it('must be printable', async () => {
    const answer = await send('events', [event], { 'idempotency-key': 'x'.repeat(256) })
    expect([answer.status, answer.body.errors]).toEqual([
      400,
      [{ field: 'idempotency-key', detail: 'is 1 to 255 printable characters' }],
    ])
  })
})
