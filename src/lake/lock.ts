import { mkdir } from 'node:fs/promises'
import { lock } from 'proper-lockfile'
import { failure } from '../domain/errors.ts'
import type { Reporter } from '../domain/progress.ts'

/**
 * Runs `work` while no other process writes the folder. A second writer waits up to `waitMinutes`, saying so; a lock
 * whose holder died is taken over after a minute.
 */
export async function whileLocked<T>(
  folder: string,
  options: { reporter: Reporter; waitMinutes?: number },
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(folder, { recursive: true }).catch((error: Error) => {
    throw failure('storage', `${folder} cannot be made: ${error.message}`)
  })
  const settings = { stale: 60_000, update: 5_000, onCompromised: () => {} }
  const release = await lock(folder, settings).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ELOCKED') throw failure('storage', `${folder} cannot be locked: ${error.message}`)
    options.reporter.warn(`Another process is writing ${folder}; waiting for it.`)
    const retries = {
      retries: (options.waitMinutes ?? 10) * 60,
      factor: 1,
      minTimeout: 1000,
      maxTimeout: 1000,
    }
    return lock(folder, { ...settings, retries }).catch(() => {
      throw failure('locked', `Another process is still writing ${folder}. Try again when it is done.`)
    })
  })
  try {
    return await work()
  } finally {
    await release().catch(() => {})
  }
}
