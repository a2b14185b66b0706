import { statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Program } from '../domain/program.ts'
import { type LakeState, readLakeState, recordPath } from './commits.ts'
import { type Lake, lakeFolder } from './lake.ts'

/**
 * Reads one lake again and again, for a process that stays up: the log of commits is read only when it has changed,
 * so what another process publishes is seen by the next call.
 */
export class LakeReader {
  readonly #folder: string
  #known: {
    readonly record: string | null
    readonly mark: string
    readonly state: Promise<LakeState>
  } | null = null

  constructor(dataFolder: string, program: Pick<Program, 'name'>) {
    this.#folder = lakeFolder(dataFolder, program)
  }

  /** The lake as of its latest commit. **Errors** those of {@link readLakeState}. */
  async current(): Promise<Lake> {
    if (this.#known === null || !this.#isLatest(this.#known)) {
      const record = await latestRecord(this.#folder)
      const mark = markOfRecord(record)
      if (this.#known?.mark !== mark) this.#known = { record, mark, state: readLakeState(this.#folder) }
    }
    const known = this.#known
    try {
      return { folder: this.#folder, state: await known.state }
    } catch (error) {
      if (this.#known === known) this.#known = null
      throw error
    }
  }

  /** Two looks at the disk, which every request can afford: the record is there as it was, and none follows it. */
  #isLatest({ record, mark }: { record: string | null; mark: string }): boolean {
    if (record === null) return false
    return markNow(record) === mark && markNow(recordPath(this.#folder, sequenceOf(record) + 1)) === null
  }
}

/** Tells the latest record of a lake from every other one, also from its namesake in a lake that was made anew. */
export async function latestCommit(lakeFolder: string): Promise<string> {
  return markOfRecord(await latestRecord(lakeFolder))
}

function markOfRecord(record: string | null): string {
  return record === null ? 'none' : (markNow(record) ?? 'gone')
}

async function latestRecord(lakeFolder: string): Promise<string | null> {
  const folder = join(lakeFolder, 'commits')
  const names = await readdir(folder).catch(() => [])
  const latest = names
    .filter((name) => /^\d{8}\.json$/.test(name))
    .sort()
    .at(-1)
  return latest === undefined ? null : join(folder, latest)
}

function sequenceOf(record: string): number {
  return Number(basename(record, '.json'))
}

/** Names a file as it is now, null where there is none: one of the same path in a lake that was made anew has another mark. */
export function markNow(path: string): string | null {
  const found = statSync(path, { throwIfNoEntry: false })
  return found === undefined ? null : `${path} ${found.ino} ${found.size} ${found.mtimeMs}`
}
