import { join } from 'node:path'
import { Database, type DatabaseOptions } from './database.ts'
import { openScratchFolder, removeScratchFolder } from './scratch.ts'

/** A database that spills into a folder of its own. Close it in the end: both are gone then. */
export interface ScratchDatabase {
  readonly database: Database
  /** For what is not finished yet; empty but for what spills. */
  readonly folder: string
  close(): Promise<void>
}

type ScratchOptions = Pick<DatabaseOptions, 'timezone' | 'threads' | 'memoryLimit'>

/** Opens a database that spills into a folder within `parent`. **Errors** `storage` */
export async function openScratchDatabase(
  parent: string,
  { timezone, threads, memoryLimit }: ScratchOptions,
): Promise<ScratchDatabase> {
  const folder = await openScratchFolder(parent)
  const leave = () => removeScratchFolder(folder)
  try {
    const database = await Database.open({
      ...{ spillFolder: join(folder, 'spill'), timezone },
      ...(threads !== undefined && { threads }),
      ...(memoryLimit !== undefined && { memoryLimit }),
    })
    const close = () => {
      database.close()
      return leave()
    }
    return { database, folder, close }
  } catch (error) {
    await leave()
    throw error
  }
}

/** Runs `work` with a database and a folder of its own within `parent`; both are gone afterwards. */
export async function withScratchDatabase<T>(
  parent: string,
  options: ScratchOptions,
  work: (database: Database, folder: string) => Promise<T>,
): Promise<T> {
  const { database, folder, close } = await openScratchDatabase(parent, options)
  try {
    return await work(database, folder)
  } finally {
    await close()
  }
}
