import { describe, expect, it } from 'vitest'
import { listFeatures } from '../../src/features/features.ts'
import type { FileRow } from '../programs.ts'
import { catalogueOf, featuresAt, makeWorld } from './world.ts'

const day = '2024-06-30'
const yaml = `
sources: { events: { file: events.csv }, customers: { file: customers.csv } }
outcomes: { churn: { event: leave } }
`

/** Events of each type, one a customer, on two days; the first types have the most customers. */
const eventsOf = (types: readonly string[]): FileRow[] =>
  types.flatMap((type, rank) =>
    Array.from({ length: types.length - rank }, (_, number) => ({
      customer_id: `c${number}`,
      at: number % 2 === 0 ? '2024-06-01' : '2024-06-20',
      type,
    })),
  )

describe('names of features', () => {
  it('are unique and the same each time, however attributes, types and properties are called', async () => {
    const odd = [
      'it\'s "odd"; drop table x',
      'two words',
      'ünïcode ✓',
      'a.b',
      'a',
      'activity',
      'nps',
      'constructor',
      'other_events',
      "'",
      '"',
    ]
    const events = eventsOf(['purchase', ...odd]).flatMap((row, index) =>
      Array.from({ length: 10 }, (_, hour) => hour).map((hour) => ({
        ...row,
        at: `${row.at} 0${hour}:00`,
        value: index,
        c: index % 7,
        'b.c': hour,
        'x "y"': hour === 0 ? 'shop' : 'web',
      })),
    )
    const world = await makeWorld({
      files: {
        'events.csv': events,
        'customers.csv': [
          {
            customer_id: 'c0',
            purchase_count_7: 5,
            tenure_days: 1,
            'a.b_count_7 #2': 3,
            purchase: 'x',
            activity_gap: 2,
            "o'clock": 'now',
          },
        ],
      },
      yaml,
    })
    const catalogue = await catalogueOf(world, day)
    const features = listFeatures(catalogue, world.program)
    const names = features.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names).toEqual(listFeatures(await catalogueOf(world, day), world.program).map(({ name }) => name))
    for (const name of ['purchase_count_7', 'purchase_count_7 #2', 'tenure_days #2', "o'clock", 'purchase'])
      expect(names).toContain(name)
    const table = await featuresAt(world, [day], { catalogue })
    const found = table[`c0@${day}`]
    expect(Object.keys(found)).toEqual(names)
    expect(found.purchase_count_7).toBe(0)
    expect(found).toMatchObject({
      'purchase_count_7 #2': 5,
      'tenure_days #2': 1,
      "o'clock": 'now',
      purchase: 'x',
    })
    for (const type of [...odd, 'purchase']) expect(found[`${type}_count_all`], type).toBe(10)
    expect(found['purchase.x "y"_last']).toBe('web')
    expect(found['a.b.c_last #2']).toBe(9)
  })
})

describe('types', () => {
  const types = Array.from({ length: 30 }, (_, index) => `type_${String(index).padStart(2, '0')}`)

  it('beyond the most frequent are pooled; those the program file names are not', async () => {
    const world = await makeWorld({
      files: {
        'events.csv': [...eventsOf(types), { customer_id: 'c0', at: '2024-06-25', type: 'leave' }],
        'customers.csv': [{ customer_id: 'z' }],
      },
      yaml: yaml.replace('event: leave', 'absence_of: leave'),
    })
    const catalogue = await catalogueOf(world, day)
    expect(catalogue.eventTypes).toEqual([...types.slice(0, 24), 'leave'])
    expect(catalogue.hasOtherTypes).toBe(true)
    const table = await featuresAt(world, [day], { catalogue })
    expect(table[`c0@${day}`]).toMatchObject({
      other_events_count_all: 6,
      leave_count_all: 1,
      activity_days_30: 2,
    })
    expect(table[`c5@${day}`]).toMatchObject({ other_events_count_all: 1, other_events_days_since: 10 })
    expect(table[`c6@${day}`]).toMatchObject({ other_events_count_all: 0, other_events_days_since: null })
  })

  it('that are excluded count nowhere: not in the pool, not as activity', async () => {
    const world = await makeWorld({
      files: {
        'events.csv': eventsOf(types),
        'customers.csv': [{ customer_id: 'z', plan: 'gold', tenure_days: 1 }],
      },
      yaml,
    })
    const without = await catalogueOf(world, day, [...types.slice(1), 'plan', 'tenure'])
    const table = await featuresAt(world, [day], { catalogue: without })
    expect(table[`c0@${day}`]).toMatchObject({ type_00_count_all: 1, activity_days_since: 29 })
    expect(table[`c1@${day}`].activity_days_since).toBe(10)
    expect(Object.keys(table[`c0@${day}`])).not.toContain('plan')
    expect(table[`z@${day}`].tenure_days).toBe(1)
    const nothing = await catalogueOf(world, day, [...types, 'activity', 'tenure', 'plan', 'tenure_days'])
    expect(Object.keys(await featuresAt(world, [day], { catalogue: nothing }))).toHaveLength(31)
    expect(listFeatures(nothing, world.program)).toEqual([])
  })

  it('may be none, as may events', async () => {
    const world = await makeWorld({
      files: { 'responses.csv': [{ customer_id: 'a', at: '2024-06-01', metric: 'nps', score: 3 }] },
      yaml: 'sources: { responses: { file: responses.csv } }',
    })
    const table = await featuresAt(world, [day], { catalogue: await catalogueOf(world, day) })
    expect(table[`a@${day}`]).toMatchObject({ tenure_days: 29, nps_last: 3 })
  })
})

describe('initiatives', () => {
  it('give the latest arm and how long ago it was', async () => {
    const rows = [
      { customer_id: 'a', at: '2024-06-01', initiative: "o'call", arm: 'control' },
      { customer_id: 'a', at: '2024-06-20', initiative: "o'call", arm: 'treated' },
      { customer_id: 'b', at: '2024-06-10', initiative: 'gift', arm: 'treated' },
    ]
    const world = await makeWorld({
      files: { 'events.csv': eventsOf(['leave']), 'interventions.csv': rows },
      yaml: `${yaml.replace('customers: { file: customers.csv }', 'interventions: { file: interventions.csv }')}`,
    })
    const catalogue = await catalogueOf(world, day)
    const table = await featuresAt(world, ['2024-06-19', day], { catalogue })
    expect(table['a@2024-06-19']).toMatchObject({ "initiative_o'call": 'control', initiative_gift: null })
    expect(table[`a@${day}`]).toMatchObject({
      "initiative_o'call": 'treated',
      "initiative_o'call_days_since": 10,
    })
    expect(table[`b@${day}`]).toMatchObject({ initiative_gift: 'treated', initiative_gift_days_since: 20 })
  })
})
