import { describe, expect, it } from 'vitest'
import { openLake } from '../../src/lake/lake.ts'
import { type Finished, loyalcast } from '../cli/commands.ts'
import { ingestMade, queryLake, refusedRows } from '../lakes.ts'
import { type MadeProgram, makeProgram } from '../programs.ts'

const yaml = `
sources:
  events: { file: events.parquet }
  customers: { file: customers.csv }
outcomes: { churn: { absence_of: login } }`

const select = (rows: number) => `
  select 'c' || (i % 5000) as customer_id, timestamp '2026-01-01' + to_minutes(i) as at, 'login' as type, i % 7 as x
  from range(${rows}) as t (i)
  union all
  select 'c1', null, 'login', 1`
const customers = [
  { customer_id: 'c1', plan: 'gold' },
  { customer_id: 'c2', plan: 'basic' },
]

const make = (rows: number) =>
  makeProgram({ files: { 'events.parquet': { select: select(rows) }, 'customers.csv': customers }, yaml })

/** Everything that people see of a lake. */
async function contents(made: MadeProgram): Promise<unknown> {
  const fingerprint = 'select count(*) as rows, sum(hash(rows))::varchar as fingerprint from rows'
  const { state } = await openLake(made.dataFolder, made.program)
  return {
    sequence: state.sequence,
    events: await queryLake(made, 'events', fingerprint),
    customers: await queryLake(made, 'customers', fingerprint),
    refused: await refusedRows(made),
  }
}

/** Starts an ingest and kills it some milliseconds after it began to read. */
function ingestAndKill(made: MadeProgram, afterMs: number): Promise<Finished> {
  return loyalcast(['ingest', made.path, '--data', made.dataFolder], {
    onStderr: (text, child) => {
      if (text.includes('ingest')) setTimeout(() => child.kill('SIGKILL'), afterMs)
    },
  })
}

describe('an ingest that is killed', () => {
  it('leaves the lake as it was, and the next one gives what an undisturbed one gives', async () => {
    const made = await make(100_000)
    const undisturbed = await make(100_000)
    const moments = [20, 220].map((afterMs) => afterMs + Math.random() * 200)
    for (const afterMs of moments) {
      const before = await contents(made)
      const killed = await ingestAndKill(made, afterMs)
      if (killed.code === 0) continue
      expect(killed, `after ${afterMs} ms`).toMatchObject({ code: null })
      expect(await contents(made), `after ${afterMs} ms`).toEqual(before)
    }
    await ingestMade(made)
    await ingestMade(undisturbed)
    expect(await contents(made)).toEqual(await contents(undisturbed))

    await made.write('events.parquet', { select: select(120_000) })
    await undisturbed.write('events.parquet', { select: select(120_000) })
    const before = await contents(made)
    const killed = await ingestAndKill(made, 400 * Math.random())
    if (killed.code !== 0) expect(await contents(made)).toEqual(before)
    await ingestMade(made)
    await ingestMade(undisturbed)
    expect(await contents(made)).toEqual(await contents(undisturbed))
  })
})

describe('two ingests at once', () => {
  it('take turns: the second waits, and finds nothing left to do', async () => {
    const made = await make(50_000)
    const run = () => loyalcast(['ingest', made.path, '--data', made.dataFolder, '--json'])
    const both = await Promise.all([run(), run()])
    expect(both.map(({ code }) => code)).toEqual([0, 0])
    const reports = both.map(({ stdout }) => JSON.parse(stdout).sources[0].isUnchanged)
    expect(reports.sort()).toEqual([false, true])
    expect(both.map(({ stderr }) => stderr).join()).toMatch(/Another process is writing .*; waiting for it\./)
    expect(await queryLake(made, 'events', 'select count(*) as rows from rows')).toEqual([{ rows: 50_000 }])
  })
})
