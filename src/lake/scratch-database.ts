import { join } from 'node:path'
import { Database } from './database.ts'
import { withScratchFolder } from './scratch.ts'

/** Runs `work` with a database of its own that spills into a folder within `parent`; both are gone afterwards. */
export function withScratchDatabase<T>(
  parent: string,
  { timezone }: { readonly timezone: string },
  work: (database: Database) => Promise<T>,
): Promise<T> {
  return withScratchFolder(parent, async (folder) => {
    const database = await Database.open({ spillFolder: join(folder, 'spill'), timezone })
    try {
      return await work(database)
    } finally {
      database.close()
    }
  })
}
