import { describe, expect, it } from 'vitest'
import { addDays } from '../../src/domain/days.ts'
import { lakeRelations } from '../../src/features/relations.ts'
import { findAfterthoughts, findTellingObservation } from '../../training/leaks-in-history.ts'
import { makeWorld } from '../features/world.ts'
import type { FileRow } from '../programs.ts'

const yaml = `
sources: { events: { file: events.csv }, customers: { file: customers.csv } }
outcomes: { churn: { event: leave }, upsell: { event: upgrade } }
`
const ids = Array.from({ length: 60 }, (_, index) => `c${index}`)
const leavers = ids.slice(0, 25)
const dayOf = (index: number) => addDays('2024-03-01', index)

async function historyLeaks(customers: readonly FileRow[], events: readonly FileRow[] = []) {
  const leaving = leavers.map((id, index) => ({ customer_id: id, at: dayOf(index), type: 'leave' }))
  const { program, lake, database } = await makeWorld({
    files: {
      'events.csv': [...leaving, { customer_id: 'c0', at: '2024-01-01', type: 'upgrade' }, ...events],
      'customers.csv': customers,
    },
    yaml,
  })
  const relations = lakeRelations(lake)
  const attributes = Object.keys(customers[0]).filter(
    (name) => !/customer_id|valid_from|joined_at|observed/.test(name),
  )
  const found = [
    ...(await findAfterthoughts(database, { program, relations, attributes })),
    ...(await findTellingObservation(database, { program, relations })),
  ]
  return found.map(({ origin, outcome }) => `${origin} ${outcome}`)
}
const first = (id: string) => ({ customer_id: id, joined_at: '2024-01-01', valid_from: '2024-01-01' })

describe('an attribute with a history', () => {
  it('that changes only with or after the outcome is named', async () => {
    const rows = [
      ...ids.map((id) => ({ ...first(id), status: 'open', plan: 'free' })),
      ...leavers.map((id, index) => ({
        ...first(id),
        valid_from: addDays(dayOf(index), index % 3),
        status: 'closed',
        plan: 'free',
      })),
      ...ids.map((id, index) => ({
        ...first(id),
        valid_from: addDays('2024-02-01', index % 20),
        status: 'open',
        plan: 'gold',
      })),
    ]
    expect(await historyLeaks(rows)).toEqual(['status churn'])
  })

  it('that changes before as well, or where nearly everybody has the outcome, is not', async () => {
    const changing = [
      ...ids.map((id) => ({ ...first(id), status: 'open' })),
      ...ids.map((id, index) => ({ ...first(id), valid_from: addDays('2024-02-15', index), status: 'busy' })),
    ]
    expect(await historyLeaks(changing)).toEqual([])
    const upgrades = ids.map((id) => ({ customer_id: id, at: '2024-01-10', type: 'upgrade' }))
    expect(await historyLeaks(changing, upgrades)).toEqual([])
  })
})

describe('observed_until', () => {
  it('that falls on the day of the outcome is named; one by plan is not', async () => {
    const observed = (until: (index: number) => string) =>
      ids.map((id, index) => ({ ...first(id), plan: 'free', observed_until: until(index) }))
    expect(await historyLeaks(observed((index) => (index < 25 ? dayOf(index) : '2024-12-31')))).toEqual([
      'observed_until churn',
    ])
    expect(await historyLeaks(observed(() => '2024-12-31'))).toEqual([])
    expect(await historyLeaks(observed((index) => (index < 5 ? dayOf(index) : '2024-12-31')))).toEqual([])
  })
})
