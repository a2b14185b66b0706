import { mkdir, readFile, readlink, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { lock } from 'proper-lockfile'
import { failure } from '../domain/errors.ts'
import type { Reporter } from '../domain/progress.ts'
import { makeFolder } from './durable-files.ts'

/** A lock that nobody renewed for so long is free: its holder is on a machine that died. */
const staleMs = 60_000

type Release = () => Promise<void>

/**
 * Runs `work` while no other process writes the folder. A second writer waits up to `waitMinutes`, saying so. The lock
 * of a process that died is taken over: at once where it ran on this machine, else after a minute.
 *
 * **Errors** `storage` where the folder cannot be written, `locked` where the other one is not done in time.
 */
export async function whileLocked<T>(
  folder: string,
  options: { reporter: Reporter; waitMinutes?: number },
  work: () => Promise<T>,
): Promise<T> {
  await makeWritable(folder)
  const release = await acquire(folder, options)
  try {
    return await work()
  } finally {
    await release()
  }
}

async function makeWritable(folder: string): Promise<void> {
  const refuse = (error: Error) => {
    throw failure('storage', `${folder} cannot be made: ${error.message}. Give another folder with --data.`)
  }
  await makeFolder(folder).catch(refuse)
  if (!(await stat(folder).catch(refuse)).isDirectory()) refuse(new Error('it is a file'))
}

async function acquire(
  folder: string,
  { reporter, waitMinutes = 10 }: { reporter: Reporter; waitMinutes?: number },
): Promise<Release> {
  const deadline = Date.now() + waitMinutes * 60_000
  let hasWaited = false
  for (;;) {
    const release = await tryLock(folder)
    if (release) return release
    if (await freeDeadLock(folder)) continue
    if (!hasWaited) reporter.warn(`Another process is writing ${folder}; waiting for it.`)
    hasWaited = true
    if (Date.now() > deadline) {
      throw failure('locked', `Another process is still writing ${folder}. Try again when it is done.`)
    }
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}

/** Null where somebody else holds it. */
async function tryLock(folder: string): Promise<Release | null> {
  try {
    const unlock = await lock(folder, { stale: staleMs, update: 5_000, onCompromised: () => {} })
    await writeFile(holderPath(folder), await ownName())
    return async () => {
      await rm(holderPath(folder), { force: true })
      await unlock().catch(() => {})
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ELOCKED') return null
    throw failure('storage', `${folder} cannot be locked: ${message}. Check the folder's rights.`)
  }
}

function holderPath(folder: string): string {
  return `${folder}.holder`
}

/** This process, told apart from those of other machines and containers. */
async function ownName(pid = process.pid): Promise<string> {
  const space = await readlink('/proc/self/ns/pid').catch(() => '')
  return `${pid} ${hostname()} ${space}`
}

/**
 * Removes the lock of a process of this machine that is gone; true where it did.
 *
 * Of several that find it dead one removes it. The holder's name goes first, so that none mistakes the next holder's
 * lock for the dead one's.
 */
async function freeDeadLock(folder: string): Promise<boolean> {
  const takeover = `${folder}.takeover`
  if (!(await isHolderDead(folder)) || !(await makeAlone(takeover))) return false
  try {
    if (!(await isHolderDead(folder))) return false
    await rm(holderPath(folder), { force: true })
    await rm(`${folder}.lock`, { recursive: true, force: true })
    return true
  } finally {
    await rmdir(takeover).catch(() => {})
  }
}

async function isHolderDead(folder: string): Promise<boolean> {
  const name = await readFile(holderPath(folder), 'utf8').catch(() => '')
  const pid = Number.parseInt(name, 10)
  if (!Number.isSafeInteger(pid) || name !== (await ownName(pid))) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** Makes a folder that others make too; true for the one that did. What a killed process left is removed. */
async function makeAlone(path: string): Promise<boolean> {
  const made = await mkdir(path).then(
    () => true,
    () => false,
  )
  if (made) return true
  const left = await stat(path).catch(() => null)
  if (left && Date.now() - left.mtimeMs > staleMs) await rmdir(path).catch(() => {})
  return false
}
