import { describe, expect, it } from 'vitest'
import { addDays, daysBetween } from '../../src/domain/days.ts'
import { lakeRelations } from '../../src/features/relations.ts'
import { findStoppedCounters } from '../../training/leaks-of-counters.ts'
import { makeWorld } from '../features/world.ts'
import type { FileRow } from '../programs.ts'

const yaml = `
sources: { events: { file: events.csv }, customers: { file: customers.csv } }
outcomes: { churn: { event: leave } }
`
const asOf = '2024-12-31'

/** Customers who joined on many days, of whom a third left after 5 to 185 days. */
const lives = Array.from({ length: 120 }, (_, index) => {
  const joined = addDays('2024-01-01', (index * 37) % 180)
  const left = index % 3 === 0 ? addDays(joined, 5 + ((index * 53) % 181)) : null
  return { id: `c${index}`, index, joined, left, lived: daysBetween(joined, left ?? asOf) }
})
type Life = (typeof lives)[number]

async function countersOf(amounts: (life: Life) => FileRow, dated = false) {
  const { program, lake, database } = await makeWorld({
    files: {
      'events.csv': lives.flatMap(({ id, left }) =>
        left ? [{ customer_id: id, at: left, type: 'leave' }] : [],
      ),
      'customers.csv': lives.map((life) => ({
        customer_id: life.id,
        joined_at: life.joined,
        ...(dated && { valid_from: life.joined }),
        ...amounts(life),
      })),
    },
    yaml,
  })
  const attributes = Object.keys(amounts(lives[0])).map((name) => ({ name, kind: 'number' }))
  const options = { program, relations: lakeRelations(lake), attributes, asOf }
  return (await findStoppedCounters(database, options)).map(({ origin }) => origin)
}

describe('an amount without a history', () => {
  const amounts = ({ lived, joined, index }: Life) => ({
    months_billed: Math.floor(lived / 30),
    fees: lived * (0.8 + ((index * 29) % 40) / 100),
    days_to_go: 400 - lived,
    joined_no: daysBetween('2024-01-01', joined) * 10 + (index % 10),
    months_since_joining: Math.floor(daysBetween(joined, asOf) / 30),
    age: 18 + ((index * 41) % 60),
  })

  it('that counts or counts down what was lived until the outcome is named; a number for joining is not', async () => {
    expect(await countersOf(amounts)).toEqual(['months_billed', 'fees', 'days_to_go'])
  })

  it('is not judged where it says since when it holds', async () => {
    expect(await countersOf(amounts, true)).toEqual([])
  })

  it('that is a term planned at joining, kept by those who leave, is not named', async () => {
    const term = ({ left, lived, index }: Life) => ({ term: left ? lived : 30 + ((index * 71) % 330) })
    expect(await countersOf(term)).toEqual([])
  })
})
