import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Registry } from '../../src/model/registry.ts'

const now = { at: '2026-11-20T05:00:00Z', reason: 'a test' }

describe('the registry', () => {
  let folder: string
  let registry: Registry

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'loyalcast-registry-'))
    registry = new Registry(folder, 'shop')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it('numbers the versions of a day and orders them by day and number', async () => {
    for (let i = 0; i < 11; i++)
      await registry.publish(await registry.nextVersion('2026-11-20'), { 'card.json': '{}' })
    await registry.publish(await registry.nextVersion('2026-11-19'), { 'card.json': '{}' })
    const versions = await registry.versions()
    expect(versions[0]).toBe('2026-11-19-1')
    expect(versions.slice(-2)).toEqual(['2026-11-20-10', '2026-11-20-11'])
  })

  it('publishes a version whole, bytes and texts alike, and leaves nothing aside', async () => {
    await registry.publish('2026-11-20-1', {
      'members.bin': new Uint8Array([1, 2, 255]),
      'card.md': '# card\n',
    })
    expect((await readdir(registry.folderOf('2026-11-20-1'))).sort()).toEqual(['card.md', 'members.bin'])
    expect([...(await readFile(join(registry.folderOf('2026-11-20-1'), 'members.bin')))]).toEqual([1, 2, 255])
    expect(await readdir(join(folder, 'shop'))).toEqual(['2026-11-20-1'])
  })

  it('serves what was promoted last and rolls back to what served before', async () => {
    expect(await registry.champion()).toBeNull()
    for (const version of ['2026-11-18-1', '2026-11-19-1', '2026-11-20-1']) {
      await registry.publish(version, { 'card.json': '{}' })
      await registry.promote(version, now)
    }
    expect(await registry.champion()).toBe('2026-11-20-1')
    expect((await registry.rollback(now)).version).toBe('2026-11-19-1')
    expect((await registry.rollback(now)).version).toBe('2026-11-18-1')
    await expect(registry.rollback(now)).rejects.toThrow('no version to roll back to')
    expect(await registry.champion()).toBe('2026-11-18-1')
  })

  it('never changes what its log says: every step is a line more', async () => {
    await registry.publish('2026-11-20-1', { 'card.json': '{}' })
    await registry.promote('2026-11-20-1', now)
    await registry.promote('2026-11-20-1', now)
    expect(await registry.log()).toHaveLength(2)
    await appendFile(join(folder, 'shop', 'promotions.ndjson'), '{"at":"half a li')
    expect(await registry.champion()).toBe('2026-11-20-1')
  })

  it('names the versions there are when asked for another one', async () => {
    await registry.publish('2026-11-20-1', { 'card.json': '{}' })
    await expect(registry.promote('2026-11-21-1', now)).rejects.toThrow('There are: 2026-11-20-1.')
    await expect(new Registry(folder, 'other').requireVersion('x')).rejects.toThrow('None was trained yet')
  })
})
