import { cp, rm } from 'node:fs/promises'
import Libsql from 'libsql'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { findInbox, inboxPath } from '../../src/control/inbox.ts'
import { loyalcastHere } from '../cli/commands.ts'
import { send } from '../jobs/sending.ts'
import { queryLake } from '../lakes.ts'
import { findKillPoints, runKilled } from './killing.ts'
import { clock, makeSmallProgram, type SmallProgram } from './small-program.ts'

let made: SmallProgram
beforeAll(async () => {
  vi.stubEnv('LOYALCAST_NOW', clock)
  made = await makeSmallProgram(5)
  const click = { customer_id: 'c1', at: '2024-05-01T10:00:00Z', type: 'click' }
  // What was ingested already, and what was sent after it.
  await send(made, 'events', [click, { ...click, event_id: 'one' }], clock)
  await loyalcastHere(['ingest', made.path, '--data', made.dataFolder])
  await send(made, 'events', [click, click, { ...click, event_id: 'two' }], clock)
  await send(made, 'customers', [{ customer_id: 'c1', plan: 'gold' }], clock)
  await send(made, 'customers', [{ customer_id: 'c1', plan: 'basic' }], clock)
  const rows = new Libsql(inboxPath(made.dataFolder, made.program))
  rows.pragma('wal_checkpoint(truncate)')
  rows.close()
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await made.remove()
})

/** How often each row that was sent is in the lake, and what the inbox still holds. */
async function seen(program: SmallProgram) {
  const events = "select count(*) as rows, count(distinct event_id) as ids from rows where type = 'click'"
  const customers =
    "select attr_plan as plan, valid_from::varchar as since from rows where source = 'customers[api]' order by ordinal"
  const inbox = await findInbox(program.dataFolder, program.program)
  const waiting = inbox?.pending().rows
  inbox?.close()
  return {
    events: await queryLake(program, 'events', events),
    customers: await queryLake(program, 'customers', customers),
    waiting,
  }
}

async function withCopy(name: string): Promise<SmallProgram> {
  const dataFolder = `${made.dataFolder}-${name}`
  await rm(dataFolder, { recursive: true, force: true })
  // Connections that are closed leave their own files a moment later; everything is in the first by now.
  const filter = (path: string) => !/-(wal|shm)$/.test(path)
  await cp(made.dataFolder, dataFolder, { recursive: true, preserveTimestamps: true, filter })
  return { ...made, dataFolder }
}

it('an ingest of what was sent, killed at any operation and run again, has every row once', async () => {
  const start = await seen(made)
  expect(start).toMatchObject({ events: [{ rows: 2, ids: 2 }], customers: [], waiting: 5 })
  const undisturbed = await withCopy('undisturbed')
  const { points } = await findKillPoints(undisturbed, ['ingest'])
  const end = await seen(undisturbed)
  expect(end).toMatchObject({ events: [{ rows: 5, ids: 5 }], waiting: 0 })
  expect(end.customers.map(({ plan }) => plan)).toEqual(['gold', 'basic'])
  for (const point of points) {
    const killed = await withCopy('killed')
    await runKilled(killed, ['ingest'], point)
    const { waiting: _, ...then } = await seen(killed)
    const { waiting: __, ...before } = start
    const { waiting: ___, ...after } = end
    expect([before, after], point.name).toContainEqual(then)
    await loyalcastHere(['ingest', killed.path, '--data', killed.dataFolder])
    expect(await seen(killed), point.name).toEqual(end)
  }
})
