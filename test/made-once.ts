import { existsSync } from 'node:fs'
import { cp, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { inject } from 'vitest'
import type { MadeProgram } from './programs.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** A folder of all test files of one run, removed after it. */
    readonly sharedFolder: string
  }
}

type Folders = Pick<MadeProgram, 'dataFolder' | 'modelsFolder'>

/**
 * Fills the folders of a program with what takes long to make and is the same for several test files: the first file
 * that asks makes it, all get copies. Two that ask at once make it twice.
 *
 * @param name tells what is made from anything else that is made of programs of the same kind.
 */
export async function madeOnce(
  into: Folders,
  name: string,
  make: (folders: Folders) => Promise<void>,
): Promise<void> {
  const shared = inject('sharedFolder')
  const whole = join(shared, name)
  if (!existsSync(whole)) {
    const aside = await mkdtemp(join(shared, 'making-'))
    await make(foldersIn(aside))
    await rename(aside, whole).catch(async (error) => {
      if (!existsSync(whole)) throw error
      await rm(aside, { recursive: true })
    })
  }
  const made = foldersIn(whole)
  await cp(made.dataFolder, into.dataFolder, { recursive: true })
  await cp(made.modelsFolder, into.modelsFolder, { recursive: true })
}

function foldersIn(folder: string): Folders {
  return { dataFolder: join(folder, 'data'), modelsFolder: join(folder, 'models') }
}
