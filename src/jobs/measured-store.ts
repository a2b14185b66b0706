import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { z } from 'zod'
import { writeWhole } from '../lake/durable-files.ts'

/** What was measured for a version that serves, as files in the lake's folder: each is measured once. */
export class MeasuredStore {
  readonly #folder: string

  constructor(lakeFolder: string, version: string) {
    this.#folder = join(lakeFolder, 'measured', version)
  }

  /** Gives what was kept under a key, or makes it and keeps it. */
  async keep<T>({ key, schema }: { key: string; schema: z.ZodType<T> }, make: () => Promise<T>): Promise<T> {
    const path = join(this.#folder, `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`)
    const known = await read(path, schema)
    if (known !== null) return known
    const made = await make()
    await writeWhole(path, JSON.stringify(made))
    return made
  }
}

/** Null where there is none that can be read. */
async function read<T>(path: string, schema: z.ZodType<T>): Promise<T | null> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return null
  }
}
