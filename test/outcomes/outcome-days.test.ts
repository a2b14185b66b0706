import { describe, expect, it } from 'vitest'
import { addDays, type Day } from '../../src/domain/days.ts'
import { lakeRelations } from '../../src/features/relations.ts'
import { readOutcomeDays } from '../../src/outcomes/outcome-days.ts'
import { makeWorld, spineOf, type World } from '../features/world.ts'

const zone = 'timezone: America/New_York'
const yaml = (more = '') => `
${zone}
sources:
  events: { file: events.csv${more} }
  customers: { file: customers.csv }
outcomes:
  churn: { event: leave }
  upsell: { event: [upgrade, extend], desired: true }
  silence: { absence_of: look }
`

/** customer → [days to the event, days known] at one cutoff. */
async function outcomeAt(world: World, name: string, { cutoff, asOf }: { cutoff: Day; asOf: Day }) {
  const keys = await spineOf(world, [cutoff])
  const { program, lake, database } = world
  const outcome = program.outcomes.find((one) => one.name === name)!
  const relations = lakeRelations(lake)
  const days = await readOutcomeDays(database, outcome, {
    program,
    state: lake.state,
    relations,
    spine: 'spine',
    asOf,
  })
  if (days === null) return null
  return Object.fromEntries(keys.map((key, row) => [key.split('@')[0], [days.event[row], days.known[row]]]))
}

const cutoff = '2024-03-01'
const inDays = (days: number) => addDays(cutoff, days)
const joined = (id: string, more = {}) => ({
  customer_id: id,
  joined_at: '2024-01-01',
  valid_from: '2024-01-01',
  ...more,
})

describe('days to an outcome', () => {
  it('are whole local days after the cutoff: the next day is 1, the cutoff day is past', async () => {
    const world = await makeWorld({
      files: {
        'events.csv': [
          { customer_id: 'a', at: `${cutoff} 23:59:59`, type: 'upgrade' },
          { customer_id: 'b', at: inDays(1), type: 'upgrade' },
          { customer_id: 'c', at: `${inDays(30)} 23:59:59`, type: 'extend' },
          { customer_id: 'd', at: `${inDays(31)} 00:00`, type: 'extend' },
          { customer_id: 'd', at: `${inDays(80)} 00:00`, type: 'upgrade' },
          { customer_id: 'z', at: '2024-01-01', type: 'look' },
          { customer_id: 'z', at: inDays(100), type: 'look' },
        ],
        'customers.csv': ['a', 'b', 'c', 'd'].map((id) => joined(id)),
      },
      yaml: yaml(),
    })
    const at = { cutoff, asOf: inDays(100) }
    expect(await outcomeAt(world, 'upsell', at)).toEqual({
      a: [Number.NaN, 100],
      b: [1, 100],
      c: [30, 100],
      d: [31, 100],
      z: [Number.NaN, 100],
    })
    expect(await outcomeAt(world, 'silence', at)).toMatchObject({ a: [Number.NaN, 100], z: [100, 100] })
  })

  it('end with a terminal outcome: what comes after did not happen, also later on the same day', async () => {
    const world = await makeWorld({
      files: {
        'events.csv': [
          { customer_id: 'a', at: `${inDays(10)} 09:00`, type: 'upgrade' },
          { customer_id: 'a', at: `${inDays(10)} 10:00`, type: 'leave' },
          { customer_id: 'b', at: `${inDays(10)} 10:00`, type: 'leave' },
          { customer_id: 'b', at: `${inDays(10)} 11:00`, type: 'upgrade' },
          { customer_id: 'c', at: inDays(10), type: 'leave' },
          { customer_id: 'c', at: inDays(10), type: 'upgrade' },
          { customer_id: 'd', at: inDays(5), type: 'leave' },
          { customer_id: 'd', at: inDays(9), type: 'look' },
          { customer_id: 'd', at: inDays(20), type: 'leave' },
          { customer_id: 'z', at: '2024-01-01', type: 'look' },
          { customer_id: 'z', at: inDays(100), type: 'look' },
        ],
        'customers.csv': ['a', 'b', 'c', 'd'].map((id) => joined(id)),
      },
      yaml: yaml(),
    })
    const at = { cutoff, asOf: inDays(100) }
    expect(await outcomeAt(world, 'upsell', at)).toMatchObject({
      a: [10, 100],
      b: [Number.NaN, 100],
      c: [10, 100],
    })
    expect(await outcomeAt(world, 'silence', at)).toMatchObject({ d: [Number.NaN, 100] })
    expect(await outcomeAt(world, 'churn', at)).toMatchObject({ a: [10, 100], d: [5, 100] })
  })

  it('are known up to the coverage, the as-of day or observed_until, whichever is first', async () => {
    const files = {
      'events.csv': [
        { customer_id: 'z', at: '2024-01-01', type: 'look' },
        { customer_id: 'a', at: inDays(40), type: 'leave' },
        { customer_id: 'b', at: inDays(70), type: 'leave' },
      ],
      'customers.csv': [
        joined('a'),
        joined('b', { observed_until: inDays(25) }),
        joined('c', { observed_until: '2024-02-01', valid_from: '2024-01-01' }),
        { customer_id: 'c', joined_at: '2024-02-15', valid_from: '2024-02-15' },
      ],
    }
    const open = await makeWorld({ files, yaml: yaml() })
    expect(await outcomeAt(open, 'churn', { cutoff, asOf: inDays(100) })).toMatchObject({
      a: [40, 70],
      b: [70, 25],
      c: [Number.NaN, 70],
    })
    expect(await outcomeAt(open, 'churn', { cutoff, asOf: inDays(39) })).toMatchObject({
      a: [Number.NaN, 39],
      b: [Number.NaN, 25],
    })
    const declared = await makeWorld({ files, yaml: yaml(`, covers_until: ${inDays(90)}`) })
    expect(await outcomeAt(declared, 'churn', { cutoff, asOf: inDays(100) })).toMatchObject({ a: [40, 90] })
    expect(await outcomeAt(declared, 'upsell', { cutoff, asOf: inDays(100) })).toMatchObject({
      a: [Number.NaN, 90],
    })
    expect(await outcomeAt(open, 'upsell', { cutoff, asOf: inDays(100) })).toBeNull()
  })

  it('are not known at cutoffs before the sources of the outcome began', async () => {
    const world = await makeWorld({
      files: {
        'app.csv': [{ customer_id: 'a', at: '2023-01-01', type: 'login' }],
        'shop.csv': [
          { customer_id: 'a', at: '2024-01-10', type: 'look' },
          { customer_id: 'a', at: '2024-06-01', type: 'look' },
        ],
      },
      yaml: `
sources: { events: [{ file: app.csv }, { file: shop.csv }] }
outcomes: { silence: { absence_of: look } }`,
    })
    const asOf = '2024-05-01'
    expect(await outcomeAt(world, 'silence', { cutoff: '2023-06-01', asOf })).toEqual({ a: [223, -1] })
    expect(await outcomeAt(world, 'silence', { cutoff: '2024-01-09', asOf })).toEqual({ a: [1, 113] })
  })
})
