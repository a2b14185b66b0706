import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ProgramCheck } from '../../src/cli/check-words.ts'
import { silentReporter } from '../../src/domain/progress.ts'
import { ingest } from '../../src/jobs/ingest.ts'
import { send } from '../jobs/sending.ts'
import { now } from '../lakes.ts'
import { type FileRow, type MadeProgram, makeProgram } from '../programs.ts'
import { loyalcast, loyalcastHere } from './commands.ts'

const yaml = `
sources:
  events: { file: events.csv }
  customers: { file: customers.csv }
outcomes:
  churn: { event: [cancel] }
  upsell: { event: [upgrade], desired: true }
meaning: { usage: [login], contact: [ticket] }`

/** Customers who log in every week of 2026 up to October; every third cancels some day. */
function company(customers: number): { events: FileRow[]; customers: FileRow[] } {
  const day = (number: number) => new Date(Date.UTC(2026, 0, 1 + number)).toISOString().slice(0, 10)
  const events: FileRow[] = []
  const rows: FileRow[] = []
  for (let index = 0; index < customers; index++) {
    const customer_id = `c${index}`
    const end = index % 3 === 0 ? 60 + ((index * 37) % 200) : 290
    rows.push({ customer_id, joined_at: '2026-01-01', plan: index % 2 ? 'gold' : 'basic' })
    for (let at = index % 7; at < end; at += 7)
      events.push({ customer_id, at: day(at), type: 'login', value: '' })
    if (index % 3 === 0) events.push({ customer_id, at: day(end), type: 'cancel', value: '' })
  }
  return { events, customers: rows }
}

async function make(
  changes: { events?: FileRow[]; customers?: FileRow[]; yaml?: string } = {},
): Promise<MadeProgram> {
  const { events, customers } = company(150)
  return makeProgram({
    files: {
      'events.csv': [...events, ...(changes.events ?? [])],
      'customers.csv': changes.customers ?? customers,
    },
    yaml: changes.yaml ?? yaml,
  })
}

async function check(made: MadeProgram, run = loyalcastHere) {
  const { code, stdout, stderr } = await run(['check', made.path, '--json', '--data', made.dataFolder])
  return { code, stderr, checked: JSON.parse(stdout) as ProgramCheck }
}

/** In a process of its own, with a folder of its own for what is temporary. */
async function checkApart(made: MadeProgram) {
  await made.write('tmp/.keep', '')
  const environment = { TMPDIR: join(made.folder, 'tmp') }
  return check(made, (args) => loyalcast(args, { folder: made.folder, environment }))
}

describe('loyalcast check', () => {
  it('says when the schedule strikes next, and for which day', async () => {
    const made = await make({ yaml: `${yaml}\nschedule: 05:00` })
    const { checked } = await checkApart(made)
    const next = { at: '2026-11-21T04:00:00Z', date: '2026-11-20' }
    expect(checked.schedule).toEqual({ schedule: '05:00', timezone: 'Europe/Berlin', next })
    const { stderr } = await loyalcast(['check', made.path, '--data', made.dataFolder])
    expect(stderr).toContain('every day at 05:00 (Europe/Berlin)')
    expect(stderr).toContain('next 2026-11-21 05:00, for 2026-11-20.')
  })

  it('says what is there, what is wrong and what can be predicted, and leaves nothing behind', async () => {
    const made = await make({
      events: [
        { customer_id: 'c1', at: '2026-10-01', type: 'login', value: 'inf' },
        { customer_id: 'c1', at: 'soon', type: 'login' },
        { customer_id: 'c1', at: '2027-02-01', type: 'planned_visit' },
      ],
    })
    const before = (await readdir(made.folder, { recursive: true })).sort()
    const { code, checked, stderr } = await checkApart(made)
    expect(stderr).not.toMatch(/unexpected/)
    expect(code).toBe(0)
    const [events, customers] = checked.sources
    expect(events).toMatchObject({
      source: 'events[0]',
      quarantined: 2,
      parts: [
        { part: 'cancel', rows: 50 },
        { part: 'login', firstDay: '2026-01-01' },
        { part: 'planned_visit', lastDay: '2027-02-01' },
      ],
    })
    expect(
      events.refused.map(({ reason, row }) => [reason, JSON.parse(row).at, JSON.parse(row).value]),
    ).toEqual([
      ['bad_value', '2026-10-01', 'inf'],
      ['bad_time', 'soon', null],
    ])
    expect(customers).toMatchObject({ read: 150, stored: 150, columns: { plan: 'category' } })
    expect(checked.predictable).toContain('churn_30')
    expect(checked.notPredictable.upsell).toMatch(/upgrade/)
    expect(checked.problems.map(({ level, words }) => `${level}: ${words}`)).toEqual([
      'warning: outcomes.upsell names upgrade, which no source supplies. Found: cancel, login, planned_visit.',
      'warning: meaning.contact names ticket, which no source supplies. Found: cancel, login, planned_visit.',
      expect.stringMatching(/^warning: The last day with data, 2027-02-01, lies after today, 2026-11-20\./),
    ])
    expect((await readdir(made.folder, { recursive: true })).sort()).toEqual(
      [...before, 'tmp', 'tmp/.keep'].sort(),
    )
    await expect(readdir(made.dataFolder)).rejects.toThrow('ENOENT')
  })

  it('counts what was sent through the API, ingested or not, and takes none of it', async () => {
    const { events, customers } = company(150)
    const made = await makeProgram({ yaml: yaml.replace(/sources:[\s\S]*outcomes/, 'outcomes') })
    const nothing = await check(made)
    expect([nothing.code, nothing.checked.notPredictable.everything]).toEqual([
      ...[3, 'There are no sources, and nothing with a date has been sent through the API.'],
    ])
    await send(made, 'customers', customers)
    await send(made, 'events', events.slice(0, 2000))
    await ingest(made.program, { ...made, now, reporter: silentReporter })
    await send(made, 'events', events.slice(2000))
    for (const _ of ['once', 'and again']) {
      const { code, checked } = await check(made)
      expect(code).toBe(0)
      const counted = checked.sources.map(({ source, stored }) => `${source}: ${stored}`)
      const waiting = events.length - 2000
      expect(counted.sort()).toEqual(['customers[api]: 150', `events[api]: ${waiting}`])
      expect(checked.predictable).toContain('churn_30')
    }
    const report = await ingest(made.program, { ...made, now, reporter: silentReporter })
    expect(report.sources.find(({ source }) => source === 'events[api]')?.stored).toBe(events.length - 2000)
  })

  it('takes a type that is nearly spelled like one that occurs for an error, and shows what gives an outcome away', async () => {
    const { events, customers } = company(150)
    const ends = new Map(
      events.filter(({ type }) => type === 'cancel').map((row) => [row.customer_id, row.at]),
    )
    const { code, checked } = await check(
      await make({
        customers: customers.map((row) => ({ ...row, observed_until: ends.get(row.customer_id) ?? '' })),
        yaml: yaml.replace('[upgrade]', '[upgrade, logim]').replace('[login]', '[visit]'),
      }),
    )
    expect(code).toBe(2)
    expect(checked.problems).toContainEqual({
      level: 'error',
      words: 'outcomes.upsell names logim, which no source supplies. Is it login?',
    })
    expect(checked.leaks).toContainEqual(
      expect.objectContaining({ origin: 'observed_until', outcome: 'churn', isAccepted: false }),
    )
  })

  it('says how much is missing where nothing can be predicted', async () => {
    const answer = (at: string) => ({ customer_id: 'a', at, metric: 'nps', score: 9 })
    const made = await makeProgram({
      files: { 'answers.csv': ['2026-08-01', '2026-09-01', '2026-10-01'].map(answer) },
      yaml: 'sources: { responses: { file: answers.csv } }',
    })
    const { code, checked } = await check(made)
    expect(code).toBe(3)
    expect(checked.notPredictable.nps).toMatch(
      /2 NPS answers are known; at least 50 are needed: 48 are missing/,
    )
  })

  it('also speaks where no row could be taken', async () => {
    const made = await makeProgram({
      files: { 'answers.csv': [{ customer_id: 'a', at: '2026-10-01', metric: 'stars', score: 9 }] },
      yaml: 'sources: { responses: { file: answers.csv } }',
    })
    const { code, checked } = await check(made)
    expect(code).toBe(3)
    expect(checked).toMatchObject({ asOf: null, predictable: [], sources: [{ quarantined: 1 }] })
  })
})
