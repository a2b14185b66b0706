import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Environment } from '../src/domain/environment.ts'
import type { Program } from '../src/domain/program.ts'
import { Database, quoteText } from '../src/lake/database.ts'
import { readProgram } from '../src/lake/program-file.ts'

/** A row of a made-up file. */
export type FileRow = Readonly<Record<string, unknown>>

/**
 * What a file holds: text or bytes as they are; rows, written by the file's ending as CSV, JSON array, NDJSON or
 * Parquet; or `{ select }`, a DuckDB select whose result becomes a Parquet or CSV file.
 */
export type FileContent = string | Uint8Array | readonly FileRow[] | { readonly select: string }

export interface ProgramFiles {
  /** File name, folders allowed → content. */
  readonly files?: Readonly<Record<string, FileContent>>
  /** Text of program.yaml, without `program:`, `currency:` and `timezone:` where the usual ones will do. */
  readonly yaml: string
  readonly environment?: Environment
}

/** A program on the disk, gone when the test is. */
export interface MadeProgram {
  readonly program: Program
  /** Where program.yaml and the files lie. */
  readonly folder: string
  /** Not made yet. */
  readonly dataFolder: string
  /** Not made yet. */
  readonly modelsFolder: string
  /** Of program.yaml. */
  readonly path: string
  /** Writes or replaces a file of the program. */
  write(name: string, content: FileContent): Promise<void>
  /** Replaces program.yaml, or reads it again with another environment. */
  redefine(change: { yaml?: string; environment?: Environment }): Promise<Program>
}

/**
 * Writes program.yaml and its files into a new folder and reads the program.
 *
 * Call it inside a test; the folder is removed when that test has finished. For a suite's `beforeAll` there is
 * {@link makeLastingProgram}.
 *
 * ```ts
 * const { program, dataFolder } = await makeProgram({
 *   files: { 'events.csv': [{ customer_id: 'a', at: '2026-01-01', type: 'login' }] },
 *   yaml: 'sources: { events: { file: events.csv } }\noutcomes: { churn: { absence_of: login } }',
 * })
 * ```
 */
export async function makeProgram(files: ProgramFiles): Promise<MadeProgram> {
  const { remove, ...made } = await makeLastingProgram(files)
  onTestFinished(remove)
  return made
}

/** Like {@link makeProgram}, for `beforeAll`: call `remove` in `afterAll`. */
export async function makeLastingProgram({
  files = {},
  yaml,
  environment = {},
}: ProgramFiles): Promise<MadeProgram & { remove(): Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), 'loyalcast-test-'))
  const folder = join(root, 'program')
  const path = join(folder, 'program.yaml')
  const write = (name: string, content: FileContent) => writeContent(join(folder, name), content)
  let text = yaml
  const redefine = async (change: { yaml?: string; environment?: Environment }) => {
    text = change.yaml ?? text
    await writeContent(path, completed(text))
    return readProgram(path, change.environment ?? environment)
  }
  for (const [name, content] of Object.entries(files)) await write(name, content)
  return {
    program: await redefine({}),
    folder,
    dataFolder: join(root, 'data'),
    modelsFolder: join(root, 'models'),
    path,
    write,
    redefine,
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

/** The usual head of a program file where the text has none. */
function completed(yaml: string): string {
  const head = { program: 'test', population: 'customer', currency: 'EUR', timezone: 'Europe/Berlin' }
  const missing = Object.entries(head).filter(([key]) => !new RegExp(`^${key}:`, 'm').test(yaml))
  return `${missing.map(([key, value]) => `${key}: ${value}\n`).join('')}${yaml}\n`
}

async function writeContent(path: string, content: FileContent): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  if (typeof content === 'string' || content instanceof Uint8Array) await writeFile(path, content)
  else if ('select' in content) await copySelect(content.select, path)
  else if (path.endsWith('.parquet')) await writeParquet(content, path)
  else await writeFile(path, textOf(content, path))
}

function textOf(rows: readonly FileRow[], path: string): string {
  if (path.endsWith('.json')) return JSON.stringify(rows)
  if (/\.(ndjson|jsonl)$/.test(path)) return rows.map((row) => `${JSON.stringify(row)}\n`).join('')
  return csvOf(rows)
}

/** CSV with all columns that any row has; missing values are empty. */
function csvOf(rows: readonly FileRow[]): string {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cell = (value: unknown) => {
    const text = value === null || value === undefined ? '' : String(value)
    return /[",;\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  const lines = [names.map(cell), ...rows.map((row) => names.map((name) => cell(row[name])))]
  return lines.map((line) => `${line.join(',')}\n`).join('')
}

async function writeParquet(rows: readonly FileRow[], path: string): Promise<void> {
  const source = `${path}.ndjson`
  await writeFile(source, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  await copySelect(`select * from read_json_auto(${quoteText(source)})`, path)
  await rm(source)
}

async function copySelect(select: string, path: string): Promise<void> {
  await queryRows(`copy (${select}) to ${quoteText(path)}`)
}

/** Rows of a query in a database of its own; times are shown in UTC. */
export async function queryRows<T extends FileRow = FileRow>(sql: string): Promise<T[]> {
  const database = await Database.open({
    spillFolder: join(tmpdir(), 'loyalcast-test-spill'),
    timezone: 'UTC',
  })
  try {
    return await database.rows<T>(sql)
  } finally {
    database.close()
  }
}
