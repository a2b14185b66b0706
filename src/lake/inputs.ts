import { stat } from 'node:fs/promises'
import { failure, usageError } from '../domain/errors.ts'
import type { Source } from '../domain/program.ts'
import { absolutePath, absolutePaths } from '../domain/source-paths.ts'
import type { InputFile } from './commits.ts'
import type { Database } from './database.ts'

/**
 * The source's files as they are now, without reading them; null where they cannot be told.
 *
 * **Errors** `no-file` where a pattern matches nothing, `storage` where a file cannot be looked at.
 */
export async function listInputs(
  database: Database,
  source: Source,
  folder: string,
): Promise<InputFile[] | null> {
  const patterns =
    source.file === null ? absolutePaths(source.sql ?? '', folder).files : [absolutePath(source.file, folder)]
  if (patterns.length === 0) return null
  const inputs: InputFile[] = []
  for (const pattern of patterns) {
    for (const path of await matches(database, source, pattern)) inputs.push(await inputOf(source, path))
  }
  return inputs
}

async function matches(database: Database, source: Source, pattern: string): Promise<string[]> {
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(pattern)) {
    throw usageError(
      'remote-file',
      `sources.${source.key}: ${pattern} is remote; files must lie on this machine.`,
    )
  }
  const found = await database.rows<{ file: string }>('select file from glob($pattern) order by file', {
    pattern,
  })
  if (found.length > 0) return found.map(({ file }) => file)
  const isFolder = await stat(pattern).then(
    (entry) => entry.isDirectory(),
    () => false,
  )
  const problem = isFolder
    ? `${pattern} is a folder. Name the files in it, for example ${pattern.replace(/\/$/, '')}/*.csv.`
    : `no file matches ${pattern}. Relative paths start at the folder of the program file.`
  throw usageError('no-file', `sources.${source.key}: ${problem}`)
}

async function inputOf(source: Source, path: string): Promise<InputFile> {
  try {
    const { size, mtimeMs } = await stat(path)
    return { path, bytes: size, modifiedMs: Math.trunc(mtimeMs) }
  } catch (error) {
    throw failure('storage', `sources.${source.key}: ${path} cannot be read: ${(error as Error).message}`)
  }
}
