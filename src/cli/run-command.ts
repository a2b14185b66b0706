import { resolve } from 'node:path'
import type { RunCommand } from '../jobs/runs/run-child.ts'
import type { Context } from './context.ts'

/** This command line, to be started anew for a run. @param programFiles name of a program → absolute path of its file. */
export function runCommandOf(
  { dataFolder, modelsFolder, seed }: Context,
  programFiles: ReadonlyMap<string, string>,
): RunCommand {
  return {
    words: [process.execPath, resolve(process.argv[1])],
    options: ['--data', dataFolder, '--models', modelsFolder, '--seed', String(seed)],
    programFiles,
  }
}
