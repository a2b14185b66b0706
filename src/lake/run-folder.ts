import { existsSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { makeFolder, publish, writeWhole } from './durable-files.ts'

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

  /** Says that a step is done. What it wrote must be on the disk. */
  async note(step: string, said: unknown): Promise<void> {
    await writeWhole(this.#notePath(step), JSON.stringify(said))
  }

  /** Where a finished file of a step lies. */
  pathOf(file: string): string {
    return join(this.path, file)
  }

  /** Puts a finished file where the others look for it. */
  async keep(staged: string, file: string): Promise<void> {
    await publish(staged, this.pathOf(file))
  }

  /** Removes the run, and what others left that were killed: all whose id begins so. */
  async remove(prefix: string): Promise<void> {
    await rm(this.path, { recursive: true, force: true })
    const all = dirname(this.path)
    for (const id of await readdir(all).catch(() => []))
      if (id.startsWith(prefix)) await rm(join(all, id), { recursive: true, force: true })
  }

  #notePath(step: string): string {
    return join(this.path, `${step}.json`)
  }
}
