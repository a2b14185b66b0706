import { link, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'

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
  await syncPath(staged)
  await rename(staged, final)
  await syncPath(dirname(final))
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
  const handle = await open(staged, 'w')
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
  return staged
}

/** Appends a line to a log and waits until it is on the disk. */
export async function appendLine(path: string, line: string): Promise<void> {
  await makeFolder(dirname(path))
  const handle = await open(path, 'a')
  try {
    await handle.writeFile(`${line}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
