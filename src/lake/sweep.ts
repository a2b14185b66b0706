import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { tableNames } from '../domain/program.ts'
import { type LakeState, namedPaths } from './commits.ts'
import { keptFolder } from './kept-files.ts'
import { runsFolder } from './run-folder.ts'

/** So long may a reader go on reading files that no longer count, and a run that was killed be taken up again. */
const graceMs = 24 * 3600 * 1000
/** So long is kept what no daily run asked for. */
const keptMs = 30 * graceMs

/**
 * Removes what a killed writer left behind, and what stopped counting a day ago. Call it only while holding the lock.
 *
 * @param now the clock, ISO 8601.
 */
export async function sweep(folder: string, state: LakeState, now: string): Promise<void> {
  await rm(join(folder, 'staging'), { recursive: true, force: true })
  const kept = new Set(namedPaths(state))
  for (const [path, at] of state.removed) if (Date.parse(now) - Date.parse(at) < graceMs) kept.add(path)
  for (const part of [...tableNames, 'quarantine', 'predictions']) {
    for (const path of await filesIn(folder, part)) if (!kept.has(path)) await rm(join(folder, path))
  }
  for (const path of await filesIn(folder, 'commits')) {
    if (path.endsWith('.tmp')) await rm(join(folder, path))
  }
  // Runs in which nothing was finished for long: their lake is not the latest any more.
  await sweepOld(join(folder, runsFolder), { now, graceMs })
  // What was kept for versions that do not serve any more.
  await sweepOld(join(folder, keptFolder), { now, graceMs: keptMs })
}

/** Removes folders in which nothing came or went for so long, nor in the folders within. */
async function sweepOld(folder: string, { now, graceMs }: { now: string; graceMs: number }): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const own = join(folder, name)
    const within = (await readdir(own).catch(() => [])).map((entry) => join(own, entry))
    // Workers of a run may finish something meanwhile: what is gone by then was changed just now.
    const changed = (path: string) =>
      stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => Date.parse(now),
      )
    const times = await Promise.all([own, ...within].map(changed))
    if (Date.parse(now) - Math.max(...times) >= graceMs) await rm(own, { recursive: true, force: true })
  }
}

/** Paths relative to the lake. */
async function filesIn(folder: string, part: string): Promise<string[]> {
  const found = await readdir(join(folder, part), { recursive: true, withFileTypes: true }).catch(() => [])
  return found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
}
