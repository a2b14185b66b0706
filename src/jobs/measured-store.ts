import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { codeVersion } from '../domain/version.ts'
import { writeWhole } from '../lake/durable-files.ts'
import type { MeasuredName } from '../simulation/question.ts'

/** Counts changes of what is kept: of another shape it is measured anew. */
const shape = 1

/** What was measured for a version that serves, as files in the lake's folder: the latest of each name. */
export class MeasuredStore {
  readonly #folder: string

  constructor(lakeFolder: string, version: string) {
    this.#folder = join(lakeFolder, 'measured', version)
  }

  /** Gives what was kept under a name and a mark, or makes it and keeps it in place of what had another mark. */
  async keep<T>({ name, mark }: MeasuredName, make: () => Promise<T>): Promise<T> {
    const path = join(this.#folder, createHash('sha256').update(name).digest('hex').slice(0, 32))
    const wanted = `${codeVersion} ${shape} ${mark}`
    const known = await read<T>(path)
    if (known?.mark === wanted) return known.value
    const value = await make()
    // What cannot be kept, on a full disk or one that is only read, answers all the same.
    await writeWhole(path, serialize({ mark: wanted, value } satisfies Measured<T>)).catch(() => {})
    return value
  }
}

interface Measured<T> {
  readonly mark: string
  /** Plain data. */
  readonly value: T
}

/** Null where there is none that can be read. */
async function read<T>(path: string): Promise<Measured<T> | null> {
  try {
    return deserialize(await readFile(path))
  } catch {
    return null
  }
}
