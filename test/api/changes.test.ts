import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeLastingProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { type Served, serveMade } from './served.ts'

const address = '/v1/programs/test/changes'
const rows = (churn: (n: number) => number) =>
  Array.from({ length: 60 }, (_, n) => madeRow(`c${String(n).padStart(2, '0')}`, { churn_90: churn(n) }))

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  await publishDay(made, '2026-10-01', [...rows(() => 0.2), madeRow('gone')])
  await publishDay(made, '2026-10-02', [...rows((n) => (n % 10 === 0 ? 0.7 : 0.2)), madeRow('new')])
  served = await serveMade(made)
})
afterAll(async () => {
  await served.close()
  await made.remove()
})

describe('changes since a day', () => {
  it('are counted and listed, page by page', async () => {
    const seen: { customer_id: string; change: string }[] = []
    let query = 'since=2026-10-01&limit=3'
    for (;;) {
      const page = await served.read(`${address}?${query}`)
      expect(page).toMatchObject({
        since: '2026-10-01',
        date: '2026-10-02',
        counts: { new: 1, gone: 1, moved: 6 },
      })
      seen.push(...page.changes)
      if (page.next_cursor === null) break
      query = `since=2026-10-01&limit=3&cursor=${page.next_cursor}`
    }
    expect(seen.map(({ customer_id }) => customer_id)).toEqual([
      ...['c00', 'c10', 'c20', 'c30', 'c40', 'c50'],
      ...['gone', 'new'],
    ])
    expect(seen[1]).toMatchObject({
      change: 'moved',
      figure: 'churn_90',
      before: 0.2,
      after: 0.7,
      cause: 'behaviour',
    })
  })

  it('can be narrowed to a kind and a cause', async () => {
    const ids = async (query: string) =>
      (await served.read(`${address}?since=2026-10-01&${query}`)).changes.map(
        (row: { customer_id: string }) => row.customer_id,
      )
    expect(await ids('change=new')).toEqual(['new'])
    expect(await ids('cause=model')).toEqual([])
    expect(await ids('cause=behaviour&limit=2')).toEqual(['c00', 'c10'])
  })

  it('come in one stream, and not again to whoever has them', async () => {
    const whole = await served.read(`${address}?since=2026-10-01&limit=100`)
    const stream = await served.ask(`${address}.ndjson?since=2026-10-01`)
    const lines = stream.text.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line))).toEqual(whole.changes)
    const headers = { 'if-none-match': stream.headers.get('etag') as string }
    expect((await served.ask(`${address}.ndjson?since=2026-10-01`, { headers })).status).toBe(304)
  })

  it.each([
    ['since=2026-10-02', 400, /not before 2026-10-02/],
    ['since=2026-09-01', 404, /no predictions of 2026-09-01/],
    ['', 400, /since/],
    ['since=2026-10-01&cursor=abc', 400, /cursor/],
  ])('say what is wrong: %s', async (query, status, words) => {
    const answer = await served.ask(`${address}?${query}`)
    expect([answer.status, answer.body.detail]).toEqual([status, expect.stringMatching(words)])
  })
})
