import { describe, expect, it } from 'vitest'
import { extraColumns, openLake } from '../../src/lake/lake.ts'
import { countsOf, ingestMade, queryLake } from '../lakes.ts'
import { type FileContent, type FileRow, type MadeProgram, makeProgram } from '../programs.ts'

const base = { customer_id: 'a', at: '2026-10-01', type: 'login' }
const yaml = (file: string) => `
timezone: UTC
sources: { events: { file: ${file} } }
outcomes: { churn: { absence_of: login } }`

async function ingestFile(file: string, content: FileContent): Promise<MadeProgram> {
  const made = await makeProgram({ files: { [file]: content }, yaml: yaml(file) })
  await ingestMade(made)
  return made
}

const kinds = async (made: MadeProgram) =>
  Object.fromEntries(extraColumns((await openLake(made.dataFolder, made.program)).state, 'events'))

/** Values of a property, in the order of event_id. */
async function valuesOf(made: MadeProgram, property: string): Promise<unknown[]> {
  const rows = await queryLake<{ value: unknown }>(
    made,
    'events',
    `select "prop_${property.replaceAll('"', '""')}" as value from rows order by event_id`,
  )
  return rows.map(({ value }) => value)
}

const withValues = (rows: readonly FileRow[]) =>
  rows.map((row, index) => ({ ...base, event_id: `${index}`, ...row }))

describe('a property', () => {
  it('of a CSV file is what nearly all its values are', async () => {
    const made = await ingestFile(
      'events.csv',
      withValues([
        {
          amount: ' 12.50 ',
          plan: 'gold',
          is_new: 'true',
          since: '2026-01-01',
          postcode: '01067',
          code: '7',
          empty: '',
        },
        {
          amount: '',
          plan: 'NA',
          is_new: 'FALSE',
          since: '2026-01-01T10:00:00Z',
          postcode: '80331',
          code: '007',
          empty: '',
        },
        { amount: '-3', plan: 'nan', is_new: '', since: '', postcode: '', code: 'x', empty: '' },
      ]),
    )
    expect(await kinds(made)).toEqual({
      amount: 'number',
      plan: 'category',
      is_new: 'boolean',
      since: 'time',
      postcode: 'category',
      code: 'category',
    })
    expect(await valuesOf(made, 'amount')).toEqual([12.5, null, -3])
    expect(await valuesOf(made, 'plan')).toEqual(['gold', null, null])
    expect(await valuesOf(made, 'is_new')).toEqual([true, false, null])
    expect(await valuesOf(made, 'postcode')).toEqual(['01067', '80331', null])
    expect(await valuesOf(made, 'code')).toEqual(['7', '007', 'x'])
  })

  it('of a typed file keeps its type; what is nested becomes JSON', async () => {
    const made = await ingestFile('events.parquet', {
      select: `select 'a' as customer_id, date '2026-10-01' as at, 'login' as type, 1 as event_id,
        12.50::decimal(9, 2) as amount, 3::utinyint as items, true as flag, date '2026-01-02' as due,
        timestamp '2026-01-02 03:04:05' as sent, [1, 2] as list, {'os': 'mac'} as device, map {'k': 1} as map,
        'b'::enum ('a', 'b') as level, uuid '00000000-0000-0000-0000-000000000001' as session, 'nan'::double as odd`,
    })
    expect(await kinds(made)).toEqual({
      amount: 'number',
      items: 'number',
      flag: 'boolean',
      due: 'time',
      sent: 'time',
      list: 'category',
      device: 'category',
      map: 'category',
      level: 'category',
      session: 'category',
      odd: 'number',
    })
    expect(await valuesOf(made, 'device')).toEqual(['{"os":"mac"}'])
    expect(await valuesOf(made, 'list')).toEqual(['[1,2]'])
    expect(await valuesOf(made, 'odd')).toEqual([null])
    expect(await valuesOf(made, 'due')).toEqual([new Date('2026-01-02')])
  })

  it('of JSON lines may be nested, or a number here and a text there', async () => {
    const rows = withValues([
      { mixed: 7, device: { os: 'mac', v: 1 }, tags: ['x'] },
      { mixed: 'seven', device: null, tags: [] },
      { mixed: null, later: 3 },
    ])
    const made = await ingestFile('events.ndjson', rows)
    expect(await valuesOf(made, 'mixed')).toEqual(['7', 'seven', null])
    expect(await valuesOf(made, 'device')).toEqual(['{"os":"mac","v":1}', null, null])
    expect(await valuesOf(made, 'later')).toEqual([null, null, 3])
  })

  it('may have any name', async () => {
    const names = [
      'unit price',
      'say "hi"',
      "it's",
      'bucket',
      'day',
      'AT TIME',
      'reason',
      'row_id',
      'source',
      'raw',
      'key',
      'prop_x',
      'select',
      'größe',
      'a,b',
      'x;y',
      'rows',
      'filename',
      'constructor',
    ]
    const row = Object.fromEntries(names.map((name, index) => [name, index]))
    for (const file of ['events.csv', 'events.parquet']) {
      const made = await ingestFile(file, withValues([row, row]))
      expect(Object.keys(await kinds(made)).sort(), file).toEqual(names.toSorted())
      const [stored] = await queryLake(made, 'events')
      expect(names.map((name) => stored[`prop_${name}`])).toEqual(names.map((_, index) => index))
      await made.write(file, withValues([row, row, row]))
      expect(countsOf(await ingestMade(made))).toEqual([[3, 1, 2, 0]])
    }
  })

  it('is one whatever the case of its name, and so are canonical columns', async () => {
    const made = await ingestFile(
      'events.csv',
      'Customer_ID,AT,Type,Event_ID,Country\na,2026-10-01,login,0,DE\n',
    )
    await made.write(
      'events.csv',
      'customer_id,at,type,event_id,COUNTRY\na,2026-10-01,login,0,DE\na,2026-10-01,login,1,FR\n',
    )
    expect(countsOf(await ingestMade(made))).toEqual([[2, 1, 1, 0]])
    expect(await kinds(made)).toEqual({ Country: 'category' })
    expect(await valuesOf(made, 'Country')).toEqual(['DE', 'FR'])
  })
})

describe('a column that changes', () => {
  const reread = async (first: readonly FileRow[], second: readonly FileRow[]) => {
    const made = await ingestFile('events.csv', withValues(first))
    await made.write('events.csv', withValues(second))
    return { made, report: await ingestMade(made) }
  }

  it('from numbers to texts stays a number; the texts count as missing, and the ingest says so', async () => {
    const { made, report } = await reread([{ x: '1' }], [{ x: '1' }, { x: 'many' }, { x: '' }])
    expect(report.notes).toEqual([
      'sources.events[0]: 1 values of x are no numbers, as its values were before; they count as missing. ingest --rebuild decides anew what the column holds.',
    ])
    expect(await valuesOf(made, 'x')).toEqual([1, null, null])
    await ingestMade(made, { isRebuild: true })
    expect(await valuesOf(made, 'x')).toEqual(['1', 'many', null])
  })

  it('from texts to numbers stays a text', async () => {
    const { made, report } = await reread([{ x: 'a' }], [{ x: 'a' }, { x: '2' }])
    expect(report.notes).toEqual([])
    expect(await valuesOf(made, 'x')).toEqual(['a', '2'])
  })

  it('from times or truth values to something else counts as missing there', async () => {
    const first = [{ t: '2026-01-01', b: 'true' }]
    const { made, report } = await reread(first, [...first, { t: 'soon', b: 'maybe' }])
    expect(report.notes).toHaveLength(2)
    expect(await valuesOf(made, 't')).toEqual([new Date('2026-01-01'), null])
    expect(await valuesOf(made, 'b')).toEqual([true, null])
  })

  it('from empty to filled is what its first values are', async () => {
    const { made } = await reread([{ x: '' }], [{ x: '' }, { x: '3' }])
    expect(await kinds(made)).toEqual({ x: 'number' })
    expect(await valuesOf(made, 'x')).toEqual([null, 3])
  })

  it('in type from one Parquet file to the next keeps its first type', async () => {
    const made = await ingestFile('events.parquet', withValues([{ x: 1, y: 'a' }]))
    await made.write(
      'events.parquet',
      withValues([
        { x: 1, y: 'a' },
        { x: 'b', y: 'c' },
      ]),
    )
    expect(countsOf(await ingestMade(made))).toEqual([[2, 1, 1, 0]])
    await made.write(
      'events.parquet',
      withValues([{ x: { deep: 1 }, y: 2 }]).map((row) => ({ ...row, event_id: '9' })),
    )
    expect(countsOf(await ingestMade(made))).toEqual([[1, 1, 0, 0]])
    expect(await valuesOf(made, 'y')).toEqual(['a', 'c', '2'])
  })

  it('in type between two sources of a table keeps that of the first', async () => {
    const made = await makeProgram({
      files: { '1.csv': [{ ...base, x: '1', event_id: 0 }], '2.csv': [{ ...base, X: 'two', event_id: 1 }] },
      yaml: yaml('1.csv').replace('{ file: 1.csv }', '[{ file: 1.csv }, { file: 2.csv }]'),
    })
    expect((await ingestMade(made)).notes).toHaveLength(1)
    expect(await valuesOf(made, 'x')).toEqual([1, null])
  })

  it('in that it is new makes rows with a value there new ones, and the ingest says so', async () => {
    const made = await ingestFile('events.csv', [base, { ...base, type: 'buy' }])
    await made.write('events.csv', [
      { ...base, x: '' },
      { ...base, type: 'buy', x: '1' },
    ])
    const report = await ingestMade(made)
    expect(countsOf(report)).toEqual([[2, 1, 1, 0]])
    expect(report.notes).toEqual([expect.stringMatching(/^sources\.events\[0\] has new columns: x\./)])
  })

  it('in that it is gone is missing from then on', async () => {
    const { made } = await reread([{ x: '1', y: 'a' }], [{ x: '1', y: 'a' }])
    await made.write('events.csv', [{ ...base, event_id: '9' }])
    expect(countsOf(await ingestMade(made))).toEqual([[1, 1, 0, 0]])
    expect(await valuesOf(made, 'y')).toEqual(['a', null])
  })
})
