import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { longestTrustMs } from '../../src/api/key-ring.ts'
import { openServerControl } from '../../src/control/server-control.ts'
import { makeLastingProgram } from '../programs.ts'
import { madeRow, madeYaml, publishDay } from './made-predictions.ts'
import { key as adminKey, problem, type Served, serveMade } from './served.ts'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let other: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
let nowMs = Date.parse('2026-11-20T12:00:00Z')
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  other = await makeLastingProgram({ yaml: `program: other\n${madeYaml}` })
  for (const { program } of [made, other])
    await publishDay({ program, dataFolder: made.dataFolder }, '2026-10-01', [madeRow('a')])
})
beforeEach(async () => {
  nowMs = Date.parse('2026-11-20T12:00:00Z')
  await served?.close()
  served = await serveMade(made, [other.program], {
    clock: () => new Date(nowMs).toISOString(),
    makeId: () => `id${++given.ids}`,
  })
})
afterAll(async () => {
  await served.close()
  await made.remove()
  await other.remove()
})

/** Ids go on from server to server, as they do with people. */
const given = { ids: 0 }

const post = (body: object, key: string = adminKey) =>
  served.ask('/v1/keys', {
    ...{ method: 'POST', key, body: JSON.stringify(body) },
    headers: { 'content-type': 'application/json' },
  })
/** A key that was just made. */
const makeKey = async (body: object, key?: string) => (await post(body, key)).body
const statusOf = async (key: string, path = '/v1/programs') => (await served.ask(path, { key })).status

describe('a key', () => {
  it('is shown once, works from then on, and only its hash is kept', async () => {
    const { status, headers, body } = await post({ name: ' CRM job ', role: 'crm' })
    expect(status).toBe(201)
    expect(body.key).toMatch(new RegExp(`^lc_${body.id}_[\\w-]{43,}$`))
    expect(headers.get('cache-control')).toBe('no-store')
    expect(headers.get('location')).toBe(`/v1/keys/${body.id}`)
    expect(await statusOf(body.key)).toBe(200)
    const { key, ...shown } = body
    expect(await served.read(`/v1/keys/${body.id}`)).toEqual(shown)
    const listed = await served.ask('/v1/keys')
    expect(listed.body.keys[0]).toEqual({
      ...{
        id: body.id,
        name: 'CRM job',
        role: 'crm',
        programs: null,
        created_at: '2026-11-20T12:00:00.000Z',
      },
      ...{ expires_at: null, last_used_at: null, revoked_at: null },
    })
    const control = await openServerControl(made.dataFolder)
    const found = await control.keys.find(body.id)
    await control.close()
    expect(listed.text + JSON.stringify(found)).not.toContain(key.split('_')[2])
    expect(served.log.join('')).not.toContain(key.split('_')[2])
  })

  it('says who it is', async () => {
    const { id, key } = await makeKey({ name: 'BI', role: 'analyst', programs: ['test'] })
    expect((await served.ask('/v1/me', { key })).body).toEqual({
      ...{ key_id: id, name: 'BI', role: 'analyst', programs: ['test'] },
      scopes: ['read', 'export', 'ask'],
    })
    expect(await served.read('/v1/me')).toMatchObject({
      key_id: 'environment',
      role: 'admin',
      programs: null,
    })
  })

  it('sees only its programs', async () => {
    const { key } = await makeKey({ name: 'one', role: 'reader', programs: ['other'] })
    const { body } = await served.ask('/v1/programs', { key })
    expect(body.programs.map(({ program }: { program: string }) => program)).toEqual(['other'])
    const refused = await served.ask('/v1/programs/test/summary', { key })
    expect(refused.body).toMatchObject(problem('unknown-program', 404))
    expect(refused.body.detail).toBe('There is no program test. Served here: other.')
  })

  it('works through its last day, and not a moment longer', async () => {
    const { key, expires_at } = await makeKey({ name: 'short', role: 'reader', expires: '2026-11-20' })
    expect(expires_at).toBe('2026-11-21T00:00:00Z')
    nowMs = Date.parse('2026-11-20T23:59:59.999Z')
    expect(await statusOf(key)).toBe(200)
    nowMs++
    const { status, body, headers } = await served.ask('/v1/programs', { key })
    expect([status, body.detail]).toEqual([401, 'The key expired at 2026-11-21T00:00:00Z.'])
    expect(headers.get('www-authenticate')).toContain('error="invalid_token"')
  })

  it('is refused at once when it is revoked here, and stays in the list', async () => {
    const { id, key } = await makeKey({ name: 'gone', role: 'reader' })
    expect(await statusOf(key)).toBe(200)
    for (let times = 0; times < 2; times++)
      expect((await served.ask(`/v1/keys/${id}`, { method: 'DELETE' })).status).toBe(204)
    const { body } = await served.ask('/v1/programs', { key })
    expect(body.detail).toBe('The key was revoked at 2026-11-20T12:00:00.000Z.')
    expect((await served.read(`/v1/keys/${id}`)).revoked_at).toBe('2026-11-20T12:00:00.000Z')
  })

  it('is refused within seconds when another process revokes it', async () => {
    const { id, key } = await makeKey({ name: 'elsewhere', role: 'reader' })
    expect(await statusOf(key)).toBe(200)
    const elsewhere = await openServerControl(made.dataFolder)
    await elsewhere.keys.revoke(id, '2026-11-20T12:00:00Z')
    await elsewhere.close()
    nowMs += longestTrustMs
    expect(await statusOf(key)).toBe(401)
  })

  it('that another process makes works at once', async () => {
    const elsewhere = await openServerControl(made.dataFolder)
    const key = await elsewhere.keys.create({
      ...{ id: 'fromelsewhere', name: 'CLI', role: 'reader', programs: null, expiresAt: null },
      ...{ createdAt: '2026-11-20T12:00:00Z', secret: 'z'.repeat(43) },
    })
    await elsewhere.close()
    expect(await statusOf(key)).toBe(200)
    const wrong = [`${key}z`, key.slice(0, -1), key.replace('fromelsewhere', 'id1'), key.toUpperCase()]
    for (const one of wrong) expect(await statusOf(one)).toBe(401)
  })

  it('tells to about a minute when it was last used, also after the server has ended', async () => {
    const { id, key } = await makeKey({ name: 'used', role: 'reader' })
    await statusOf(key)
    nowMs += 59_000
    await statusOf(key)
    await served.close()
    served = await serveMade(made, [other.program])
    expect((await served.read(`/v1/keys/${id}`)).last_used_at).toBe('2026-11-20T12:00:00.000Z')
  })
})

describe('a key that cannot be made', () => {
  it.each([
    [{ role: 'reader' }, 'name'],
    [{ name: '', role: 'reader' }, 'name'],
    [{ name: 'x'.repeat(101), role: 'reader' }, 'name'],
    [{ name: 'x', role: 'owner' }, 'role'],
    [{ name: 'x', role: 'reader', programs: [] }, 'programs'],
    [{ name: 'x', role: 'reader', programs: ['nowhere'] }, 'programs'],
    [{ name: 'x', role: 'reader', expires: '2026-02-30' }, 'expires'],
    [{ name: 'x', role: 'reader', expires: '2026-11-19' }, 'expires'],
    [{ name: 'x', role: 'reader', secret: 'mine' }, 'secret'],
  ])('is answered with what is wrong: %o, %s', async (body, field) => {
    const answer = await post(body)
    expect(answer.body).toMatchObject(problem('invalid-request', 400))
    expect(answer.body.errors[0].field).toBe(field)
  })
})

describe('an admin of some programs', () => {
  it('makes, sees and revokes keys for no others', async () => {
    const all = await makeKey({ name: 'all', role: 'reader' })
    const theirs = await makeKey({ name: 'theirs', role: 'reader', programs: ['other'] })
    const admin = await makeKey({ name: 'admin', role: 'admin', programs: ['test'] })
    const mine = await makeKey({ name: 'mine', role: 'crm' }, admin.key)
    expect(mine.programs).toEqual(['test'])
    const refused = await post({ name: 'x', role: 'reader', programs: ['test', 'other'] }, admin.key)
    expect(refused.body.detail).toBe('In the body: programs names other, which is not there; allowed: test.')
    const listed = (await served.ask('/v1/keys?limit=100', { key: admin.key })).body.keys
    const ids = listed.map(({ id }: { id: string }) => id)
    expect(ids).toEqual(expect.arrayContaining([mine.id, admin.id]))
    for (const { id, key } of [all, theirs]) {
      expect(ids).not.toContain(id)
      for (const method of ['GET', 'DELETE']) {
        const answer = await served.ask(`/v1/keys/${id}`, { method, key: admin.key })
        expect(answer.body).toMatchObject(problem('unknown-key', 404))
      }
      expect(await statusOf(key)).toBe(200)
    }
  })
})
