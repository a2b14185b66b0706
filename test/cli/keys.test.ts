import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { hashOfKey, isSameHash } from '../../src/control/api-keys.ts'
import { openServerControl } from '../../src/control/server-control.ts'
import { loyalcastHere } from './commands.ts'

let data: string
beforeAll(async () => {
  data = await mkdtemp(join(tmpdir(), 'loyalcast-keys-'))
})
beforeEach(() => void vi.stubEnv('LOYALCAST_NOW', '2026-11-20T12:00:00Z'))
afterEach(() => vi.unstubAllEnvs())
afterAll(() => rm(data, { recursive: true, force: true }))

const keys = (...args: string[]) => loyalcastHere(['keys', ...args, '--data', data])
const create = async (...args: string[]) => {
  const { code, stdout } = await keys('create', '--json', ...args)
  expect(code).toBe(0)
  return JSON.parse(stdout)
}

describe('loyalcast keys', () => {
  it('makes a key, shows it once and keeps its hash', async () => {
    const made = await create(
      ...['--name', 'CRM pull', '--role', 'crm', '--program', 'shop', '--program', 'staff'],
      ...['--expires', '2027-06-30'],
    )
    expect(made).toEqual({
      ...{ id: expect.stringMatching(/^[a-z0-9]{14}$/), name: 'CRM pull', role: 'crm' },
      ...{
        programs: ['shop', 'staff'],
        created_at: '2026-11-20T12:00:00Z',
        expires_at: '2027-07-01T00:00:00Z',
      },
      ...{ last_used_at: null, revoked_at: null, key: expect.stringMatching(/^lc_[a-z0-9]{14}_[\w-]{43}$/) },
    })
    const control = await openServerControl(data)
    const kept = await control.keys.find(made.id)
    await control.close()
    expect(isSameHash(hashOfKey(made.key), kept?.hash as Buffer)).toBe(true)
    const { stderr } = await keys()
    expect(stderr).toContain(
      `${made.id}  CRM pull: crm, shop and staff, works until 2027-07-01T00:00:00Z, never used`,
    )
    expect(stderr).not.toContain(made.key)
  })

  it('never makes the same key twice', async () => {
    const [one, other] = [
      await create('--name', 'a', '--role', 'reader'),
      await create('--name', 'a', '--role', 'reader'),
    ]
    expect(one.id).not.toBe(other.id)
    expect(one.key.split('_')[2]).not.toBe(other.key.split('_')[2])
  })

  it('revokes a key, which stays in the list', async () => {
    const { id } = await create('--name', 'old', '--role', 'reader')
    expect((await keys('revoke', id)).stderr).toContain(`${id} (old) is refused from now on`)
    expect((await keys('list')).stderr).toContain(
      `${id}  old: reader, all programs, was revoked at 2026-11-20T12:00:00Z, never used`,
    )
    const { stdout } = await keys('--json')
    const found = JSON.parse(stdout).keys.find((one: { id: string }) => one.id === id)
    expect(found).toMatchObject({ programs: null, revoked_at: '2026-11-20T12:00:00Z' })
    expect(stdout).not.toContain('hash')
  })

  it('says of a list without keys how to make one', async () => {
    const { code, stderr } = await loyalcastHere(['keys', '--data', join(data, 'new')])
    expect([code, stderr]).toEqual([0, expect.stringContaining('loyalcast keys create --name')])
  })

  it.each([
    [['create', '--role', 'crm'], /needs --name/],
    [['create', '--name', 'x'], /needs --role; it is one of reader, crm/],
    [['create', '--name', 'x', '--role', 'owner'], /Allowed choices are reader, crm/],
    [['create', '--name', 'x', '--role', 'crm', '--program', '../x'], /--program is \.\.\/x/],
    [['create', '--name', 'x', '--role', 'crm', '--expires', 'soon'], /--expires is soon; a day looks like/],
    [['create', '--name', 'x', '--role', 'crm', '--expires', '2026-11-19'], /2026-11-19, which is over/],
    [['revoke'], /needs the id/],
    [['revoke', 'nobody'], /no key with the id nobody/],
    [['rotate'], /the action is one of list, create, revoke/],
  ])('refuses %j in one sentence, with code 2', async (args, words) => {
    const { code, stdout, stderr } = await keys(...args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toMatch(words)
  })
})
