import { existsSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { usageError } from '../domain/errors.ts'
import { appendLine, makeFolder, publish, writeThrough } from '../lake/durable-files.ts'

const promotion = z.object({
  /** When, ISO 8601. */
  at: z.string(),
  action: z.enum(['promote', 'rollback']),
  version: z.string(),
  /** The champion before it, or null. */
  previous: z.string().nullable(),
  reason: z.string(),
})
export type Promotion = z.infer<typeof promotion>

/** The versions of one program: immutable folders and an append-only log of which of them served when. */
export class Registry {
  readonly #folder: string

  constructor(modelsFolder: string, program: string) {
    this.#folder = join(modelsFolder, program)
  }

  /** Oldest first. */
  async versions(): Promise<string[]> {
    const entries = await readdir(this.#folder, { withFileTypes: true }).catch(() => [])
    const names = entries
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
      .map((entry) => entry.name)
    return names.sort(byDayAndNumber)
  }

  folderOf(version: string): string {
    return join(this.#folder, version)
  }

  /** The name of the next version trained as of a day: `2026-11-20-1`, `-2`, … */
  async nextVersion(asOf: string): Promise<string> {
    const numbers = (await this.versions())
      .filter((version) => version.startsWith(`${asOf}-`))
      .map((version) => Number(version.slice(asOf.length + 1)))
    return `${asOf}-${Math.max(0, ...numbers) + 1}`
  }

  /**
   * A version of that day with the same files: training again from the same rows makes no other one, and a training
   * that was killed before its promotion is taken up where it stopped. Null where there is none.
   */
  async findEqual(
    asOf: string,
    files: Readonly<Record<string, string | Uint8Array>>,
  ): Promise<string | null> {
    const ofDay = (await this.versions()).filter((version) => version.startsWith(`${asOf}-`))
    for (const version of ofDay) if (await this.#holds(version, files)) return version
    return null
  }

  async #holds(version: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<boolean> {
    for (const [name, content] of Object.entries(files)) {
      const stored = await readFile(join(this.folderOf(version), name)).catch(() => null)
      if (!stored?.equals(Buffer.from(content))) return false
    }
    return true
  }

  /**
   * Writes a version aside, then gives it its name: it is there whole or not at all. What killed trainings left aside
   * goes, so call it only while holding the lock of the folder.
   */
  async publish(version: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
    const staged = join(this.#folder, `.${version}`)
    await makeFolder(this.#folder)
    await this.#sweep()
    await makeFolder(staged)
    for (const [name, content] of Object.entries(files)) await writeThrough(join(staged, name), content)
    await publish(staged, this.folderOf(version))
  }

  async #sweep(): Promise<void> {
    for (const name of await readdir(this.#folder)) {
      if (name.startsWith('.')) await rm(join(this.#folder, name), { recursive: true, force: true })
    }
  }

  /** Everything that was ever promoted, oldest first. Half a line that a crash left says nothing. */
  async log(): Promise<Promotion[]> {
    const text = await readFile(join(this.#folder, 'promotions.ndjson'), 'utf8').catch(() => '')
    return text
      .split('\n')
      .filter((line) => line.endsWith('}'))
      .map((line) => promotion.parse(JSON.parse(line)))
  }

  /** The version that serves; null before the first promotion. */
  async champion(): Promise<string | null> {
    return (await this.log()).at(-1)?.version ?? null
  }

  async promote(version: string, { at, reason }: { at: string; reason: string }): Promise<Promotion> {
    await this.requireVersion(version)
    return this.#append({ at, action: 'promote', version, previous: await this.champion(), reason })
  }

  /** Back to the version that served before the champion. */
  async rollback({ at, reason }: { at: string; reason: string }): Promise<Promotion> {
    const log = await this.log()
    const previous = log.at(-1)?.previous
    if (!previous)
      throw usageError(
        'no-previous',
        'There is no version to roll back to: no other one served before the champion.',
      )
    const before = log.findLast((entry) => entry.version === previous)?.previous ?? null
    await this.requireVersion(previous)
    await this.#append({ at, action: 'rollback', version: previous, previous: before, reason })
    return (await this.log()).at(-1) as Promotion
  }

  async requireVersion(version: string): Promise<void> {
    const versions = await this.versions()
    if (versions.includes(version) && existsSync(this.folderOf(version))) return
    throw usageError(
      'no-version',
      `There is no version ${version}. ${versions.length > 0 ? `There are: ${versions.join(', ')}.` : 'None was trained yet: run loyalcast train.'}`,
    )
  }

  async #append(entry: Promotion): Promise<Promotion> {
    await appendLine(join(this.#folder, 'promotions.ndjson'), JSON.stringify(entry))
    return entry
  }
}

function byDayAndNumber(a: string, b: string): number {
  const [dayA, dayB] = [a.slice(0, 10), b.slice(0, 10)]
  return dayA === dayB ? Number(a.slice(11)) - Number(b.slice(11)) : dayA < dayB ? -1 : 1
}
