import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { TableName } from '../../src/domain/program.ts'
import { quarantineReasons } from '../../src/domain/tables.ts'
import { countsOf, ingestMade, queryLake, refusedRows } from '../lakes.ts'
import { type FileRow, makeProgram } from '../programs.ts'

const good = { customer_id: 'a', at: '2026-10-01', type: 'login' }
const outcomes = 'outcomes: { churn: { absence_of: login } }'

/** Ingests a good row and then the others as one source, and tells why each of the others was refused, in order. */
async function reasonsFor(table: TableName, first: FileRow, rows: readonly FileRow[]) {
  const login = { sql: "select 'a' as customer_id, date '2026-10-01' as at, 'login' as type" }
  const sources = { events: login, [table]: { file: 'rows.csv' } }
  const made = await makeProgram({
    files: { 'rows.csv': [first, ...rows] },
    yaml: `${stringify({ sources })}${outcomes}`,
  })
  await ingestMade(made)
  const refused = (await refusedRows(made)).filter(({ source }) => source === `${table}[0]`)
  const byRow = new Map(refused.map(({ row, reason }) => [row, reason]))
  expect(byRow.get(1)).toBeUndefined()
  return { made, refused, reasons: rows.map((_, index) => byRow.get(index + 2) ?? null) }
}

describe('an event', () => {
  it('is refused with a reason where it says nothing that can be used, and taken where it does', async () => {
    const cases: [FileRow, string | null][] = [
      [{ customer_id: '' }, 'no_customer'],
      [{ customer_id: '  ' }, 'no_customer'],
      [{ customer_id: 'nan' }, 'no_customer'],
      [{ at: '' }, 'bad_time'],
      [{ at: 'yesterday' }, 'bad_time'],
      [{ at: '2026-02-30' }, 'bad_time'],
      [{ at: '2026-10-01 25:00:00' }, 'bad_time'],
      [{ at: 'infinity' }, 'bad_time'],
      [{ at: '1970-01-01' }, 'empty_time'],
      [{ at: '1970-01-01T00:00:00Z' }, 'empty_time'],
      [{ at: '0001-01-01' }, 'empty_time'],
      [{ at: '9999-12-31' }, 'far_future'],
      [{ at: '2028-01-01' }, 'far_future'],
      [{ at: '2027-10-01' }, null],
      [{ type: '' }, 'no_type'],
      [{ value: 'inf' }, 'bad_value'],
      [{ value: '-inf' }, 'bad_value'],
      [{ value: 'nan' }, 'bad_value'],
      [{ value: 'NaN' }, 'bad_value'],
      [{ value: '1e13' }, 'bad_value'],
      [{ value: '€ 5' }, 'bad_value'],
      [{ value: '5,00' }, 'bad_value'],
      [{ value: ' 5.5 ' }, null],
      [{ value: '-3' }, null],
      [{ value: '' }, null],
    ]
    const rows = cases.map(([row]) => ({ ...good, ...row }))
    const { made, refused, reasons } = await reasonsFor('events', { ...good, value: '' }, rows)
    expect(reasons).toEqual(cases.map(([, reason]) => reason))
    const shown = refused.find(({ row }) => row === 5 + 1)
    expect(shown?.raw).toEqual({ customer_id: 'a', at: 'yesterday', type: 'login', value: null })
    const values = await queryLake(
      made,
      'events',
      'select value from rows where value is not null order by 1',
    )
    expect(values).toEqual([{ value: -3 }, { value: 5.5 }])
  })

  it('with a number that is not finite is refused also where the file is typed', async () => {
    const select = (value: string) =>
      `select 'a' as customer_id, date '2026-10-01' as at, 'login' as type, ${value} as value`
    const made = await makeProgram({
      files: {
        'events.parquet': {
          select: ['1.5::double', "'inf'::double", "'nan'::double"].map(select).join(' union all '),
        },
      },
      yaml: `sources: { events: { file: events.parquet } }\n${outcomes}`,
    })
    expect(await ingestMade(made)).toMatchObject({ sources: [{ stored: 1, reasons: { bad_value: 2 } }] })
  })
})

describe('a response', () => {
  it("must be an answer in its metric's range, and a whole number for nps", async () => {
    const answer = { customer_id: 'a', at: '2026-10-01', metric: 'nps', score: '9', weight: '' }
    const cases: [FileRow, string | null][] = [
      [{ score: '11' }, 'score_out_of_range'],
      [{ score: '-1' }, 'score_out_of_range'],
      [{ score: '7.5' }, 'score_out_of_range'],
      [{ score: '' }, 'bad_value'],
      [{ score: 'ten' }, 'bad_value'],
      [{ score: 'inf' }, 'bad_value'],
      [{ score: '0' }, null],
      [{ score: '10.0' }, null],
      [{ metric: 'csat', score: '0' }, 'score_out_of_range'],
      [{ metric: 'csat', score: '6' }, 'score_out_of_range'],
      [{ metric: 'csat', score: '3.5' }, null],
      [{ metric: 'ces', score: '8' }, 'score_out_of_range'],
      [{ metric: 'ces', score: '7' }, null],
      [{ metric: ' NPS ' }, null],
      [{ metric: 'stars' }, 'unknown_metric'],
      [{ metric: '' }, 'unknown_metric'],
      [{ weight: '-1' }, 'bad_value'],
      [{ weight: 'heavy' }, 'bad_value'],
      [{ weight: '0.5' }, null],
      [{ at: 'soon' }, 'bad_time'],
    ]
    const rows = cases.map(([row]) => ({ ...answer, ...row }))
    const { reasons } = await reasonsFor('responses', answer, rows)
    expect(reasons).toEqual(cases.map(([, reason]) => reason))
  })
})

describe('an intervention', () => {
  it('needs an initiative and an arm', async () => {
    const treated = { customer_id: 'a', at: '2026-10-01', initiative: 'call', arm: 'treated', cost: '5' }
    const cases: [FileRow, string | null][] = [
      [{ initiative: '' }, 'no_arm'],
      [{ arm: ' ' }, 'no_arm'],
      [{ cost: 'free' }, 'bad_value'],
      [{ arm: 'control' }, null],
    ]
    const { reasons } = await reasonsFor(
      'interventions',
      treated,
      cases.map(([row]) => ({ ...treated, ...row })),
    )
    expect(reasons).toEqual(cases.map(([, reason]) => reason))
  })
})

describe('a customer', () => {
  it('may have joined long ago, and never at the time that an empty timestamp gives', async () => {
    const customer = {
      customer_id: 'a',
      joined_at: '2026-01-01',
      valid_from: '',
      observed_until: '',
      annual_value: '',
    }
    const cases: [FileRow, string | null][] = [
      [{ joined_at: '1965-03-01' }, null],
      [{ joined_at: '1970-01-01' }, 'empty_time'],
      [{ joined_at: '1970-01-01T00:00:00Z' }, 'empty_time'],
      [{ joined_at: '0001-01-01' }, 'empty_time'],
      [{ joined_at: '9999-12-31' }, 'far_future'],
      [{ joined_at: 'long ago' }, 'bad_time'],
      [{ valid_from: '9999-12-31' }, 'far_future'],
      [{ valid_from: 'now-ish' }, 'bad_time'],
      [{ observed_until: '9999-12-31' }, null],
      [{ observed_until: '1970-01-01' }, 'empty_time'],
      [{ observed_until: '31/12/2026' }, 'bad_time'],
      [{ annual_value: 'inf' }, 'bad_value'],
      [{ annual_value: 'much' }, 'bad_value'],
      [{ annual_value: '120.50' }, null],
      [{ customer_id: '' }, 'no_customer'],
    ]
    const rows = cases.map(([row], index) => ({ ...customer, customer_id: `c${index}`, ...row }))
    const { reasons } = await reasonsFor('customers', customer, rows)
    expect(reasons).toEqual(cases.map(([, reason]) => reason))
  })

  it('cannot be two things at once: a second, different row without a date is refused', async () => {
    const made = await makeProgram({
      files: {
        'customers.csv': [
          { customer_id: 'a', plan: 'gold' },
          { customer_id: 'a', plan: 'gold' },
          { customer_id: 'a', plan: 'basic' },
          { customer_id: 'b', plan: 'basic' },
        ],
        'events.csv': [good],
      },
      yaml: `sources: { events: { file: events.csv }, customers: { file: customers.csv } }\n${outcomes}`,
    })
    expect(countsOf(await ingestMade(made))).toEqual([
      [1, 1, 0, 0],
      [4, 2, 1, 1],
    ])
    const [refused] = await refusedRows(made)
    expect(refused).toMatchObject({ source: 'customers[0]', row: 3, reason: 'second_undated_row' })
    expect(JSON.stringify(refused.raw)).toContain('basic')
  })
})

describe('the quarantine', () => {
  const yaml = `sources: { events: { file: events.csv } }\n${outcomes}`

  it('says every reason in words', async () => {
    for (const words of Object.values(quarantineReasons)) expect(words).toMatch(/^[a-z].*[a-z0-9]$/)
  })

  it('holds the refused rows of the last reading once, not again for every reading', async () => {
    const made = await makeProgram({ files: { 'events.csv': [good, { ...good, at: 'x' }] }, yaml })
    await ingestMade(made)
    await made.write('events.csv', [good, { ...good, at: 'x' }, { ...good, type: '' }])
    await ingestMade(made)
    expect((await refusedRows(made)).map(({ reason }) => reason)).toEqual(['bad_time', 'no_type'])
    await made.write('events.csv', [good])
    await ingestMade(made)
    expect(await refusedRows(made)).toEqual([])
  })

  it('keeps those of a file that is not read any more', async () => {
    const made = await makeProgram({
      files: { '1.csv': [good, { ...good, at: 'x' }], '2.csv': [good, { ...good, at: 'y' }] },
      yaml: yaml.replace('events.csv', `"\${DAY}.csv"`),
      environment: { DAY: '1' },
    })
    await ingestMade(made)
    await ingestMade(made, { program: await made.redefine({ environment: { DAY: '2' } }) })
    expect((await refusedRows(made)).map(({ raw }) => raw.at).sort()).toEqual(['x', 'y'])
  })

  it('also takes a whole later file in which no time can be read', async () => {
    const made = await makeProgram({ files: { 'events.csv': [good] }, yaml })
    await ingestMade(made)
    await made.write('events.csv', [{ ...good, at: 'x' }])
    expect(countsOf(await ingestMade(made))).toEqual([[1, 0, 0, 1]])
  })
})
