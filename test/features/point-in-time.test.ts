import fc from 'fast-check'
import { Temporal } from 'temporal-polyfill'
import { describe, expect, it } from 'vitest'
import { addDays } from '../../src/domain/days.ts'
import { ingestMade } from '../lakes.ts'
import { type FileRow, makeProgram } from '../programs.ts'
import { catalogueOf, featuresAt, makeWorld, openWorld } from './world.ts'

const yaml = (timezone: string) => `
timezone: ${timezone}
sources:
  events: { file: events.csv }
  customers: { file: customers.csv }
  responses: { file: responses.csv }
  interventions: { file: interventions.csv }
outcomes:
  churn: { event: [leave] }
  silence: { absence_of: [buy] }
`

/** The instant of a local wall-clock time, hours after the start of a day. */
const instantOf = (day: string, seconds: number, timezone: string) =>
  Temporal.PlainDate.from(day).toZonedDateTime(timezone).add({ seconds }).toInstant().toString()

/** Seconds from the start of a local day to the next one's: not always 86,400. */
const secondsOf = (day: string, timezone: string) =>
  Temporal.PlainDate.from(day).toZonedDateTime(timezone).hoursInDay * 3600

interface Happening {
  readonly table: 'events' | 'customers' | 'responses' | 'interventions'
  readonly daysAfter: number
  readonly part: number
  readonly row: FileRow
}

const customer = fc.constantFrom('a', 'b', 'c', 'd')
const amount = fc.integer({ min: -500, max: 5000 }).map((cents) => cents / 100)
const happening = (from: number, to: number): fc.Arbitrary<Happening> =>
  fc
    .record({
      daysAfter: fc.integer({ min: from, max: to }),
      part: fc.constantFrom(0, 0.3, 0.999999),
      body: fc.oneof(
        {
          weight: 4,
          arbitrary: fc.record({
            table: fc.constant('events' as const),
            row: fc.record({
              customer_id: customer,
              type: fc.constantFrom('buy', 'look', 'leave'),
              value: amount,
              channel: fc.constantFrom('web', 'shop'),
            }),
          }),
        },
        fc.record({
          table: fc.constant('customers' as const),
          row: fc.record({
            customer_id: customer,
            plan: fc.constantFrom('gold', 'free'),
            score: amount,
            renewal: fc.constantFrom('2025-01-01', '2025-06-01'),
          }),
        }),
        fc.record({
          table: fc.constant('responses' as const),
          row: fc.record({
            customer_id: customer,
            metric: fc.constantFrom('nps', 'csat'),
            score: fc.integer({ min: 1, max: 5 }),
          }),
        }),
        fc.record({
          table: fc.constant('interventions' as const),
          row: fc.record({
            customer_id: customer,
            initiative: fc.constantFrom('call', 'gift'),
            arm: fc.constantFrom('treated', 'control'),
          }),
        }),
      ),
    })
    .map(({ body, ...rest }) => ({ ...body, ...rest }))

/** Rows of each file; every customer joined long ago, so that the files are never empty. */
function filesOf(happenings: readonly Happening[], cutoff: string, timezone: string) {
  const tables: Record<Happening['table'], FileRow[]> = {
    events: [{ customer_id: 'a', at: '2024-01-01', type: 'look', channel: 'web', value: 1 }],
    customers: ['a', 'b', 'c', 'd'].map((id) => ({
      customer_id: id,
      valid_from: '2024-01-01',
      joined_at: '2024-01-01',
      plan: 'free',
      score: 1,
      renewal: '2025-01-01',
    })),
    responses: [{ customer_id: 'a', at: '2024-01-01', metric: 'nps', score: 7 }],
    interventions: [{ customer_id: 'd', at: '2024-01-01', initiative: 'call', arm: 'control' }],
  }
  for (const { table, daysAfter, part, row } of happenings) {
    const day = addDays(cutoff, daysAfter)
    const at = instantOf(day, Math.floor(part * secondsOf(day, timezone)), timezone)
    tables[table].push({ ...row, [table === 'customers' ? 'valid_from' : 'at']: at })
  }
  return Object.fromEntries(Object.entries(tables).map(([name, rows]) => [`${name}.csv`, rows]))
}

describe('features know nothing of what comes after the cutoff', () => {
  it.each([
    ['Europe/Berlin', '2025-03-30'],
    ['America/Los_Angeles', '2025-11-02'],
    ['America/Santiago', '2025-09-06'],
    ['UTC', '2025-06-15'],
  ])('rows added after it never change one (%s, %s)', async (timezone, cutoff) => {
    const histories = fc.tuple(
      fc.array(happening(-400, 0), { minLength: 5, maxLength: 40 }),
      fc.array(happening(1, 120), { minLength: 1, maxLength: 30 }),
    )
    await fc.assert(
      fc.asyncProperty(histories, async ([before, after]) => {
        // A leaver is at risk in neither world; the leaving of others must lie after the cutoff.
        const past = before.filter(({ row }) => row.type !== 'leave')
        const less = await makeWorld({ files: filesOf(past, cutoff, timezone), yaml: yaml(timezone) })
        const more = await makeWorld({
          files: filesOf([...past, ...after], cutoff, timezone),
          yaml: yaml(timezone),
        })
        const catalogue = await catalogueOf(less, cutoff)
        expect(await catalogueOf(more, cutoff)).toEqual(catalogue)
        const expected = await featuresAt(less, [cutoff], { catalogue })
        expect(Object.keys(expected)).toHaveLength(4)
        expect(await featuresAt(more, [cutoff], { catalogue })).toEqual(expected)
      }),
      { numRuns: 2 },
    )
  })

  it.each([
    ['Europe/Berlin', '2025-03-30'],
    ['Europe/Berlin', '2025-10-26'],
    ['America/Santiago', '2025-09-07'],
    ['Asia/Kolkata', '2025-01-31'],
  ])(
    'the last second of a day is seen as of it, the next midnight is not (%s, %s)',
    async (timezone, day) => {
      const seconds = secondsOf(day, timezone)
      const files = filesOf([], '2024-01-01', timezone)
      files['events.csv'] = [
        { customer_id: 'a', at: instantOf(day, seconds - 1, timezone), type: 'buy' },
        { customer_id: 'b', at: instantOf(day, seconds, timezone), type: 'buy' },
      ]
      const world = await makeWorld({ files, yaml: yaml(timezone) })
      const table = await featuresAt(world, [day, addDays(day, 1)], {
        catalogue: await catalogueOf(world, addDays(day, 1)),
      })
      expect(table[`a@${day}`]).toMatchObject({ buy_count_all: 1, buy_days_since: 0 })
      expect(table[`b@${day}`]).toMatchObject({ buy_count_all: 0, buy_days_since: null })
      expect(table[`b@${addDays(day, 1)}`]).toMatchObject({ buy_count_all: 1, buy_days_since: 0 })
    },
  )
})

describe('attributes', () => {
  const sources = 'sources: { events: { file: events.csv }, customers: { file: customers.csv } }'
  const outcome = 'outcomes: { churn: { event: leave } }'
  const events = [{ customer_id: 'a', at: '2024-01-01', type: 'look' }]

  it('are those valid at the cutoff; a date after it and observed_until are missing', async () => {
    const row = { customer_id: 'a', joined_at: '2024-01-01', observed_until: '2025-12-31' }
    const world = await makeWorld({
      files: {
        'events.csv': events,
        'customers.csv': [
          { ...row, valid_from: '2024-01-01', plan: 'free', renewal: '2024-06-01' },
          { ...row, valid_from: '2024-03-01', plan: 'gold', renewal: '2024-06-01' },
          { ...row, valid_from: '2024-05-01', plan: '', renewal: '2024-06-01' },
        ],
      },
      yaml: `${sources}\n${outcome}`,
    })
    const catalogue = await catalogueOf(world, '2024-12-31')
    const days = ['2024-02-29', '2024-03-01', '2024-05-02', '2024-06-01']
    const table = await featuresAt(world, days, { catalogue })
    const seen = days.map((day) => [table[`a@${day}`].plan, table[`a@${day}`].renewal])
    expect(seen).toEqual([
      ['free', null],
      ['gold', null],
      [null, null],
      [null, 0],
    ])
    expect(Object.keys(table['a@2024-03-01']).filter((name) => name.includes('observed'))).toEqual([])
  })

  it('a changed undated row of a later ingest is not seen before that ingest', async () => {
    const made = await makeProgram({
      files: { 'events.csv': events, 'customers.csv': [{ customer_id: 'a', plan: 'free' }] },
      yaml: `${sources}\n${outcome}`,
    })
    await ingestMade(made, { now: '2024-06-01T10:00:00Z' })
    await made.write('customers.csv', [{ customer_id: 'a', plan: 'gold' }])
    await ingestMade(made, { now: '2024-07-01T10:00:00Z' })
    const world = await openWorld(made)
    const days = ['2024-02-01', '2024-06-30', '2024-07-01']
    const table = await featuresAt(world, days, { catalogue: await catalogueOf(world, '2024-12-31') })
    expect(days.map((day) => table[`a@${day}`].plan)).toEqual(['free', 'free', 'gold'])
  })

  it('an undated row with a later joining is not seen before that joining, whichever reading brought it', async () => {
    const made = await makeProgram({
      files: {
        'events.csv': events,
        'customers.csv': [{ customer_id: 'a', joined_at: '2024-01-01', plan: 'free' }],
      },
      yaml: `${sources}\n${outcome}`,
    })
    await ingestMade(made, { now: '2024-06-01T10:00:00Z' })
    await made.write('customers.csv', [{ customer_id: 'a', joined_at: '2024-05-01', plan: 'gold' }])
    await ingestMade(made, { now: '2024-07-01T10:00:00Z' })
    const world = await openWorld(made)
    const table = await featuresAt(world, ['2024-02-01', '2024-08-01'], {
      catalogue: await catalogueOf(world, '2024-12-31'),
    })
    expect(table['a@2024-02-01'].plan).toBe('free')
    expect(table['a@2024-08-01'].plan).toBe('gold')
  })
})
