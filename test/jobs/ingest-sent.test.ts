import { rm } from 'node:fs/promises'
import Libsql from 'libsql'
import { describe, expect, it } from 'vitest'
import { findInbox, type Inbox, inboxPath } from '../../src/control/inbox.ts'
import { openLake } from '../../src/lake/lake.ts'
import { countsOf, ingestMade, queryLake } from '../lakes.ts'
import { type MadeProgram, makeProgram } from '../programs.ts'
import { send } from './sending.ts'

const login = { customer_id: 'a', at: '2026-10-01', type: 'login' }
const yaml = `sources: { events: { file: events.csv } }
outcomes: { churn: { absence_of: login } }`
const files = { 'events.csv': [{ ...login, channel: 'shop' }] }

async function pendingOf(made: MadeProgram) {
  const inbox = (await findInbox(made.dataFolder, made.program)) as Inbox
  const pending = inbox.pending()
  inbox.close()
  return pending.rows
}

const eventsOf = (made: MadeProgram) =>
  queryLake(
    made,
    'events',
    'select customer_id, strftime("at", \'%Y-%m-%d %H:%M\') as at, day::varchar as day, type, value from rows order by all',
  )

describe('what was sent', () => {
  it('comes into the lake beside the rows of the sources, once, and leaves the inbox', async () => {
    const made = await makeProgram({ files, yaml })
    await send(made, 'events', [
      { ...login, at: '2026-11-19T23:30:00Z', value: '7', event_id: 'e1', channel: 'web' },
    ])
    await send(made, 'responses', [{ customer_id: 'a', at: '2026-11-20 09:00', metric: 'NPS', score: 9 }])
    const report = await ingestMade(made)
    expect(report.sources.map(({ source, stored }) => [source, stored])).toEqual([
      ['events[0]', 1],
      ['events[api]', 1],
      ['responses[api]', 1],
    ])
    expect(await eventsOf(made)).toEqual([
      { customer_id: 'a', at: '2026-09-30 22:00', day: '2026-10-01', type: 'login', value: null },
      { customer_id: 'a', at: '2026-11-19 23:30', day: '2026-11-20', type: 'login', value: 7 },
    ])
    expect(await queryLake(made, 'events', 'select prop_channel from rows order by all')).toEqual([
      { prop_channel: 'shop' },
      { prop_channel: 'web' },
    ])
    expect(await pendingOf(made)).toBe(0)
    expect(countsOf(await ingestMade(made))).toEqual([[1, 0, 1, 0]])
    expect(await send(made, 'events', [{ ...login, event_id: 'e1' }])).toMatchObject([
      { status: 'duplicate' },
    ])
  })

  it('is there once although the ingest was killed before it could empty the inbox', async () => {
    const made = await makeProgram({ files, yaml })
    await send(made, 'events', [login, login])
    const rows = new Libsql(inboxPath(made.dataFolder, made.program))
    rows.exec('create table copies as select * from chunks')
    await ingestMade(made)
    rows.exec('insert into chunks select * from copies')
    rows.close()
    expect(await pendingOf(made)).toBe(2)
    await ingestMade(made)
    expect(await eventsOf(made)).toHaveLength(3)
    expect(await pendingOf(made)).toBe(0)
  })

  it('stays when the program file changes, and when the lake is rebuilt', async () => {
    const made = await makeProgram({ files, yaml })
    await send(made, 'events', [{ ...login, customer_id: 'b' }])
    await ingestMade(made)
    await made.write('other.csv', [{ ...login, customer_id: 'c' }])
    const program = await made.redefine({ yaml: yaml.replace('events.csv', 'other.csv') })
    await ingestMade(made, { program })
    await ingestMade(made, { program, isRebuild: true })
    await send(made, 'events', [{ ...login, customer_id: 'd' }])
    await ingestMade(made, { program, isRebuild: true })
    expect((await eventsOf(made)).map((row) => row.customer_id)).toEqual(['b', 'c', 'd'])
  })

  it('has its days cut anew where the timezone changed, and what waits comes with the next ingest', async () => {
    const made = await makeProgram({ files, yaml: `timezone: Europe/Berlin\n${yaml}` })
    await send(made, 'events', [{ customer_id: 'b', at: '2026-10-01T22:30:00Z', type: 'login' }])
    await ingestMade(made)
    await send(made, 'events', [{ customer_id: 'c', at: '2026-10-02T22:30:00Z', type: 'login' }])
    const program = await made.redefine({ yaml: `timezone: UTC\n${yaml}` })
    await ingestMade(made, { program, isRebuild: true })
    const days = async () => (await eventsOf(made)).map((row) => [row.customer_id, row.day])
    expect(await days()).toEqual([
      ['a', '2026-10-01'],
      ['b', '2026-10-01'],
    ])
    await ingestMade(made, { program })
    expect((await days()).at(-1)).toEqual(['c', '2026-10-02'])
    const { state } = await openLake(made.dataFolder, program)
    expect(state.sources.get('events[api]')?.spans.login).toEqual({
      rows: 2,
      firstDay: '2026-10-01',
      lastDay: '2026-10-02',
    })
  })

  it('of an inbox that was lost and made anew is taken from its beginning', async () => {
    const made = await makeProgram({ files, yaml })
    await send(made, 'events', [{ ...login, customer_id: 'b' }])
    await send(made, 'events', [{ ...login, customer_id: 'c' }])
    await ingestMade(made)
    for (const end of ['', '-wal', '-shm'])
      await rm(`${inboxPath(made.dataFolder, made.program)}${end}`, { force: true })
    await send(made, 'events', [{ ...login, customer_id: 'd' }])
    await ingestMade(made)
    expect((await eventsOf(made)).map((row) => row.customer_id)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('may call a property by another case, or hold another kind: one column, one kind', async () => {
    const made = await makeProgram({ files, yaml })
    await send(made, 'events', [
      { ...login, Channel: 'web', items: 3 },
      { ...login, items: '4' },
      { ...login, ITEMS: 5 },
    ])
    await ingestMade(made)
    const rows = await queryLake(made, 'events', 'select prop_channel, prop_items from rows order by all')
    expect(rows).toEqual([
      { prop_channel: 'shop', prop_items: null },
      { prop_channel: 'web', prop_items: 3 },
      { prop_channel: null, prop_items: 4 },
      { prop_channel: null, prop_items: 5 },
    ])
  })
})

describe('what is sent of a customer', () => {
  const attributes = (made: MadeProgram) =>
    queryLake(
      made,
      'customers',
      'select customer_id as id, valid_from::date::varchar as since, attr_plan as plan, attr_city as city from rows order by customer_id, ordinal',
    )

  it('adds to what is known: the first row counts from joining, later ones from when they came', async () => {
    const made = await makeProgram({ files, yaml })
    await send(made, 'customers', [{ customer_id: 'a', plan: 'basic' }], '2026-11-01T10:00:00Z')
    await send(made, 'customers', [{ customer_id: 'a', city: 'Ulm' }], '2026-11-02T10:00:00Z')
    await ingestMade(made)
    await send(made, 'customers', [{ customer_id: 'a', plan: 'gold' }], '2026-11-03T10:00:00Z')
    await ingestMade(made)
    expect(await attributes(made)).toEqual([
      { id: 'a', since: null, plan: 'basic', city: null },
      { id: 'a', since: '2026-11-02', plan: 'basic', city: 'Ulm' },
      { id: 'a', since: '2026-11-03', plan: 'gold', city: 'Ulm' },
    ])
  })

  it('takes over what a source knew by then, and nothing that it learned later', async () => {
    const customers = [
      { customer_id: 'a', valid_from: '2026-01-01', plan: 'basic' },
      { customer_id: 'a', valid_from: '2026-06-01', plan: 'gold' },
    ]
    const made = await makeProgram({
      files: { ...files, 'customers.csv': customers },
      yaml: yaml.replace('}\n', ', customers: { file: customers.csv } }\n'),
    })
    await send(made, 'customers', [
      { customer_id: 'b', plan: 'basic', city: 'Bonn' },
      { customer_id: 'a', valid_from: '2026-03-01T12:00:00Z', city: 'Ulm' },
      { customer_id: 'a', city: 'Jena' },
    ])
    await ingestMade(made)
    const rows = (await attributes(made)).filter(({ id, city }) => id === 'a' && city !== null)
    expect(rows).toEqual([
      { id: 'a', since: '2026-03-01', plan: 'basic', city: 'Ulm' },
      { id: 'a', since: '2026-11-20', plan: 'gold', city: 'Jena' },
    ])
  })
})
