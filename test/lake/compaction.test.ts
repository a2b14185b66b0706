import { describe, expect, it } from 'vitest'
import { appendCommit, type LakeFile, nextCommit } from '../../src/lake/commits.ts'
import { findHolders } from '../../src/lake/compaction.ts'
import { openLake } from '../../src/lake/lake.ts'
import { ingestMade, now, queryLake } from '../lakes.ts'
import { type MadeProgram, makeProgram } from '../programs.ts'

const yaml = `
sources: { events: { file: events/*.csv }, customers: { file: customers.csv } }
outcomes: { churn: { absence_of: login } }`
const customer = { customer_id: 'a', joined_at: '2026-01-01' }

async function makeGrowing(): Promise<MadeProgram> {
  return makeProgram({ files: { 'customers.csv': [customer] }, yaml })
}

/** A day's ingest: a login of two customers who are not in one bucket, every tenth day with a property. */
async function ingestDay(made: MadeProgram, day: number, at = now): Promise<void> {
  const login = { at: `2026-03-01T00:00:${String(day).padStart(2, '0')}`, type: 'login' }
  const more = day % 10 === 3 ? { device: 'phone' } : {}
  const rows = ['a', 'b'].map((customer_id) => ({ customer_id, ...login, ...more }))
  await made.write(`events/${String(day).padStart(3, '0')}.csv`, rows)
  await made.write('customers.csv', [{ ...customer, plan: `plan ${day}` }])
  await ingestMade(made, { now: at })
}

async function ingestDays(made: MadeProgram, from: number, to: number, at = now): Promise<void> {
  for (let day = from; day <= to; day++) await ingestDay(made, day, at)
}

/** Files of each table, those of all buckets. */
async function countFiles(made: MadeProgram): Promise<Record<string, number>> {
  const { state } = await openLake(made.dataFolder, made.program)
  const count = (table: string) => state.files.filter((file) => file.table === table).length
  return { events: count('events'), customers: count('customers') }
}

/** As if a day had been predicted from a commit of the lake. */
async function pretendPredicted(made: MadeProgram, lakeCommit: number): Promise<void> {
  const { folder, state } = await openLake(made.dataFolder, made.program)
  const record = nextCommit(state, { at: now, timezone: made.program.timezone })
  const day = { path: 'predictions/none.parquet', rows: 0, predicted: 0, modelVersion: 'none', lakeCommit }
  await appendCommit(folder, { ...record, predictions: [{ date: '2026-03-01', ...day }] })
}

describe('many small files of a bucket', () => {
  it('become one, and whoever reads the rows finds them as they were', async () => {
    const made = await makeGrowing()
    await ingestDays(made, 1, 17)
    expect(await countFiles(made)).toEqual({ events: 34, customers: 17 })
    const order = 'select * from rows order by customer_id, row_id'
    const [events, customers] = [await queryLake(made, 'events', order), await queryLake(made, 'customers')]
    await ingestDay(made, 18)
    expect(await countFiles(made)).toEqual({ events: 4, customers: 2 })
    const isEarlier = (row: { at?: unknown }) => (row.at as Date).getUTCSeconds() !== 18
    expect((await queryLake(made, 'events', order)).filter(isEarlier)).toEqual(events)
    const byOrdinal = 'select * from rows order by ordinal'
    const now = await queryLake(made, 'customers', byOrdinal)
    expect(now.slice(0, 17)).toEqual(customers)
    expect(now.map(({ attr_plan }) => attr_plan)).toEqual(
      Array.from({ length: 18 }, (_, day) => `plan ${day + 1}`),
    )
  })

  it('are known again when their rows are read again', async () => {
    const made = await makeGrowing()
    await ingestDays(made, 1, 18)
    const before = await queryLake(made, 'events')
    await made.write('events/001.csv', [{ customer_id: 'a', at: '2026-03-01T00:00:01', type: 'login' }])
    const report = await ingestMade(made)
    expect(report.sources[0]).toMatchObject({ stored: 0, duplicate: 35 })
    expect(await queryLake(made, 'events')).toEqual(before)
  })

  it('stay apart where the latest daily run has not read them', async () => {
    const made = await makeGrowing()
    await ingestDays(made, 1, 17)
    await pretendPredicted(made, 16)
    await ingestDay(made, 18)
    expect(await countFiles(made)).toEqual({ events: 36, customers: 18 })
    await pretendPredicted(made, 17)
    await ingestDay(made, 19)
    expect(await countFiles(made)).toEqual({ events: 2 * 3, customers: 3 })
  })

  it('stay apart no longer where that daily run is long ago', async () => {
    const made = await makeGrowing()
    await pretendPredicted(made, 0)
    await ingestDays(made, 1, 18)
    expect(await countFiles(made)).toEqual({ events: 36, customers: 18 })
    await ingestDay(made, 19, '2026-12-31T12:00:00Z')
    expect(await countFiles(made)).toEqual({ events: 4, customers: 2 })
  })

  it('leave a large one alone', async () => {
    const made = await makeGrowing()
    const rows = `select 'a' as customer_id, timestamp '2026-01-01' + to_seconds(i) as "at", 'login' as type`
    await made.write('events/000.csv', { select: `${rows} from range(1000000) as rows(i)` })
    await ingestDays(made, 1, 18)
    await ingestDay(made, 19)
    const { state } = await openLake(made.dataFolder, made.program)
    const { bucket } = state.files.find(({ rows }) => rows > 1_000_000) as LakeFile
    const own = state.files.filter((file) => file.table === 'events' && file.bucket === bucket)
    expect(own.map(({ rows }) => rows)).toEqual([1_000_001, 1, 17])
  }, 60_000)
})

describe('files that hold what earlier ones held', () => {
  const file = (path: string): LakeFile => ({
    path,
    table: 'events',
    source: 'events[0]',
    bucket: 0,
    rows: 1,
  })
  const merged = new Map([
    ['ab', ['a', 'b']],
    ['abc', ['ab', 'c']],
  ])
  const holders = (files: readonly string[], earlier: readonly string[]) =>
    findHolders(files.map(file), merged, earlier)

  it.each<[string, string[], string[], string[] | null]>([
    ['are these themselves', ['a', 'b', 'd'], ['a', 'b'], ['a', 'b']],
    ['are what they were merged into', ['ab', 'c'], ['a', 'b'], ['ab']],
    ['are what that was merged into', ['abc', 'd'], ['a', 'b', 'c'], ['abc']],
    ['are what merged ones were merged into', ['abc', 'd'], ['ab', 'c'], ['abc']],
    ['are none of what was not there', ['abc', 'd'], [], []],
    ['cannot be told where others were merged with them', ['abc'], ['a', 'b'], null],
    ['cannot be told where one is gone', ['a', 'd'], ['a', 'b'], null],
    ['cannot be told where a merged one is gone', ['d'], ['a', 'b'], null],
  ])('%s', (_, files, earlier, expected) => {
    expect(holders(files, earlier)).toEqual(expected === null ? null : new Set(expected))
  })
})
