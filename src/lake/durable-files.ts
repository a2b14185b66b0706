import { mkdir, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Forces a file's or folder's content to the disk. */
async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Moves a finished file or folder to where it is read: on the disk first, then under its name, then the name on the disk. */
export async function publish(staged: string, final: string): Promise<void> {
  await mkdir(dirname(final), { recursive: true })
  await syncPath(staged)
  await rename(staged, final)
  await syncPath(dirname(final))
}

/** Writes a whole file so that a reader sees the old one or the new one, never half of it. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const staged = `${path}.tmp`
  const handle = await open(staged, 'w')
  try {
    await handle.writeFile(content)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(staged, path)
  await syncPath(dirname(path))
}

/** Appends a line to a log and waits until it is on the disk. */
export async function appendLine(path: string, line: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const handle = await open(path, 'a')
  try {
    await handle.writeFile(`${line}\n`)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
