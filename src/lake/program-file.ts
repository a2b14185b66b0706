import { readdir, readFile, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Environment } from '../domain/environment.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { parseProgram } from '../domain/program-file.ts'

/**
 * Reads a program file, or `program.yaml` where `path` is a folder. Relative paths resolve against the
 * working folder.
 *
 * **Errors** `program-unreadable` (missing, a folder without program.yaml, no rights, not UTF-8) and those of
 * {@link parseProgram}.
 */
export async function readProgram(path: string, environment: Environment): Promise<Program> {
  const file = (await isFolder(path)) ? join(path, 'program.yaml') : path
  const bytes = await readFile(file).catch((cause: NodeJS.ErrnoException) => unreadable(path, file, cause))
  return parseProgram(decode(bytes, file), { path: file, folder: dirname(resolve(file)), environment })
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

async function unreadable(path: string, file: string, cause: NodeJS.ErrnoException): Promise<never> {
  if (cause.code !== 'ENOENT' && cause.code !== 'ENOTDIR' && cause.code !== 'EISDIR') {
    throw usageError('program-unreadable', `${file} cannot be read: ${cause.message}. Check its rights.`, {
      cause,
    })
  }
  const found = file === path ? 'no such file' : 'a folder without program.yaml'
  const near = await programFilesIn(dirname(file))
  const remedy = near.length > 0 ? `There: ${near.join(', ')}.` : 'Give the path of a program file (YAML).'
  throw usageError('program-unreadable', `${path}: ${found}. ${remedy}`, { cause })
}

async function programFilesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => /\.ya?ml$/.test(name)).map((name) => join(folder, name))
}

function decode(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw usageError('program-unreadable', `${file} is not UTF-8 text. Save it as UTF-8.`, { cause })
  }
}
