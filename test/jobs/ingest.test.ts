import { utimes } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { countsOf, ingestMade, queryLake } from '../lakes.ts'
import { type FileRow, makeProgram } from '../programs.ts'

const yaml = `
sources: { events: { file: events.csv } }
outcomes: { churn: { absence_of: login } }`
const login = (customer: string, day: number, more: FileRow = {}) => ({
  customer_id: customer,
  at: `2026-10-${String(day).padStart(2, '0')}`,
  type: 'login',
  ...more,
})
const logins = [login('a', 1), login('b', 2), login('c', 3)]

/** A file that looks changed although it is not. */
const touch = (folder: string, name: string) => utimes(join(folder, name), 1, 1)

describe('every row read', () => {
  const wild = fc.constantFrom(
    '',
    ' ',
    'a',
    '7',
    '11',
    '7.5',
    '-1',
    'inf',
    'nan',
    '9999-12-31',
    '1970-01-01',
    'nps',
  )
  const when = fc.constantFrom(
    '2026-10-01',
    '2026-10-01 25:00',
    '2026-10-01T08:00:00Z',
    '9999-12-31',
    'x',
    '',
  )
  const dirty = fc.record({ customer_id: wild, at: when, type: wild, value: wild, x: wild, 'y "z"': wild })
  const answers = fc.record({ customer_id: wild, at: when, metric: wild, score: wild, weight: wild })
  const customers = fc.record({
    customer_id: wild,
    joined_at: when,
    observed_until: when,
    annual_value: wild,
  })

  it('is stored, a duplicate or quarantined, in the first ingest and in the next', async () => {
    const files = fc.record({
      events: fc.array(dirty, { maxLength: 20 }),
      responses: fc.array(answers, { maxLength: 20 }),
      customers: fc.array(customers, { maxLength: 20 }),
    })
    await fc.assert(
      fc.asyncProperty(files, files, async (first, second) => {
        const rows = (tables: typeof first) => ({
          'events.csv': [login('a', 1), ...tables.events],
          'responses.csv': [
            { customer_id: 'a', at: '2026-10-01', metric: 'csat', score: 3 },
            ...tables.responses,
          ],
          'customers.csv': [{ customer_id: 'a', joined_at: '2026-01-01' }, ...tables.customers],
        })
        const made = await makeProgram({
          files: rows(first),
          yaml: `
sources: { events: { file: events.csv }, responses: { file: responses.csv }, customers: { file: customers.csv } }
outcomes: { churn: { absence_of: login } }`,
        })
        for (const tables of [first, second]) {
          const written = rows(tables)
          for (const [name, content] of Object.entries(written)) await made.write(name, content)
          for (const source of (await ingestMade(made)).sources) {
            expect(source.read).toBe(written[`${source.table}.csv` as keyof typeof written].length)
            expect(source.read).toBe(source.stored + source.duplicate + source.quarantined)
            const reasons = Object.values(source.reasons).reduce((sum, count) => sum + count, 0)
            if (!source.isUnchanged) expect(reasons).toBe(source.quarantined)
          }
        }
      }),
      { numRuns: 5 },
    )
  })
})

describe('reading again', () => {
  it('does not open files that have not changed', async () => {
    const made = await makeProgram({ files: { 'events.csv': logins }, yaml })
    expect(countsOf(await ingestMade(made))).toEqual([[3, 3, 0, 0]])
    const again = await ingestMade(made)
    expect(again).toMatchObject({
      commit: 1,
      sources: [{ isUnchanged: true, read: 3, duplicate: 3, stored: 0 }],
    })
  })

  it('adds nothing where the rows are the same', async () => {
    const made = await makeProgram({ files: { 'events.csv': logins }, yaml })
    await ingestMade(made)
    await touch(made.folder, 'events.csv')
    expect(countsOf(await ingestMade(made))).toEqual([[3, 0, 3, 0]])
    expect(await queryLake(made, 'events')).toHaveLength(3)
  })

  it('adds the rows that were appended, in whatever order the file is then', async () => {
    const made = await makeProgram({ files: { 'events.csv': logins }, yaml })
    await ingestMade(made)
    await made.write('events.csv', [login('d', 4), ...logins.toReversed()])
    expect(countsOf(await ingestMade(made))).toEqual([[4, 1, 3, 0]])
  })

  it('keeps genuine repeats, and adds exactly the one equal row that is new', async () => {
    const made = await makeProgram({ files: { 'events.csv': [login('a', 1), login('a', 1)] }, yaml })
    expect(countsOf(await ingestMade(made))).toEqual([[2, 2, 0, 0]])
    await made.write('events.csv', [login('a', 1), login('b', 1), login('a', 1), login('a', 1)])
    expect(countsOf(await ingestMade(made))).toEqual([[4, 2, 2, 0]])
    expect(await queryLake(made, 'events', 'select distinct row_id from rows')).toHaveLength(4)
    await touch(made.folder, 'events.csv')
    expect(countsOf(await ingestMade(made))).toEqual([[4, 0, 4, 0]])
  })

  it('reads a new file under a pattern, and not the others again', async () => {
    const made = await makeProgram({
      files: { 'events/1.csv': logins },
      yaml: yaml.replace('events.csv', 'events/*.csv'),
    })
    await ingestMade(made)
    await made.write('events/2.csv', [login('a', 1), login('a', 9)])
    expect(countsOf(await ingestMade(made))).toEqual([[2, 2, 0, 0]])
  })

  it('appends where the same definition points at another file', async () => {
    const made = await makeProgram({
      files: { 'day-1.csv': logins, 'day-2.csv': [login('c', 3), login('d', 4)] },
      yaml: yaml.replace('events.csv', `"day-\${DAY}.csv"`),
      environment: { DAY: '1' },
    })
    await ingestMade(made)
    const program = await made.redefine({ environment: { DAY: '2' } })
    const report = await ingestMade(made, { program })
    expect(report).toMatchObject({
      notes: [],
      sources: [{ isUnchanged: false, read: 2, stored: 1, duplicate: 1 }],
    })
    expect(await queryLake(made, 'events')).toHaveLength(4)
  })

  it('reads a select again where the environment that fills it changed', async () => {
    const made = await makeProgram({
      files: { 'events.csv': logins },
      yaml: `
sources: { events: { sql: "select * from read_csv('events.csv') where customer_id <= '\${LAST}'" } }
outcomes: { churn: { absence_of: login } }`,
      environment: { LAST: 'a' },
    })
    expect(countsOf(await ingestMade(made))).toEqual([[1, 1, 0, 0]])
    const program = await made.redefine({ environment: { LAST: 'b' } })
    expect(countsOf(await ingestMade(made, { program }))).toEqual([[2, 1, 1, 0]])
  })
})

describe('a row with an id of its own', () => {
  it('is known by it, whatever else it says, and the first one counts', async () => {
    const rows = [
      login('a', 1, { event_id: 'x1' }),
      login('a', 2, { event_id: 'x1' }),
      login('a', 1, { event_id: 'x2' }),
    ]
    const made = await makeProgram({ files: { 'events.csv': rows }, yaml })
    expect(countsOf(await ingestMade(made))).toEqual([[3, 2, 1, 0]])
    await made.write('events.csv', [login('a', 3, { event_id: 'x1' }), login('a', 3, { event_id: 'x3' })])
    expect(countsOf(await ingestMade(made))).toEqual([[2, 1, 1, 0]])
    const days = await queryLake(
      made,
      'events',
      'select event_id as id, day::varchar as day from rows order by 1',
    )
    expect(days).toEqual([
      { id: 'x1', day: '2026-10-01' },
      { id: 'x2', day: '2026-10-01' },
      { id: 'x3', day: '2026-10-03' },
    ])
  })

  it('holds for responses too', async () => {
    const answer = { customer_id: 'a', at: '2026-10-01', metric: 'nps', score: 9, response_id: 'r1' }
    const made = await makeProgram({
      files: { 'answers.csv': [answer, { ...answer, score: 3 }, { ...answer, response_id: '' }] },
      yaml: 'sources: { responses: { file: answers.csv } }',
    })
    expect(countsOf(await ingestMade(made))).toEqual([[3, 2, 1, 0]])
  })

  it('means nothing to another source: two systems may count from 1', async () => {
    const made = await makeProgram({
      files: {
        'orders.csv': [login('a', 1, { event_id: 1 })],
        'tickets.csv': [login('b', 1, { event_id: 1 })],
        'same.csv': [login('a', 1, { event_id: 1 })],
      },
      yaml: `
sources: { events: [{ file: orders.csv }, { file: tickets.csv }, { file: same.csv }] }
outcomes: { churn: { absence_of: login } }`,
    })
    expect(countsOf(await ingestMade(made))).toEqual([
      [1, 1, 0, 0],
      [1, 1, 0, 0],
      [1, 1, 0, 0],
    ])
  })
})

describe('a definition', () => {
  it('that makes each reading the full picture replaces what was there', async () => {
    const made = await makeProgram({
      files: { 'events.csv': logins },
      yaml: yaml.replace('events.csv', 'events.csv, replace: true'),
    })
    await ingestMade(made)
    await made.write('events.csv', [login('b', 2), login('z', 9)])
    expect(await ingestMade(made)).toMatchObject({ notes: [], sources: [{ read: 2, stored: 2 }] })
    const customers = await queryLake(made, 'events', 'select customer_id as id from rows order by 1')
    expect(customers).toEqual([{ id: 'b' }, { id: 'z' }])
  })

  it('whose meaning changed replaces its earlier rows, and says so', async () => {
    const select = (value: number) => `
sources: { events: { sql: "select *, ${value} as value from read_csv('events.csv')" } }
outcomes: { churn: { absence_of: login } }`
    const made = await makeProgram({ files: { 'events.csv': logins }, yaml: select(1) })
    await ingestMade(made)
    const report = await ingestMade(made, { program: await made.redefine({ yaml: select(2) }) })
    expect(report.notes).toEqual([
      'The definition of sources.events[0] changed since the last ingest: its earlier rows are replaced by this reading.',
    ])
    expect(await queryLake(made, 'events', 'select distinct value from rows')).toEqual([{ value: 2 }])
  })

  it('that only moved within the program file is known again, and the rows of none are lost', async () => {
    const list = (...files: string[]) => `
sources: { events: [${files.map((file) => `{ file: ${file}.csv }`).join(', ')}] }
outcomes: { churn: { absence_of: login } }`
    const made = await makeProgram({
      files: { 'x.csv': [login('x', 1)], 'y.csv': [login('y', 1), login('y', 2)], 'z.csv': [login('z', 1)] },
      yaml: list('x', 'y'),
    })
    await ingestMade(made)
    const moved = await ingestMade(made, { program: await made.redefine({ yaml: list('z', 'y', 'x') }) })
    expect(moved.sources.map(({ isUnchanged }) => isUnchanged)).toEqual([false, true, true])
    expect(moved.notes).toEqual([])
    const gone = await ingestMade(made, { program: await made.redefine({ yaml: list('y', 'z') }) })
    expect(gone.sources.map(({ isUnchanged }) => isUnchanged)).toEqual([true, true])
    expect(gone.notes).toEqual([
      'The program file no longer has the source that was sources.events[2]: its 1 rows of events leave the lake.',
    ])
    const left = await queryLake(made, 'events', 'select customer_id as id from rows order by 1')
    expect(left.map(({ id }) => id)).toEqual(['y', 'y', 'z'])
    expect((await ingestMade(made, { program: await made.redefine({}) })).commit).toBe(gone.commit)
  })

  it('of another timezone needs a rebuild, which reads everything anew', async () => {
    const made = await makeProgram({
      files: { 'events.csv': [login('a', 1, { at: '2026-10-01T23:30:00Z' })] },
      yaml,
    })
    await ingestMade(made)
    const program = await made.redefine({ yaml: `timezone: UTC\n${yaml}` })
    await expect(ingestMade(made, { program })).rejects.toMatchObject({
      kind: 'failed',
      code: 'timezone-changed',
    })
    const report = await ingestMade(made, { program, isRebuild: true })
    expect(countsOf(report)).toEqual([[1, 1, 0, 0]])
    expect(await queryLake(made, 'events', 'select day::varchar as day from rows')).toEqual([
      { day: '2026-10-01' },
    ])
  })
})
