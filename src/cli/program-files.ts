import { resolve } from 'node:path'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { Context } from './context.ts'

export interface ReadPrograms {
  readonly programs: readonly Program[]
  /** Name of each → absolute path of its file. */
  readonly programFiles: ReadonlyMap<string, string>
}

/** Reads the program files of a command. Programs are addressed by name. **Errors** `program` where two share one. */
export async function readPrograms(context: Context, paths: readonly string[]): Promise<ReadPrograms> {
  const programs: Program[] = []
  const programFiles = new Map<string, string>()
  for (const path of paths) {
    const program = await context.readProgram(path)
    const { name } = program
    if (programFiles.has(name))
      throw usageError('program', `Two of the programs are called ${name}; each needs a name of its own.`)
    programs.push(program)
    programFiles.set(name, resolve(context.callerFolder, path))
  }
  return { programs, programFiles }
}
