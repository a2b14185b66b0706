import { existsSync } from 'node:fs'
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeFolder, settle, writeThrough } from './durable-files.ts'

/** Where a lake keeps what runs have finished so far. */
export const runsFolder = 'runs'

/**
 * What a run of many steps has finished so far: files, and for each step a note that is written last. A step with a note
 * is done, whoever did it; without one it is done again, from the start.
 */
export class RunFolder {
  /** Absolute. */
  readonly path: string

  /** @param id of the run: the same for everybody who works at it. */
  constructor(lakeFolder: string, id: string) {
    this.path = join(lakeFolder, runsFolder, id)
  }

  make(): Promise<void> {
    return makeFolder(this.path)
  }

  /** False: it was not begun, or is over. */
  isThere(): boolean {
    return existsSync(this.path)
  }

  /** What a step noted when it was done; null where it is not. */
  async noteOf<T>(step: string): Promise<T | null> {
    const text = await readFile(this.#notePath(step), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
    return text === null ? null : (JSON.parse(text) as T)
  }

  /** Says that a step is done. What it wrote must be on the disk. **Errors** ENOENT where the run is over. */
  async note(step: string, said: unknown): Promise<void> {
    const staged = `${this.#notePath(step)}.${process.pid}.tmp`
    await writeThrough(staged, JSON.stringify(said))
    await settle(staged, this.#notePath(step))
  }

  /** Where a finished file of a step lies. */
  pathOf(file: string): string {
    return join(this.path, file)
  }

  /** Puts a finished file where the others look for it. **Errors** ENOENT where the run is over. */
  async keep(staged: string, file: string): Promise<void> {
    await settle(staged, this.pathOf(file))
  }

  /**
   * Ends the run at once, also for those who still work at it, and removes it with what others left that were killed:
   * all whose id begins so.
   */
  async remove(prefix: string): Promise<void> {
    await rename(this.path, `${this.path}.over`)
    const all = dirname(this.path)
    // Who does not know yet that it is over may write a last file while it goes.
    for (const id of await readdir(all))
      if (id.startsWith(prefix)) await rm(join(all, id), { recursive: true, force: true, maxRetries: 5 })
  }

  #notePath(step: string): string {
    return join(this.path, `${step}.json`)
  }
}
