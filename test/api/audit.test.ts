import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openServerControl } from '../../src/control/server-control.ts'
import { makeLastingProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { problem, type Served, serveMade } from './served.ts'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let other: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
let now = '2026-11-20T12:00:00Z'
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  other = await makeLastingProgram({ yaml: `program: other\n${madeYaml}` })
  await publishDay(made, '2026-10-01', [madeRow('a')])
  served = await serveMade(made, [other.program], { clock: () => now })
})
afterAll(async () => {
  await served.close()
  await made.remove()
  await other.remove()
})

const json = { 'content-type': 'application/json' }
const makeKey = async (body: object) =>
  (await served.ask('/v1/keys', { method: 'POST', headers: json, body: JSON.stringify(body) })).body

describe('the audit log', () => {
  it('holds every write with who, when, what and from where, also where it was refused, and no read', async () => {
    const { id, key } = await makeKey({ name: 'BI', role: 'analyst', programs: ['test', 'other'] })
    const refused = await served.ask('/v1/keys', { method: 'POST', key, headers: json, body: '{}' })
    const remove = await served.ask('/v1/programs/test/scenarios/secret-id', { method: 'DELETE', key })
    await served.ask('/v1/programs/test/summary', { key })
    await served.ask('/v1/keys/x', { method: 'DELETE', key: null })
    const { entries } = await served.read('/v1/audit?limit=3')
    const who = { at: '2026-11-20T12:00:00.000Z', remote_address: '127.0.0.1' }
    const byAnalyst = { ...who, key_id: id, key_name: 'BI' }
    expect(entries).toEqual([
      {
        ...{ ...byAnalyst, method: 'DELETE', route: '/v1/programs/:program/scenarios/:scenario_id' },
        ...{ program: 'test', status: 404, request_id: remove.body.request_id },
      },
      {
        ...{ ...byAnalyst, method: 'POST', route: '/v1/keys' },
        ...{ program: null, status: 403, request_id: refused.body.request_id },
      },
      {
        ...{ ...who, key_id: 'environment', key_name: 'environment', method: 'POST', route: '/v1/keys' },
        ...{ program: null, status: 201, request_id: expect.any(String) },
      },
    ])
    expect(JSON.stringify(entries)).not.toMatch(/secret-id|lc_/)
  })

  it('is read page by page, of a program, and since a time', async () => {
    now = '2026-11-20T13:00:00Z'
    for (const program of ['test', 'other', 'test'])
      await served.ask(`/v1/programs/${program}/scenarios/x`, { method: 'DELETE' })
    now = '2026-11-20T12:00:00Z'
    const since = 'since=2026-11-20T14:00:00%2B02:00'
    const programsOf = (page: { entries: { program: string }[] }) =>
      page.entries.map(({ program }) => program)
    const first = await served.read(`/v1/audit?${since}&limit=2`)
    expect(programsOf(first)).toEqual(['test', 'other'])
    const second = await served.read(`/v1/audit?${since}&limit=2&cursor=${first.next_cursor}`)
    expect(programsOf(second)[0]).toBe('test')
    expect(programsOf(await served.read('/v1/audit?program=other&since=2026-11-20T12:30:00Z'))).toEqual([
      'other',
    ])
    expect((await served.read('/v1/audit?since=2026-11-20T13:00:00.001Z')).entries).toEqual([])
    const elsewhere = await served.ask(`/v1/audit?cursor=${first.next_cursor}`)
    expect(elsewhere.body).toMatchObject(problem('invalid-cursor', 400))
    for (const query of ['since=yesterday', 'since=2026-11-20', 'limit=0'])
      expect((await served.ask(`/v1/audit?${query}`)).body).toMatchObject(problem('invalid-request', 400))
  })

  it('shows an admin of some programs what happened in these alone', async () => {
    const { key } = await makeKey({ name: 'admin', role: 'admin', programs: ['other'] })
    await served.ask('/v1/programs/test/scenarios/x', { method: 'DELETE' })
    await served.ask('/v1/programs/other/scenarios/x', { method: 'DELETE' })
    const { entries } = (await served.ask('/v1/audit', { key })).body
    expect(new Set(entries.map(({ program }: { program: string }) => program))).toEqual(new Set(['other']))
    const others = await served.ask('/v1/audit?program=test', { key })
    expect(others.body).toMatchObject(problem('unknown-program', 404))
  })

  it('loses nothing when the server stops', async () => {
    const beside = await serveMade(made, [], { clock: () => '2026-11-21T00:00:00Z' })
    const asked = Array.from({ length: 50 }, (_, n) =>
      beside.ask(`/v1/programs/test/scenarios/x${n}`, { method: 'DELETE' }),
    )
    await Promise.all(asked)
    await beside.close()
    const control = await openServerControl(made.dataFolder)
    const filter = { programs: null, since: '2026-11-21T00:00:00.000Z' }
    const entries = await control.audit.list({ after: null, limit: 999 }, filter)
    await control.close()
    expect(entries).toHaveLength(50)
  })
})
