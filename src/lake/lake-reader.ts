import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Program } from '../domain/program.ts'
import { type LakeState, readLakeState } from './commits.ts'
import { type Lake, lakeFolder } from './lake.ts'

/**
 * Reads one lake again and again, for a process that stays up: the log of commits is read only when it has changed,
 * so what another process publishes is seen by the next call.
 */
export class LakeReader {
  readonly #folder: string
  #known: { readonly mark: string; readonly state: Promise<LakeState> } | null = null

  constructor(dataFolder: string, program: Pick<Program, 'name'>) {
    this.#folder = lakeFolder(dataFolder, program)
  }

  /** The lake as of its latest commit. **Errors** those of {@link readLakeState}. */
  async current(): Promise<Lake> {
    const mark = await latestCommit(this.#folder)
    if (this.#known?.mark !== mark) this.#known = { mark, state: readLakeState(this.#folder) }
    const known = this.#known
    try {
      return { folder: this.#folder, state: await known.state }
    } catch (error) {
      if (this.#known === known) this.#known = null
      throw error
    }
  }
}

/** Tells the latest record of a lake from every other one, also from its namesake in a lake that was made anew. */
export async function latestCommit(lakeFolder: string): Promise<string> {
  const folder = join(lakeFolder, 'commits')
  const names = await readdir(folder).catch(() => [])
  const latest = names
    .filter((name) => /^\d{8}\.json$/.test(name))
    .sort()
    .at(-1)
  if (latest === undefined) return 'none'
  return markOf(join(folder, latest)).catch(() => 'gone')
}

/** Names a file as it is now: one of the same path in a lake that was made anew has another mark. */
export async function markOf(path: string): Promise<string> {
  const { ino, size, mtimeMs } = await stat(path)
  return `${path} ${ino} ${size} ${mtimeMs}`
}
