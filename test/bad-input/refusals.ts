import { expect } from 'vitest'
import { stringify } from 'yaml'
import { type Finished, loyalcast } from '../cli/commands.ts'
import { type FileContent, type MadeProgram, makeProgram } from '../programs.ts'

export const header = 'customer_id,at,type,value\n'
export const rows = Array.from({ length: 30 }, (_, n) => `c${n},2026-10-${10 + (n % 20)},login,${n}\n`).join(
  '',
)

/** A program with one file of events. */
export function programOf(file: string, content?: FileContent): Promise<MadeProgram> {
  return makeProgram({
    files: content === undefined ? {} : { [file]: content },
    yaml: stringify({ sources: { events: { file } }, outcomes: { churn: { absence_of: ['login'] } } }),
  })
}

/** Runs a command on a program as a person would. */
export function run(made: MadeProgram, command: string, ...more: string[]): Promise<Finished> {
  const folders = ['--data', made.dataFolder, '--models', made.modelsFolder]
  return loyalcast([command, made.path, ...more, ...folders])
}

/** It said what is wrong in words of its own and ended as it should, with nothing on stdout. */
export function expectWords({ code, stdout, stderr }: Finished, words: RegExp, expected = 2): void {
  expect(code, stderr).toBe(expected)
  expect(stdout).toBe('')
  expect(stderr).toMatch(words)
  expect(stderr).not.toMatch(/unexpected went wrong|^\s+at \S+ \(|\bundefined\b|\[object/m)
}
