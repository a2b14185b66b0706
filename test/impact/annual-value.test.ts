import { describe, expect, it } from 'vitest'
import { lakeRelations } from '../../src/features/relations.ts'
import { readAnnualValues } from '../../src/impact/annual-value.ts'
import { makeWorld, spineOf, type World } from '../features/world.ts'

const worldOf = (value: string) =>
  makeWorld({
    files: {
      'events.csv': [
        { customer_id: 'a', at: '2024-01-01', type: 'buy', value: 10.1 },
        { customer_id: 'a', at: '2024-06-01', type: 'buy', value: 20.2 },
        { customer_id: 'a', at: '2024-06-01', type: 'refund', value: -5 },
        { customer_id: 'b', at: '2024-05-01', type: 'look', value: 99 },
        { customer_id: 'c', at: '2024-05-01', type: 'look' },
      ],
      'customers.csv': [
        {
          customer_id: 'a',
          joined_at: '2024-01-01',
          valid_from: '2024-01-01',
          annual_value: 100,
          revenue: '7',
        },
        {
          customer_id: 'a',
          joined_at: '2024-01-01',
          valid_from: '2024-04-01',
          annual_value: 200,
          revenue: 'n/a',
        },
        {
          customer_id: 'b',
          joined_at: '2024-01-01',
          valid_from: '2024-01-01',
          annual_value: '',
          revenue: 'x',
        },
      ],
    },
    yaml: `
sources: { events: { file: events.csv }, customers: { file: customers.csv } }
outcomes: { churn: { absence_of: buy } }
${value}`,
  })

/** `customer@day` → value in a year. */
async function valuesIn(world: World, days: readonly string[], buckets?: readonly number[]) {
  const keys = await spineOf(world, days, buckets)
  const { program, lake, database } = world
  const relations = lakeRelations(lake, buckets && { buckets })
  const values = await readAnnualValues(database, { program, state: lake.state, relations, spine: 'spine' })
  return Object.fromEntries(keys.map((key, row) => [key, values[row]]))
}

const valuesOf = async (value: string, days: readonly string[]) => valuesIn(await worldOf(value), days)

describe('the value of a customer in a year', () => {
  it('is the sum of what was bought, scaled to 365 days; not known where the data do not reach back', async () => {
    const value = 'value: { annual_value: { sum_of: [buy, refund], days: 73 } }'
    expect(await valuesOf(value, ['2024-03-12', '2024-03-13', '2024-06-01'])).toEqual({
      'a@2024-03-12': Number.NaN,
      'b@2024-03-12': Number.NaN,
      'a@2024-03-13': 50.5,
      'b@2024-03-13': 0,
      'a@2024-06-01': 76,
      'b@2024-06-01': 0,
      'c@2024-06-01': 0,
    })
  })

  it('does not depend on which other customers are read', async () => {
    const value = 'value: { annual_value: { sum_of: buy, days: 73 } }'
    const world = await worldOf(value)
    const all = await valuesIn(world, ['2024-06-01'])
    for (let bucket = 0; bucket < world.lake.state.buckets; bucket++)
      expect(all).toMatchObject(await valuesIn(world, ['2024-06-01'], [bucket]))
  })

  it('is the last value of a column known at the cutoff', async () => {
    const found = await valuesOf('value: { annual_value: { column: annual_value } }', [
      '2024-03-31',
      '2024-04-01',
    ])
    expect(found).toEqual({
      'a@2024-03-31': 100,
      'b@2024-03-31': Number.NaN,
      'a@2024-04-01': 200,
      'b@2024-04-01': Number.NaN,
    })
    const text = await valuesOf('value: { annual_value: { column: revenue } }', ['2024-04-01'])
    expect(text).toEqual({ 'a@2024-04-01': 7, 'b@2024-04-01': Number.NaN })
  })

  it('is not known where it is not configured, and an error where no source has the column', async () => {
    expect(await valuesOf('', ['2024-03-31'])).toEqual({
      'a@2024-03-31': Number.NaN,
      'b@2024-03-31': Number.NaN,
    })
    await expect(valuesOf('value: { annual_value: { column: revenu } }', ['2024-03-31'])).rejects.toThrow(
      /no source of customers has a column revenu. Found: annual_value, revenue/,
    )
  })
})
