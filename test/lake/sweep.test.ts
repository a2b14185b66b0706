import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { emptyState } from '../../src/lake/commits.ts'
import { sweep } from '../../src/lake/sweep.ts'

const now = '2026-11-20T12:00:00Z'
const dayMs = 24 * 3600 * 1000

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sweep-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A file that came so many days ago, in folders in which nothing came or went since. */
async function leave(path: string, daysAgo: number): Promise<void> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, '')
  const at = new Date(Date.parse(now) - daysAgo * dayMs)
  for (let own = file; own !== folder; own = dirname(own)) await utimes(own, at, at)
}

describe('what nobody goes on with', () => {
  it('is swept away: runs after a day, what was kept after a month', async () => {
    const left: Record<string, number> = {
      'runs/2026-11-19-a/kept-0.json': 0.5,
      'runs/2026-11-18-b/kept-0.json': 2,
      'kept/aaaa/bucket=0/note.json': 20,
      'kept/bbbb/bucket=0/note.json': 31,
    }
    for (const [path, days] of Object.entries(left)) await leave(path, days)
    await sweep(folder, emptyState, now)
    expect(Object.keys(left).filter((path) => existsSync(join(folder, path)))).toEqual([
      'runs/2026-11-19-a/kept-0.json',
      'kept/aaaa/bucket=0/note.json',
    ])
  })
})
