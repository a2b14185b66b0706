import { describe, expect, it } from 'vitest'
import type { FileRow } from '../programs.ts'
import { makeWorld, spineOf, type World } from './world.ts'

const yaml = `
sources: { events: { file: events.csv }, customers: { file: customers.csv } }
outcomes: { churn: { event: [leave, die] }, upsell: { event: upgrade, desired: true } }
`
const world = (events: readonly FileRow[], customers: readonly FileRow[], more = '') =>
  makeWorld({ files: { 'events.csv': events, 'customers.csv': customers }, yaml: yaml + more })

/** Days of 2024 on which a customer is at risk. */
async function atRisk(made: World, customer: string, days: readonly string[]): Promise<string[]> {
  const keys = await spineOf(
    made,
    days.map((day) => `2024-${day}`),
  )
  return keys.filter((key) => key.startsWith(`${customer}@`)).map((key) => key.slice(-5))
}

describe('at risk', () => {
  it('are customers from the day of joined_at, whatever they did before', async () => {
    const made = await world(
      [
        { customer_id: 'a', at: '2024-01-01', type: 'look' },
        { customer_id: 'b', at: '2024-02-01 13:00', type: 'look' },
      ],
      [{ customer_id: 'a', joined_at: '2024-03-01 09:00' }, { customer_id: 'b' }],
    )
    expect(await atRisk(made, 'a', ['02-29', '03-01', '03-02'])).toEqual(['03-01', '03-02'])
    expect(await atRisk(made, 'b', ['01-31', '02-01'])).toEqual(['02-01'])
  })

  it('are no longer those with a terminal outcome, unless a later joining brings them back', async () => {
    const made = await world(
      [
        { customer_id: 'a', at: '2024-02-01 10:00', type: 'leave' },
        { customer_id: 'a', at: '2024-02-10', type: 'look' },
        { customer_id: 'a', at: '2024-03-01 08:00', type: 'die' },
        { customer_id: 'b', at: '2024-01-01', type: 'upgrade' },
      ],
      [
        { customer_id: 'a', joined_at: '2024-01-01', valid_from: '2024-01-01' },
        { customer_id: 'a', joined_at: '2024-02-20', valid_from: '2024-02-20' },
        { customer_id: 'a', joined_at: '2024-03-01 12:00', valid_from: '2024-03-01 12:00' },
        { customer_id: 'b', joined_at: '2024-01-01', valid_from: '2024-01-01' },
      ],
    )
    const days = ['01-31', '02-01', '02-15', '02-20', '02-29', '03-01', '03-02']
    expect(await atRisk(made, 'a', days)).toEqual(['01-31', '02-20', '02-29', '03-01', '03-02'])
    expect(await atRisk(made, 'b', days)).toEqual(days)
  })

  it('are not those whose first row is a terminal outcome', async () => {
    const made = await world([{ customer_id: 'a', at: '2024-02-01', type: 'leave' }], [{ customer_id: 'b' }])
    expect(await atRisk(made, 'a', ['01-31', '02-01', '02-02'])).toEqual([])
  })

  it('are observed up to and including observed_until, each joining by its own', async () => {
    const made = await world(
      [{ customer_id: 'a', at: '2024-01-01', type: 'look' }],
      [
        { customer_id: 'a', joined_at: '2024-01-01', valid_from: '2024-01-01', observed_until: '2024-03-01' },
        { customer_id: 'b', joined_at: '2024-01-01', valid_from: '2024-01-01', observed_until: '2024-02-01' },
        { customer_id: 'b', joined_at: '2024-04-01', valid_from: '2024-04-01', observed_until: '' },
        { customer_id: 'c', joined_at: '2024-01-01', valid_from: '2024-01-01', observed_until: '2024-02-01' },
        { customer_id: 'c', joined_at: '2024-01-01', valid_from: '2024-01-20', observed_until: '2024-04-30' },
      ],
    )
    const days = ['02-01', '02-02', '03-01', '03-02', '04-01', '05-01']
    expect(await atRisk(made, 'a', days)).toEqual(['02-01', '02-02', '03-01'])
    expect(await atRisk(made, 'b', days)).toEqual(['02-01', '04-01', '05-01'])
    expect(await atRisk(made, 'c', days)).toEqual(['02-01', '02-02', '03-01', '03-02', '04-01'])
  })

  it('were active within so many days where the program asks for it', async () => {
    const made = await world(
      [{ customer_id: 'a', at: '2024-01-10', type: 'look' }],
      [
        { customer_id: 'a', joined_at: '2024-01-01' },
        { customer_id: 'b', joined_at: '2024-01-01' },
      ],
      'at_risk: { active_within_days: 7 }\n',
    )
    expect(await atRisk(made, 'a', ['01-09', '01-10', '01-16', '01-17'])).toEqual(['01-10', '01-16'])
    expect(await atRisk(made, 'b', ['01-16'])).toEqual([])
  })

  it('are customers known only by rows without a time, always and for an unknown time', async () => {
    const made = await world(
      [{ customer_id: 'a', at: '2024-01-10', type: 'leave' }],
      [
        { customer_id: 'a', plan: 'gold' },
        { customer_id: 'b', plan: 'gold' },
      ],
    )
    expect(await atRisk(made, 'a', ['01-01', '01-09', '01-10'])).toEqual(['01-01', '01-09'])
    expect(await atRisk(made, 'b', ['01-01', '01-09', '01-10'])).toEqual(['01-01', '01-09', '01-10'])
  })

  it('stand exactly once each, bucket by bucket as all together', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `c${index}`)
    const made = await world(
      ids.flatMap((id, index) => [
        { customer_id: id, at: `2024-01-${10 + (index % 15)}`, type: index % 4 === 0 ? 'leave' : 'look' },
        { customer_id: id, at: `2024-02-${10 + (index % 15)}`, type: index % 5 === 0 ? 'leave' : 'look' },
      ]),
      ids.slice(10).flatMap((id, index) => [
        {
          customer_id: id,
          joined_at: index % 2 ? '2024-01-05' : '',
          valid_from: '',
          observed_until: index % 3 ? '' : '2024-02-20',
        },
        {
          customer_id: id,
          joined_at: index % 2 ? '2024-02-15' : '',
          valid_from: '2024-02-15',
          observed_until: '',
        },
      ]),
    )
    const days = ['2024-01-12', '2024-02-16', '2024-03-01']
    const all = await spineOf(made, days)
    expect(new Set(all).size).toBe(all.length)
    expect(all.length).toBeGreaterThan(40)
    const apart: string[] = []
    for (let bucket = 0; bucket < made.lake.state.buckets; bucket++)
      apart.push(...(await spineOf(made, days, [bucket])))
    expect(apart.sort()).toEqual(all.sort())
  })
})
