import { join } from 'node:path'
import { Database } from './database.ts'
import { openScratchFolder, removeScratchFolder } from './scratch.ts'

/** A database that spills into a folder of its own. Close it in the end: both are gone then. */
export interface ScratchDatabase {
  readonly database: Database
  close(): Promise<void>
}

/** Opens a database that spills into a folder within `parent`. **Errors** `storage` */
export async function openScratchDatabase(
  parent: string,
  { timezone }: { readonly timezone: string },
): Promise<ScratchDatabase> {
  const folder = await openScratchFolder(parent)
  const leave = () => removeScratchFolder(folder)
  try {
    const database = await Database.open({ spillFolder: join(folder, 'spill'), timezone })
    const close = () => {
      database.close()
      return leave()
    }
    return { database, close }
  } catch (error) {
    await leave()
    throw error
  }
}

/** Runs `work` with a database of its own that spills into a folder within `parent`; both are gone afterwards. */
export async function withScratchDatabase<T>(
  parent: string,
  program: { readonly timezone: string },
  work: (database: Database) => Promise<T>,
): Promise<T> {
  const { database, close } = await openScratchDatabase(parent, program)
  try {
    return await work(database)
  } finally {
    await close()
  }
}
