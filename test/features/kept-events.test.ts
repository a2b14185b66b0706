import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addDays, type Day } from '../../src/domain/days.ts'
import type { Catalogue } from '../../src/features/catalogue.ts'
import type { Keeping } from '../../src/features/kept-columns.ts'
import { carryOn, changedDays, type KeptEvents, keepEvents } from '../../src/features/kept-events.ts'
import { Database } from '../../src/lake/database.ts'

const firstDay = '2024-01-01'
const lastDay = 420

const catalogue: Catalogue = {
  eventTypes: ['buy', 'look', 'ticket'],
  hasOtherTypes: true,
  valuedTypes: ['buy'],
  properties: [
    { type: 'look', property: 'minutes', kind: 'number' },
    { type: 'ticket', property: 'topic', kind: 'category' },
  ],
  metrics: [],
  attributes: [],
  hasAnnualValue: false,
  initiatives: [],
  beginsOn: {},
  answersBeginOn: {},
  eventsBeginOn: firstDay,
  excluded: ['leak'],
}

const keeping: Keeping = {
  catalogue,
  program: {
    outcomes: [
      {
        name: 'churn',
        eventTypes: ['cancel'],
        isAbsence: false,
        isTerminal: true,
        isDesired: false,
      },
    ],
    meaning: { usage: ['look'], contact: ['ticket'], feedback: ['idea'], asked: [] },
    value: {
      annualValue: { sumOf: ['buy'], days: 200 },
      margin: null,
      gains: {},
      contactCost: null,
      discountRate: null,
    },
  } as unknown as Keeping['program'],
}

const types = ['buy', 'look', 'ticket', 'idea', 'leak', 'cancel', 'rare']

interface Event {
  readonly customer: number
  readonly day: number
  readonly type: string
  readonly cents: number | null
  readonly topic: string | null
  readonly order: number
}

const eventOf = (from: number, to: number) =>
  fc.record({
    customer: fc.integer({ min: 0, max: 6 }),
    day: fc.integer({ min: from, max: to }),
    type: fc.constantFrom(...types),
    cents: fc.option(fc.integer({ min: -99_999, max: 999_999 }), { freq: 3 }),
    topic: fc.option(fc.constantFrom('price', 'quality'), { freq: 3 }),
    // Several on one instant: then the row tells which is the last.
    order: fc.integer({ min: 0, max: 3 }),
  })

/** A year and more of events, the day they were kept on, days that passed, and events that came meanwhile, some late. */
const histories = fc
  .record({
    events: fc.array(eventOf(0, lastDay), { minLength: 150, maxLength: 250 }),
    before: fc.integer({ min: 200, max: lastDay - 15 }),
    passed: fc.integer({ min: 0, max: 12 }),
    late: fc.array(eventOf(0, lastDay), { maxLength: 20 }),
  })
  .map(({ before, passed, ...own }) => ({ ...own, before, date: before + passed }))

let database: Database
beforeAll(async () => {
  database = await Database.open({ spillFolder: join(tmpdir(), 'kept-events-test'), timezone: 'UTC' })
})
afterAll(() => database.close())

async function store(table: string, events: readonly Event[], firstRow: number): Promise<string> {
  const rows = events.map(({ customer, day, type, cents, topic, order }, at) => {
    const date = addDays(firstDay, day)
    const value = cents === null ? 'null' : `${cents / 100}`
    return `('c${customer}', timestamptz '${date} 10:00:0${order}+00', date '${date}', '${type}', ${value}, ${firstRow + at}, ${value}, ${topic === null ? 'null' : `'${topic}'`})`
  })
  await database.run(
    `create or replace table ${table} (customer_id varchar, "at" timestamptz, day date, type varchar, value double, row_id ubigint, prop_minutes double, prop_topic varchar)`,
  )
  if (rows.length > 0) await database.run(`insert into ${table} values ${rows.join(', ')}`)
  return table
}

async function rowsOf({ customers, kinds }: KeptEvents): Promise<unknown> {
  const read = async (relation: string, keys: string) => {
    const columns = (await database.rows<{ column_name: string }>(`describe select * from ${relation}`))
      .map(({ column_name }) => column_name)
      .sort()
    const texts = columns.map((name) => `${name}::varchar as ${name}`)
    return database.rows(`select ${texts.join(', ')} from ${relation} order by ${keys}`)
  }
  const found = [await read(customers, 'customer_id')]
  for (const relation of Object.values(kinds)) found.push(await read(relation, 'customer_id, kind'))
  return found
}

const dayOf = (place: number): Day => addDays(firstDay, place)

describe('what is kept of events', () => {
  it('is the same, carried on from an earlier day with events that came since, as worked out anew', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async ({ events, before, date, late }) => {
        const earlier = await store('earlier', events, 0)
        const fresh = late.length === 0 ? null : await store('fresh', late, events.length)
        const all = await store('everything', [...events, ...late], 0)
        const kept = await keepEvents(database, keeping, {
          events: earlier,
          date: dayOf(before),
          prefix: 'kept',
        })
        const days = await changedDays(database, keeping, {
          before: dayOf(before),
          date: dayOf(date),
          fresh,
        })
        expect(days).not.toBeNull()
        const carried = await carryOn(database, keeping, {
          kept,
          news: { date: dayOf(date), earlier, fresh },
          days: days ?? [],
        })
        const found = await rowsOf(carried)
        const anew = { events: all, date: dayOf(date), prefix: 'anew' }
        expect(found).toEqual(await rowsOf(await keepEvents(database, keeping, anew)))
        // Days beyond those that are told apart by bits.
        expect(found).toEqual(await rowsOf(await keepEvents(database, keeping, { ...anew, mostWords: 2 })))
      }),
      { numRuns: 40 },
    )
  }, 120_000)

  it('is worked out anew for a day before, or one much later', async () => {
    const ask = (before: string, date: string) =>
      changedDays(database, keeping, { before, date, fresh: null })
    expect(await ask('2024-06-02', '2024-06-01')).toBeNull()
    expect(await ask('2024-06-01', '2024-06-30')).toBeNull()
    expect(await ask('2024-06-01', '2024-06-01')).toEqual([])
  })

  it('needs few days of events for the next one: the new one and those that leave a window', async () => {
    const days = await changedDays(database, keeping, {
      before: '2024-12-30',
      date: '2024-12-31',
      fresh: null,
    })
    expect(days).toEqual([200, 365, 90, 60, 30, 7, 0].map((back) => addDays('2024-12-31', -back)).sort())
  })
})
