import { describe, expect, it } from 'vitest'
import { ingestMade, queryLake } from '../lakes.ts'
import { type FileRow, type MadeProgram, makeProgram } from '../programs.ts'

const yaml = `
timezone: UTC
sources: { customers: { file: customers.csv }, responses: { file: answers.csv } }`
const answers = [{ customer_id: 'a', at: '2026-10-01', metric: 'nps', score: 9 }]

const made = (customers: readonly FileRow[]) =>
  makeProgram({ files: { 'customers.csv': customers, 'answers.csv': answers }, yaml })

/** The states of customers in the order in which they came: `[valid from, plan]`; null: from joining. */
async function history(program: MadeProgram): Promise<[string | null, string][]> {
  const rows = await queryLake<{ day: string; plan: string }>(
    program,
    'customers',
    "select strftime(valid_from, '%Y-%m-%d') as day, attr_plan as plan from rows order by ordinal",
  )
  return rows.map(({ day, plan }) => [day, plan])
}

/** Ingests one reading a day from 2026-10-01 on. */
async function readDaily(readings: readonly (readonly FileRow[])[]): Promise<MadeProgram> {
  const program = await made(readings[0])
  for (const [index, rows] of readings.entries()) {
    await program.write('customers.csv', rows)
    await ingestMade(program, { now: `2026-10-0${index + 1}T06:00:00Z` })
  }
  return program
}

describe('a customer without valid_from', () => {
  it('is known from joining with what the first reading said, and from a later reading with what that changed', async () => {
    const program = await readDaily([
      [{ customer_id: 'a', plan: 'basic' }],
      [{ customer_id: 'a', plan: 'basic' }],
      [{ customer_id: 'a', plan: 'gold' }],
    ])
    expect(await history(program)).toEqual([
      [null, 'basic'],
      ['2026-10-03', 'gold'],
    ])
  })

  it('that changes back has three states', async () => {
    const program = await readDaily(['A', 'B', 'A', 'A'].map((plan) => [{ customer_id: 'a', plan }]))
    expect(await history(program)).toEqual([
      [null, 'A'],
      ['2026-10-02', 'B'],
      ['2026-10-03', 'A'],
    ])
  })

  it('that joins again counts from that joining, also where both come in one reading', async () => {
    const first = { customer_id: 'a', joined_at: '2025-01-01', plan: 'basic' }
    const second = { customer_id: 'a', joined_at: '2026-05-01', plan: 'gold' }
    const expected = [
      [null, 'basic'],
      ['2026-05-01', 'gold'],
    ]
    expect(
      await history(
        await readDaily([
          [first, second],
          [second, first],
        ]),
      ),
    ).toEqual(expected)
    expect(await history(await readDaily([[first], [second], [second]]))).toEqual(expected)
  })

  it('whose joining is learnt or corrected later counts from that reading: nothing new is known earlier', async () => {
    const program = await readDaily([
      [{ customer_id: 'a', joined_at: '', plan: 'basic' }],
      [{ customer_id: 'a', joined_at: '2025-01-01', plan: 'gold' }],
      [{ customer_id: 'a', joined_at: '2024-01-01', plan: 'gold' }],
    ])
    expect(await history(program)).toEqual([
      [null, 'basic'],
      ['2026-10-02', 'gold'],
      ['2026-10-03', 'gold'],
    ])
  })

  it('keeps its history apart from what another source says', async () => {
    const program = await makeProgram({
      files: {
        'crm.csv': [{ customer_id: 'a', plan: 'gold' }],
        'billing.csv': [{ customer_id: 'a', iban: 'yes' }],
        'answers.csv': answers,
      },
      yaml: yaml.replace('{ file: customers.csv }', '[{ file: crm.csv }, { file: billing.csv }]'),
    })
    await ingestMade(program)
    expect(
      await queryLake(
        program,
        'customers',
        'select source, valid_from, attr_plan, attr_iban from rows order by 1',
      ),
    ).toEqual([
      { source: 'customers[0]', valid_from: null, attr_plan: 'gold', attr_iban: null },
      { source: 'customers[1]', valid_from: null, attr_plan: null, attr_iban: 'yes' },
    ])
  })
})

describe('a customer with valid_from', () => {
  const row = (valid_from: string, plan: string) => ({ customer_id: 'a', valid_from, plan })

  it('counts from then, whenever it is ingested', async () => {
    const program = await readDaily([
      [row('2026-01-01', 'basic'), row('2026-06-01', 'gold')],
      [row('2026-01-01', 'basic'), row('2026-03-01', 'silver'), row('2026-06-01', 'gold')],
    ])
    expect(await history(program)).toEqual([
      ['2026-01-01', 'basic'],
      ['2026-06-01', 'gold'],
      ['2026-03-01', 'silver'],
    ])
  })

  it('is corrected by the last word on that day, also back to what was said first', async () => {
    const plans = ['A', 'B', 'B', 'A', 'A']
    const program = await readDaily(plans.map((plan) => [row('2026-01-01', plan)]))
    expect((await history(program)).map(([, plan]) => plan)).toEqual(['A', 'B', 'A'])
  })

  it('read again with both of two rows of one day adds nothing', async () => {
    const rows = [row('2026-01-01', 'A'), row('2026-01-01', 'B')]
    const program = await readDaily([rows, [...rows, row('2026-02-01', 'C')], rows])
    expect((await history(program)).map(([, plan]) => plan)).toEqual(['A', 'B', 'C'])
  })
})
