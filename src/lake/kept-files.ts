import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { isDay } from '../domain/days.ts'
import { makeFolder, publish, writeWhole } from './durable-files.ts'

/** Where a lake keeps what is worked out from its rows, so that the next day need not read them all again. */
export const keptFolder = 'kept'

const keptNote = z.object({
  /** The day at whose end it was so. */
  date: z.string().refine(isDay),
  /** Files of the lake whose rows are in it, relative to the lake. */
  from: z.array(z.string()),
  /** Parts → file, relative to the folder. */
  parts: z.record(z.string(), z.string()),
})
export type KeptNote = z.infer<typeof keptNote>

/**
 * What is kept of some buckets for one purpose. It may be lost at any time: whatever is missing or made from rows that
 * do not count any more is worked out anew.
 */
export class KeptFiles {
  /** Absolute. */
  readonly path: string

  /** @param purpose all that decides what is kept: what was kept for another purpose is not found */
  constructor(lakeFolder: string, purpose: unknown, buckets: readonly number[]) {
    const key = createHash('sha256').update(JSON.stringify(purpose)).digest('hex').slice(0, 16)
    this.path = join(lakeFolder, keptFolder, key, `bucket=${buckets.join('-')}`)
  }

  /** What was kept last; null: nothing that can be used. */
  async read(): Promise<KeptNote | null> {
    const text = await readFile(this.#notePath, 'utf8').catch(() => null)
    if (text === null) return null
    const note = parseNote(text)
    const isThere = note !== null && Object.values(note.parts).every((file) => existsSync(this.pathOf(file)))
    return isThere ? note : null
  }

  /** Absolute. */
  pathOf(file: string): string {
    return join(this.path, file)
  }

  /**
   * Keeps finished files in place of what was kept before; cut off, it can be done again.
   *
   * @param staged parts → file, absolute. @param id files of the same id are the same
   */
  async keep(
    { date, from, staged }: Omit<KeptNote, 'parts'> & { staged: Readonly<Record<string, string>> },
    id: string,
  ): Promise<void> {
    await makeFolder(this.path)
    const parts: Record<string, string> = {}
    for (const [part, path] of Object.entries(staged)) {
      parts[part] = `${id}-${part}.parquet`
      if (existsSync(path)) await publish(path, this.pathOf(parts[part]))
    }
    await writeWhole(this.#notePath, JSON.stringify({ date, from, parts } satisfies KeptNote))
    const used = new Set([...Object.values(parts), noteName])
    for (const name of await readdir(this.path)) if (!used.has(name)) await rm(this.pathOf(name))
  }

  get #notePath(): string {
    return this.pathOf(noteName)
  }
}

const noteName = 'note.json'

function parseNote(text: string): KeptNote | null {
  try {
    return keptNote.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}
