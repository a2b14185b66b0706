import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addDays, daysBetween } from '../../src/domain/days.ts'
import type { Catalogue } from '../../src/features/catalogue.ts'
import type { FileRow } from '../programs.ts'
import {
  catalogueOf,
  type FeatureTable,
  featuresAt,
  frameOf,
  makeWorld,
  openWorld,
  spineOf,
} from './world.ts'

const firstDay = '2024-01-01'
const yaml = `
timezone: Europe/London
sources:
  events: [{ file: shop.csv }, { file: app.csv }]
  customers: { file: customers.csv }
  responses: { file: responses.csv }
outcomes: { silence: { absence_of: [buy] } }
`

interface Event {
  readonly customer: string
  readonly day: number
  readonly order: number
  readonly type: string
  readonly cents: number | null
  readonly minutes: number | null
}

const ids = Array.from({ length: 12 }, (_, index) => `c${index}`)
const eventsOf = (types: readonly string[], from: number) =>
  fc.array(
    fc.record({
      customer: fc.constantFrom(...ids),
      day: fc.integer({ min: from, max: 499 }),
      type: fc.constantFrom(...types),
      cents: fc.option(fc.integer({ min: -99_999, max: 999_999 }), { freq: 3 }),
      minutes: fc.option(fc.integer({ min: 0, max: 100_000 }), { freq: 3 }),
    }),
    { minLength: 250, maxLength: 300 },
  )

/** Instants differ within a day by the event's place, so that the last one is certain. */
const rowsOf = (events: readonly Event[]): FileRow[] =>
  events.map(({ customer, day, order, type, cents, minutes }) => ({
    customer_id: customer,
    at: `${addDays(firstDay, day)} 10:${String(Math.floor(order / 60)).padStart(2, '0')}:${String(order % 60).padStart(2, '0')}`,
    type,
    value: cents === null ? null : cents / 100,
    minutes: minutes === null ? null : minutes / 1000,
  }))

const histories = fc.tuple(eventsOf(['buy', 'look'], 0), eventsOf(['login'], 200)).map(([shop, app]) => {
  // The sources' first days are fixed: windows are judged against them.
  const first = { customer: 'c0', cents: null, minutes: null, order: 0 }
  return {
    shop: [{ ...first, day: 0, type: 'buy' }, ...shop.map((event, i) => ({ ...event, order: i + 1 }))],
    app: [{ ...first, day: 200, type: 'login' }, ...app.map((event, i) => ({ ...event, order: i + 1 }))],
  }
})

function filesOf({ shop, app }: { shop: readonly Event[]; app: readonly Event[] }) {
  return {
    'shop.csv': rowsOf(shop),
    'app.csv': rowsOf(app),
    'customers.csv': ids.map((id, index) => ({
      customer_id: id,
      joined_at: addDays(firstDay, index < 6 ? 0 : 30 * index),
    })),
    'responses.csv': [
      { customer_id: 'c1', at: '2024-02-01', metric: 'nps', score: 4 },
      { customer_id: 'c1', at: '2024-03-01', metric: 'nps', score: 7 },
      { customer_id: 'c1', at: '2024-08-01', metric: 'nps', score: 9 },
      { customer_id: 'c2', at: '2024-02-01', metric: 'csat', score: 4 },
    ],
  }
}

const begins: Record<string, number> = { buy: 0, look: 0, login: 200 }

/** Features of one type, from the definitions. */
function recomputed(
  all: readonly Event[],
  type: string,
  { customer, day }: { customer: string; day: number },
) {
  const seen = all.filter((event) => event.customer === customer && event.type === type && event.day <= day)
  const ages = seen.map((event) => day - event.day)
  const within = (days: number) => seen.filter((event) => day - event.day < days)
  const covered = (days: number, value: number | null) => (day - days + 1 >= begins[type] ? value : null)
  const cents = (events: readonly Event[]) => events.reduce((sum, event) => sum + (event.cents ?? 0), 0)
  const valued = seen.filter((event) => event.cents !== null)
  const last = (events: readonly Event[]) =>
    events.toSorted((a, b) => a.day - b.day || a.order - b.order).at(-1) ?? null
  const mean = (events: readonly Event[]) => {
    const minutes = events.flatMap((event) => event.minutes ?? [])
    return minutes.length === 0
      ? null
      : minutes.reduce((sum, value) => sum + value, 0) / 1000 / minutes.length
  }
  const activeDays = new Set(ages).size
  const gap = activeDays < 2 ? null : (Math.max(...ages) - Math.min(...ages)) / (activeDays - 1)
  const recency = ages.length === 0 ? null : Math.min(...ages)
  const [n30, n60, n90] = [30, 60, 90].map((days) => within(days).length)
  const features: Record<string, number | null> = {
    count_all: seen.length,
    days_since: recency,
    days_since_first: ages.length === 0 ? null : Math.max(...ages),
    gap,
    overdue: gap === null || recency === null ? null : recency / gap,
    trend: covered(60, Math.log((n30 + 0.5) / (n60 - n30 + 0.5))),
    trend_90: covered(90, Math.log((n30 + 0.5) / (n90 / 3 + 0.5))),
    value_mean: valued.length === 0 ? null : cents(valued) / 100 / valued.length,
    value_last: (last(valued)?.cents ?? null) === null ? null : (last(valued)?.cents as number) / 100,
  }
  for (const days of [7, 30, 90, 365]) {
    features[`count_${days}`] = covered(days, within(days).length)
    features[`value_${days}`] = covered(days, cents(within(days)) / 100)
  }
  const minutes = last(seen.filter((event) => event.minutes !== null))?.minutes ?? null
  return {
    own: features,
    property: {
      last: minutes === null ? null : minutes / 1000,
      mean: mean(seen),
      mean_90: covered(90, mean(within(90))),
    },
  }
}

const cutoffDays = [3, 40, 199, 215, 250, 300, 420, 499]
const cutoffs = cutoffDays.map((day) => addDays(firstDay, day))

function checkAgainstDefinitions(table: FeatureTable, all: readonly Event[]): number {
  let checked = 0
  for (const [key, features] of Object.entries(table)) {
    const [customer, cutoff] = key.split('@')
    const day = daysBetween(firstDay, cutoff)
    for (const type of Object.keys(begins)) {
      const { own, property } = recomputed(all, type, { customer, day })
      for (const [name, value] of [
        ...Object.entries(own).map(([name, value]) => [`${type}_${name}`, value] as const),
        ...Object.entries(property).map(([name, value]) => [`${type}.minutes_${name}`, value] as const),
      ]) {
        const found = features[name]
        if (value === null) expect(found, `${name} of ${key}`).toBeNull()
        else expect(found, `${name} of ${key}`).toBeCloseTo(value, 9)
        checked++
      }
    }
  }
  return checked
}

describe('features of behaviour', () => {
  it('are what their definitions say, over random histories', async () => {
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const world = await makeWorld({ files: filesOf(history), yaml })
        const catalogue = await catalogueOf(world, addDays(firstDay, 499))
        const table = await featuresAt(world, cutoffs, { catalogue })
        const rows = Object.keys(table).length
        expect(checkAgainstDefinitions(table, [...history.shop, ...history.app])).toBe(rows * 3 * 20)
      }),
      { numRuns: 3 },
    )
  })

  it('are the same bytes for one cutoff or several, all buckets or each, one thread or two', async () => {
    const [history] = fc.sample(histories, { numRuns: 1, seed: 5 })
    const world = await makeWorld({ files: filesOf(history), yaml })
    const catalogue: Catalogue = await catalogueOf(world, addDays(firstDay, 499))
    const together = await featuresAt(world, cutoffs, { catalogue })
    for (const cutoff of cutoffs) {
      const single = await featuresAt(world, [cutoff], { catalogue })
      const same = Object.entries(together).filter(([key]) => key.endsWith(cutoff))
      expect(single).toEqual(Object.fromEntries(same))
    }
    const apart: FeatureTable = {}
    for (let bucket = 0; bucket < world.lake.state.buckets; bucket++)
      Object.assign(apart, await featuresAt(world, cutoffs, { catalogue, buckets: [bucket] }))
    expect(apart).toEqual(together)
    const oneThread = await openWorld(world, { threads: 1 })
    await spineOf(oneThread, cutoffs)
    await spineOf(world, cutoffs)
    const [one, two] = [await frameOf(oneThread, { catalogue }), await frameOf(world, { catalogue })]
    for (const [index, column] of two.columns.entries()) {
      if (!(column instanceof Float64Array)) expect(one.columns[index]).toEqual(column)
      else
        expect(Buffer.from((one.columns[index] as Float64Array).buffer)).toEqual(Buffer.from(column.buffer))
    }
  })

  it('sums of money are exact', async () => {
    const cents = [0.1, 0.2, 0.3, 1e11, -1e11, 0.7]
    const files = filesOf({ shop: [], app: [] })
    files['shop.csv'] = cents.map((value) => ({ customer_id: 'c0', at: '2024-01-02', type: 'buy', value }))
    files['app.csv'] = [{ customer_id: 'c0', at: '2024-01-01', type: 'login' }]
    const world = await makeWorld({ files, yaml })
    const day = '2024-01-08'
    const table = await featuresAt(world, [day], { catalogue: await catalogueOf(world, day) })
    expect(table[`c0@${day}`].buy_value_7).toBe(1.3)
  })

  it('of a window are missing where it reaches back before the data, 0 for those who joined later', async () => {
    const [history] = fc.sample(histories, { numRuns: 1, seed: 6 })
    const quiet = { ...history, app: history.app.filter(({ customer }) => customer !== 'c11') }
    const world = await makeWorld({ files: filesOf(quiet), yaml })
    const catalogue = await catalogueOf(world, addDays(firstDay, 499))
    const at = async (day: number) => await featuresAt(world, [addDays(firstDay, day)], { catalogue })
    expect((await at(5))[`c0@${addDays(firstDay, 5)}`]).toMatchObject({
      buy_count_7: null,
      activity_trend: null,
    })
    const later = (await at(229))[`c0@${addDays(firstDay, 229)}`]
    expect(later.login_count_30).not.toBeNull()
    expect(later.login_count_90).toBeNull()
    expect(later.buy_count_90).not.toBeNull()
    const joined = (await at(340))[`c11@${addDays(firstDay, 340)}`]
    expect(joined).toMatchObject({ tenure_days: 10, login_count_90: 0, login_value_90: 0, login_trend: 0 })
    const answered = (await at(31))[`c1@${addDays(firstDay, 31)}`]
    expect(answered).toMatchObject({ nps_last: 4, nps_mean: 4, nps_mean_90: null, csat_count: 0 })
  })

  it('of answers are the last, the means, the lowest, the change and the recency', async () => {
    const [history] = fc.sample(histories, { numRuns: 1, seed: 7 })
    const world = await makeWorld({ files: filesOf(history), yaml })
    const table = await featuresAt(world, ['2024-08-10'], {
      catalogue: await catalogueOf(world, '2024-12-31'),
    })
    expect(table['c1@2024-08-10']).toMatchObject({
      nps_last: 9,
      nps_mean: 20 / 3,
      nps_mean_90: 9,
      nps_lowest: 4,
      nps_trend: 3.5,
      nps_count: 3,
      nps_days_since: 9,
      csat_last: null,
      csat_count: 0,
    })
  })
})
