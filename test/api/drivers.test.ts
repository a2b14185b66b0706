import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { makeLastingProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { type Served, serveMade } from './served.ts'

const address = '/v1/programs/test/drivers.ndjson'
const driver = (outcome: string, feature: string, value: unknown) => ({
  ...{ outcome, feature, words: feature, value, effect: 0.25 },
  unit: outcome === 'nps' ? 'points' : 'probability',
})
const drivers = [
  driver('churn', 'tickets', 3.5),
  driver('churn', 'remainder', null),
  driver('nps', 'plan', 'gold'),
]
const ranks = [1, 2, 1]

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  await publishDay(made, '2026-10-01', [madeRow('early')])
  const told = { top_drivers: JSON.stringify(drivers) }
  await publishDay(made, '2026-10-02', [madeRow('a', told), madeRow('b'), madeRow('c', told)])
  served = await serveMade(made)
})
afterAll(async () => {
  await served.close()
  await made.remove()
})

const linesOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

describe('the drivers of a day', () => {
  it('come a line each, ranked within customer and task', async () => {
    const answer = await served.ask(address)
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
    expect(linesOf(answer.text)).toEqual(
      ['a', 'c'].flatMap((customer_id) =>
        drivers.map((one, place) => ({ customer_id, rank: ranks[place], ...one })),
      ),
    )
    expect((await served.ask(`${address}?date=2026-10-01`)).text).toBe('')
  })

  it('can be those of one task', async () => {
    const lines = linesOf((await served.ask(`${address}?outcome=nps`)).text)
    expect(lines.map(({ customer_id, feature }) => [customer_id, feature])).toEqual([
      ['a', 'plan'],
      ['c', 'plan'],
    ])
  })

  it('are not sent again to whoever has them, but those of another task are', async () => {
    const headers = { 'if-none-match': (await served.ask(address)).headers.get('etag') as string }
    expect((await served.ask(address, { headers })).status).toBe(304)
    expect((await served.ask(`${address}?outcome=churn`, { headers })).status).toBe(200)
  })

  it.each([
    ['outcome=churm', 400, /churm.*allowed: nps, churn, upsell/],
    ['date=2026-09-01', 404, /no predictions of 2026-09-01/],
    ['who=me', 400, /who/],
  ])('say what is wrong: %s', async (query, status, words) => {
    const answer = await served.ask(`${address}?${query}`)
    expect([answer.status, answer.body.detail]).toEqual([status, expect.stringMatching(words)])
  })
})
