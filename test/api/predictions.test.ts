import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ServedProgram } from '../../src/api/served-program.ts'
import { openLake } from '../../src/lake/lake.ts'
import type { PredictionRow } from '../../src/lake/predictions.ts'
import { openReadingDatabase } from '../../src/lake/read-predictions.ts'
import { type MadeProgram, makeLastingProgram, makeProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { type Served, serveMade } from './served.ts'

const address = '/v1/programs/test/predictions'

/** Ids that are hard on paths, SQL and sorting. */
const hardIds = ["o'neil", 'a/b?c=d&e', '%41 %', 'Zoë ☃', 'b', 'B', '', '../../etc', '"; drop table x; --']

const amounts = [5, null, 7.25, 5, 0, null, 5, 0.1 + 0.2, 9]
const rows = hardIds.map((id, place) =>
  madeRow(id, { value_at_risk: amounts[place], churn_90: place / 10, annual_value: 10 * place }),
)

/** Follows the cursors to the end. */
async function walk(served: Served, query: string): Promise<{ ids: string[]; pages: number }> {
  const ids: string[] = []
  let cursor: string | null = null
  for (let pages = 1; ; pages++) {
    const page = await served.read(`${address}?${cursor === null ? query : `${query}&cursor=${cursor}`}`)
    ids.push(...page.predictions.map((row: PredictionRow) => row.customer_id))
    cursor = page.next_cursor
    if (cursor === null) return { ids, pages }
  }
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

describe('predictions', () => {
  let made: Awaited<ReturnType<typeof makeLastingProgram>>
  let served: Served
  beforeAll(async () => {
    made = await makeLastingProgram({ yaml: madeYaml })
    await publishDay(made, '2026-10-01', [madeRow('old')])
    await publishDay(made, '2026-10-02', rows)
    served = await serveMade(made)
  })
  afterAll(async () => {
    await served.close()
    await made.remove()
  })

  it('are those of the latest day, by customer, with drivers and flags as JSON', async () => {
    const page = await served.read(address)
    expect(page).toMatchObject({
      program: 'test',
      date: '2026-10-02',
      sort: 'customer_id',
      next_cursor: null,
    })
    expect(page.predictions.map((row: PredictionRow) => row.customer_id)).toEqual(hardIds.toSorted(byBytes))
    expect(page.predictions.find((row: PredictionRow) => row.customer_id === 'b')).toMatchObject({
      date: '2026-10-02',
      churn_90: 0.4,
      upsell_30: null,
      top_drivers: [],
      flags: { churn: 'model' },
    })
  })

  it('of another day are there by its date', async () => {
    const { date, predictions } = await served.read(`${address}?date=2026-10-01`)
    expect([date, predictions.length, predictions[0].customer_id]).toEqual(['2026-10-01', 1, 'old'])
  })

  it.each([
    ['sort=customer_id', hardIds.toSorted(byBytes)],
    ['sort=-churn', hardIds.toReversed()],
    [
      'sort=-value_at_risk',
      hardIds
        .map((id, place) => ({ id, amount: amounts[place] ?? Number.NEGATIVE_INFINITY }))
        .sort((a, b) => b.amount - a.amount || byBytes(a.id, b.id))
        .map(({ id }) => id),
    ],
  ])('come once each in order, whatever the size of a page: %s', async (query, ids) => {
    for (let limit = 1; limit <= rows.length + 1; limit++) {
      expect(await walk(served, `${query}&limit=${limit}`)).toEqual({
        ids,
        pages: Math.ceil(rows.length / limit),
      })
    }
  })

  it('of one customer are found whatever the id holds', async () => {
    for (const id of hardIds.filter((id) => id !== '')) {
      const found = await served.read(`/v1/programs/test/customers/${encodeURIComponent(id)}/prediction`)
      expect(found.customer_id).toBe(id)
    }
  })

  it('of one customer are those of the day that is asked for, and 404 where there are none', async () => {
    const one = (id: string, query = '') => served.ask(`/v1/programs/test/customers/${id}/prediction${query}`)
    expect((await one('old', '?date=2026-10-01')).body.date).toBe('2026-10-01')
    const missing = await one('old')
    expect(missing.status).toBe(404)
    expect(missing.body).toMatchObject({
      type: 'urn:loyalcast:problem:unknown-customer',
      detail: expect.stringMatching(/no prediction for old on 2026-10-02/),
    })
  })

  it('of a day that is not there say which days are', async () => {
    for (const path of [address, '/v1/programs/test/customers/b/prediction', '/v1/programs/test/summary']) {
      const { status, body } = await served.ask(`${path}?date=2026-10-05`)
      expect([status, body.type]).toEqual([404, 'urn:loyalcast:problem:no-predictions'])
      expect(body.detail).toContain('There are predictions of: 2026-10-02, 2026-10-01.')
      expect(body.days).toEqual(['2026-10-02', '2026-10-01'])
    }
  })

  it('refuse cursors that were not made here, and those of another walk', async () => {
    const { next_cursor } = await served.read(`${address}?limit=2&sort=-churn`)
    const forged = Buffer.from(JSON.stringify([2, 'test', '2026-10-02', '../../secret', '-churn', [], 1, 1]))
    const cases: [string, number, RegExp][] = [
      ['cursor=%00%00', 400, /was not made here/],
      ['cursor=e30', 400, /was not made here/],
      [`cursor=${next_cursor.slice(3)}`, 400, /was not made here/],
      [`cursor=${next_cursor}&sort=customer_id`, 400, /walk with sort -churn/],
      [`cursor=${next_cursor}&date=2026-10-01`, 400, /walk with date 2026-10-02/],
      [`cursor=${forged.toString('base64url')}`, 410, /no longer kept/],
    ]
    for (const [query, status, words] of cases) {
      const { status: seen, body } = await served.ask(`${address}?${query}`)
      expect([query, seen]).toEqual([query, status])
      expect(body.detail).toMatch(words)
    }
    expect((await served.ask(`${address}?cursor=${next_cursor}&sort=-churn&date=2026-10-02`)).status).toBe(
      200,
    )
  })

  it('answer any cursor with a page or a problem, never with an error of their own', async () => {
    const whole = await served.read(`${address}?limit=2`)
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string({ minLength: 1, maxLength: 60, unit: 'binary' }),
          fc.jsonValue().map((value) => Buffer.from(JSON.stringify(value)).toString('base64url')),
          fc.nat(whole.next_cursor.length).map((end) => `${whole.next_cursor.slice(0, end)}x`),
        ),
        async (cursor) => {
          const { status } = await served.ask(`${address}?cursor=${encodeURIComponent(cursor)}`)
          expect([200, 400, 410]).toContain(status)
        },
      ),
      { numRuns: 60 },
    )
  })
})

describe('a day that is predicted again', () => {
  const many = (value: number) => Array.from({ length: 30 }, (_, n) => madeRow(`c${n}`, { churn_90: value }))

  async function servedDay(): Promise<{ made: MadeProgram; served: Served }> {
    const made = await makeProgram({ yaml: madeYaml })
    await publishDay(made, '2026-10-01', many(0.25))
    return { made, served: await serveMade(made) }
  }

  it('is shown at once, but a walk that began before sees the old rows to its end', async () => {
    const { made, served } = await servedDay()
    try {
      const first = await served.read(`${address}?limit=10`)
      await publishDay(made, '2026-10-01', many(0.75).slice(5))
      await publishDay(made, '2026-10-02', many(0.5))
      const old = await served.read(`${address}?limit=1000&cursor=${first.next_cursor}`)
      expect([old.date, old.predictions.length]).toEqual(['2026-10-01', 20])
      expect(new Set(old.predictions.map((row: PredictionRow) => row.churn_90))).toEqual(new Set([0.25]))
      const fresh = await served.read(`${address}?date=2026-10-01`)
      expect([fresh.predictions.length, fresh.predictions[0].churn_90]).toEqual([25, 0.75])
      expect((await served.read(address)).date).toBe('2026-10-02')
    } finally {
      await served.close()
    }
  })

  it('ends walks over rows that were swept away with 410', async () => {
    const { made, served } = await servedDay()
    try {
      const { next_cursor } = await served.read(`${address}?limit=10`)
      const before = await openLake(made.dataFolder, made.program)
      await publishDay(made, '2026-10-01', many(0.75))
      await rm(join(before.folder, before.state.predictions.get('2026-10-01')?.path ?? ''))
      const { status, body } = await served.ask(`${address}?cursor=${next_cursor}`)
      expect([status, body.type]).toEqual([410, 'urn:loyalcast:problem:cursor-expired'])
    } finally {
      await served.close()
    }
  })

  it('is looked up again where its file is swept away just before it is read', async () => {
    const made = await makeProgram({ yaml: madeYaml })
    await publishDay(made, '2026-10-01', many(0.25))
    const spillFolder = join(made.folder, 'spill')
    const database = await openReadingDatabase({ spillFolder, memoryLimit: '500MB' })
    const served = new ServedProgram(made.program, { ...made, database, spillFolder, onError: () => {} })
    const paths: string[] = []
    const line = await served.readDay('2026-10-01', async ({ file, rows }) => {
      paths.push(file.path)
      if (paths.length === 1) {
        await publishDay(made, '2026-10-01', many(0.75))
        await rm(file.path)
      }
      return rows.find('c1')
    })
    expect([JSON.parse(String(line)).churn_90, new Set(paths).size]).toEqual([0.75, 2])
    await rm(paths[1])
    const order = { column: 'churn_90', isDescending: true }
    await expect(
      served.readDay('2026-10-01', ({ rows }) => rows.pick({ where: null, order, after: null, limit: 1 })),
    ).rejects.toThrow(/named by the lake but not there/)
    await served.close()
    database.close()
  })
})
