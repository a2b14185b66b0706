import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Control, findControl, openControl } from '../control/control.ts'
import type { SavedScenario } from '../control/saved-scenarios.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { QuestionRecord } from '../jobs/headlines.ts'
import { checkQuestion } from '../jobs/what-if.ts'
import { headOf, parseQuestion, type Question } from '../simulation/question-forms.ts'
import { type Context, printResult } from './context.ts'

/** A question and the text that it was read from. */
interface GivenQuestion {
  readonly question: Question
  readonly text: unknown
}

/** Reads a question from a file. **Errors** `scenario-file` where there is none or it is no JSON; `scenario`. */
export async function readGiven(context: Context, file: string | undefined): Promise<GivenQuestion> {
  if (file === undefined)
    throw usageError('scenario-file', 'what-if needs a scenario: the path of a JSON file, or --saved ID.')
  const text = await readJson(resolve(context.callerFolder, file))
  return { question: parseQuestion(text), text }
}

/** A question comes from a file or from those that are kept. */
export function refuseBoth(file: string | undefined, { save }: { readonly save?: boolean }): void {
  if (save)
    throw usageError('scenario-file', '--save keeps a scenario, and --saved asks a kept one. Leave out one.')
  if (file !== undefined)
    throw usageError('scenario-file', `--saved asks a kept scenario, and ${file} is another. Leave out one.`)
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw usageError('scenario-file', `${path} cannot be read. Name a JSON file with a scenario.`)
  })
  try {
    return JSON.parse(text)
  } catch (error) {
    throw usageError('scenario-file', `${path} is no JSON: ${(error as Error).message}.`)
  }
}

/** Checks a question against the data, keeps it under the name of its first scenario, and prints its id. */
export async function saveScenario(
  context: Context,
  program: Program,
  { question, text }: GivenQuestion,
): Promise<void> {
  await checkQuestion(program, { ...context, question, isFull: false })
  const saved = {
    id: context.makeId(),
    name: headOf(question).name,
    question: text,
    createdAt: context.now,
  }
  const control = await openControl(context.dataFolder, program)
  try {
    await control.scenarios.save(saved)
  } finally {
    await control.close()
  }
  const { id, name, createdAt } = saved
  const words = `Saved as ${id}: ${name}. loyalcast what-if PROGRAM --saved ${id} asks it.`
  printResult(context, { id, name, created_at: createdAt }, words)
}

/** Reads a kept question. **Errors** `unknown-scenario`. */
export async function readSaved(
  context: Context,
  program: Program,
  id: string,
): Promise<GivenQuestion & { readonly id: string }> {
  const saved = await withControl(context, program, (control) => control?.scenarios.find(id) ?? null)
  if (saved === null) throw unknownScenario(program, id)
  return { id, question: parseQuestion(saved.question), text: saved.question }
}

/** What to say of an id that is not kept. */
export function unknownScenario({ name }: Program, id: string): Error {
  return usageError(
    'unknown-scenario',
    `${name} has no saved scenario ${id}. loyalcast scenarios lists them.`,
  )
}

/** Remembers what a kept question was answered with. */
export async function recordAnswer(
  context: Context,
  program: Program,
  { id, record }: { readonly id: SavedScenario['id']; readonly record: QuestionRecord },
): Promise<void> {
  const answer = { ...record, answeredAt: context.now }
  await withControl(context, program, (control) => control?.scenarios.record(id, answer))
}

/** The control state for as long as `work` takes; null where nothing was ever kept. */
export async function withControl<T>(
  { dataFolder }: Context,
  program: Program,
  work: (control: Control | null) => Promise<T> | T,
): Promise<T> {
  const control = await findControl(dataFolder, program)
  try {
    return await work(control)
  } finally {
    await control?.close()
  }
}
