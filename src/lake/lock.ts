import { lstat, lutimes, mkdir, readlink, rm, rmdir, stat, symlink } from 'node:fs/promises'
import { failure } from '../domain/errors.ts'
import type { Reporter } from '../domain/progress.ts'
import { makeFolder } from './durable-files.ts'
import { fateOf, processName } from './process-name.ts'

/** Where a holder cannot be looked up: a lock that nobody renewed for so long is free. */
const staleMs = 60_000
const renewMs = 5_000

export type Release = () => Promise<void>

/**
 * Runs `work` while no other process writes the folder. A second writer waits up to `waitMinutes`, saying so. The lock
 * of a process that died is taken over: at once where it ran on this machine, else after a minute.
 *
 * The lock is a link beside the folder that points at the holder's name: it comes into being with that name, so a
 * process killed at any moment leaves either no lock or one that says whose it was.
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
    throw failure(
      'storage',
      `${folder} cannot be made: ${error.message}. Check the rights and the space there, or give another folder (--data, --models).`,
      { cause: error },
    )
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

/** Takes the lock of something without waiting, from whoever died if need be; null where somebody else holds it. */
export async function takeLock(path: string): Promise<Release | null> {
  const release = await tryLock(path)
  return release === null && (await freeDeadLock(path)) ? tryLock(path) : release
}

/** Whether somebody who is not known to have died holds the lock of something. */
export async function isLocked(path: string): Promise<boolean> {
  return (await holderOf(lockOf(path))) !== null && !(await isDead(lockOf(path)))
}

function lockOf(folder: string): string {
  return `${folder}.lock`
}

/** Null where somebody else holds it. */
async function tryLock(folder: string): Promise<Release | null> {
  const path = lockOf(folder)
  const own = await processName()
  try {
    await symlink(own, path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return null
    throw failure(
      'storage',
      `${folder} cannot be locked: ${message}. Check the rights and the space of the folder around it.`,
      { cause: error },
    )
  }
  const renewal = setInterval(() => {
    const now = new Date(Date.now())
    lutimes(path, now, now).catch(() => {})
  }, renewMs)
  renewal.unref()
  return async () => {
    clearInterval(renewal)
    // Whoever thought this process dead has a lock of its own by now.
    if ((await holderOf(path)) === own) await rm(path, { force: true })
  }
}

/** The name of the process that holds a lock; null where none does. */
async function holderOf(path: string): Promise<string | null> {
  return readlink(path).catch(() => null)
}

/** Removes the lock of a process that is gone; true where it did. Of several that find it dead one removes it. */
async function freeDeadLock(folder: string): Promise<boolean> {
  const takeover = `${folder}.takeover`
  if (!(await isDead(lockOf(folder))) || !(await makeAlone(takeover))) return false
  try {
    if (!(await isDead(lockOf(folder)))) return false
    await rm(lockOf(folder), { recursive: true, force: true })
    return true
  } finally {
    await rmdir(takeover).catch(() => {})
  }
}

async function isDead(path: string): Promise<boolean> {
  const holder = await holderOf(path)
  const fate = holder === null ? 'unknown' : await fateOf(holder)
  return fate === 'gone' || (fate === 'unknown' && (await isOld(path)))
}

async function isOld(path: string): Promise<boolean> {
  const left = await lstat(path).catch(() => null)
  return left !== null && Date.now() - left.mtimeMs > staleMs
}

/** Makes a folder that others make too; true for the one that did. What a killed process left is removed. */
async function makeAlone(path: string): Promise<boolean> {
  const isMade = await mkdir(path).then(
    () => true,
    () => false,
  )
  if (!isMade && (await isOld(path))) await rmdir(path).catch(() => {})
  return isMade
}
