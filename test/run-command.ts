import { join } from 'node:path'
import type { RunCommand } from '../src/jobs/runs/run-child.ts'
import type { MadeProgram } from './programs.ts'

/** The command line in its folder. */
export const binary = join(import.meta.dirname, '../bin/loyalcast.mjs')

/** How runs of a made program are started. */
export function commandOf(
  made: Pick<MadeProgram, 'program' | 'dataFolder' | 'modelsFolder'> & Partial<Pick<MadeProgram, 'path'>>,
): RunCommand {
  return {
    words: [process.execPath, binary],
    options: ['--data', made.dataFolder, '--models', made.modelsFolder],
    programFiles: new Map(made.path === undefined ? [] : [[made.program.name, made.path]]),
  }
}
