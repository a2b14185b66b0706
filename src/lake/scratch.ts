import { mkdtemp, readdir, readlink, rm, rmdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { storageFailure } from '../domain/errors.ts'
import { fateOf, processName } from './process-name.ts'

const prefix = '.loyalcast-'

/**
 * Runs `work` with a folder of its own within `parent`, gone afterwards. Folders of processes that were killed go too.
 *
 * **Errors** `storage` where it cannot be made.
 */
export async function withScratchFolder<T>(parent: string, work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await openScratchFolder(parent)
  try {
    return await work(folder)
  } finally {
    await removeScratchFolder(folder)
  }
}

/** The same for longer than a piece of work: {@link removeScratchFolder} it in the end. **Errors** `storage` */
export function openScratchFolder(parent: string): Promise<string> {
  return makeScratchFolder(parent).catch((error) => {
    throw storageFailure(error, parent) ?? error
  })
}

export async function removeScratchFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}

async function makeScratchFolder(parent: string): Promise<string> {
  for (const name of await readdir(parent)) {
    if (name.startsWith(prefix) && (await isAbandoned(join(parent, name))))
      await rm(join(parent, name), { recursive: true, force: true })
  }
  const folder = await mkdtemp(join(parent, prefix))
  try {
    await symlink(await processName(), ownerPath(folder))
  } catch (error) {
    // Another process took it for abandoned before it had an owner.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return makeScratchFolder(parent)
    throw error
  }
  return folder
}

/** A link that points at the name of the process whose folder it is. */
function ownerPath(folder: string): string {
  return join(folder, 'owner')
}

async function isAbandoned(folder: string): Promise<boolean> {
  const owner = await readlink(ownerPath(folder)).catch(() => null)
  if (owner !== null) return (await fateOf(owner)) === 'gone'
  await rmdir(folder).catch(() => {})
  return false
}
