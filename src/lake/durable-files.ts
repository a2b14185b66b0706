import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { failure } from '../domain/errors.ts'

/** Forces a file's or folder's content to the disk. */
async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Makes a folder and those around it; their names are on the disk when this returns. Where it is there already it may
 * also be a file: what then wants to write into it says so.
 *
 * Step by step, since Node's own recursion never ends where the system refuses a folder with ENOENT, as in /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  const whole = resolve(path)
  if (await isMade(whole)) return
  await makeFolder(dirname(whole))
  await mkdir(whole).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  await syncPath(dirname(whole))
}

async function isMade(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
}

/** Moves a finished file or folder to where it is read: on the disk first, then under its name, then the name on the disk. */
export async function publish(staged: string, final: string): Promise<void> {
  await makeFolder(dirname(final))
  await settle(staged, final)
}

/** The same within a folder that must be there: whoever removed it wants nothing more in it. */
export async function settle(staged: string, final: string): Promise<void> {
  await syncPath(staged)
  await rename(staged, final)
  await syncPath(dirname(final))
}

/**
 * The place of a file that a person names must be free for one, and in a folder that is there.
 *
 * **Errors** `storage`, with what to do.
 */
export async function requirePlace(file: string): Promise<void> {
  const isFolder = (path: string) =>
    stat(path).then(
      (found) => found.isDirectory(),
      () => false,
    )
  if (await isFolder(file))
    throw failure('storage', `${file} cannot be written: it is a folder. Name a file in it.`)
  if (!(await isFolder(dirname(file))))
    throw failure('storage', `${file} cannot be written: there is no folder ${dirname(file)}. Make it first.`)
}

/** Writes a whole file, in place of one that is there: readers see the old one or the new one. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const staged = await writeAside(path, content)
  try {
    await publish(staged, path)
  } finally {
    await rm(staged, { force: true })
  }
}

/** Writes a whole file unless there is one of that name; false where there is. */
export async function writeNew(path: string, content: string | Uint8Array): Promise<boolean> {
  const staged = await writeAside(path, content)
  try {
    await link(staged, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(staged, { force: true })
  }
  await syncPath(dirname(path))
  return true
}

async function writeAside(path: string, content: string | Uint8Array): Promise<string> {
  await makeFolder(dirname(path))
  const staged = `${path}.${process.pid}.tmp`
  await writeThrough(staged, content)
  return staged
}

/**
 * Writes or appends, and waits until it is on the disk. Where that fails the error says in which file, as Node's own do
 * not once a file is open.
 */
export async function writeThrough(
  path: string,
  content: string | Uint8Array,
  flag: 'w' | 'a' = 'w',
): Promise<void> {
  const handle = await open(path, flag)
  try {
    await handle.writeFile(content)
    await handle.sync()
  } catch (error) {
    throw Object.assign(error as Error, { path })
  } finally {
    await handle.close()
  }
}

/** Appends a line to a log and waits until it is on the disk. Half a line that a crash left stays a line of its own. */
export async function appendLine(path: string, line: string): Promise<void> {
  await makeFolder(dirname(path))
  const text = await readFile(path, 'utf8').catch(() => '')
  const isWhole = text === '' || text.endsWith('\n')
  await writeThrough(path, `${isWhole ? '' : '\n'}${line}\n`, 'a')
  await syncPath(dirname(path))
}
