import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { Registry } from '../../src/model/registry.ts'

it('a promotion after half a line that a crash left is a line of its own', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'loyalcast-log-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const registry = new Registry(folder, 'shop')
  const now = { at: '2026-11-20T05:00:00Z', reason: 'a test' }
  for (const version of ['2026-11-19-1', '2026-11-20-1'])
    await registry.publish(version, { 'card.json': '{}' })
  await registry.promote('2026-11-19-1', now)
  await appendFile(join(folder, 'shop', 'promotions.ndjson'), '{"at":"2026-11-20T05:00:00Z","acti')
  expect(await registry.champion()).toBe('2026-11-19-1')
  await registry.promote('2026-11-20-1', now)
  expect((await registry.log()).map(({ version }) => version)).toEqual(['2026-11-19-1', '2026-11-20-1'])
})
