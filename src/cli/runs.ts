import { Command } from 'commander'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { RunRecord } from '../domain/run.ts'
import { lakeFolder } from '../lake/lake.ts'
import { RunRecords } from '../lake/run-records.ts'
import { type Context, contextOf, printResult } from './context.ts'
import { runInWords, runsInWords } from './run-words.ts'

/** `loyalcast runs PROGRAM [list|show N|cancel N]`: daily runs and trainings, and what came of them. */
export function runsCommand(): Command {
  return new Command('runs')
    .description('lists daily runs and trainings with what came of them, shows one, cancels one')
    .argument('<program>', 'path of a program file')
    .argument('[action]', 'list, show or cancel', 'list')
    .argument('[number]', 'the number of a run, for show and cancel')
    .action(
      async (path: string, action: string, number: string | undefined, _: unknown, command: Command) => {
        const context = contextOf(command)
        const program = await context.readProgram(path)
        const records = new RunRecords(lakeFolder(context.dataFolder, program))
        const act = actions[action]
        if (!act)
          throw usageError(
            'action',
            `runs ${action}: the action is one of ${Object.keys(actions).join(', ')}.`,
          )
        const [document, words] = await act({ program, records, context, number })
        printResult(context, document, words)
      },
    )
}

interface Asked {
  readonly program: Program
  readonly records: RunRecords
  readonly context: Context
  /** As it was written. */
  readonly number: string | undefined
}

type Action = (asked: Asked) => Promise<[document: unknown, words: string]>

const actions: Readonly<Record<string, Action>> = {
  async list({ program, records, context }) {
    const runs = await records.list()
    return [{ program: program.name, runs }, runsInWords(runs, { ...program, now: context.clock() })]
  },
  async show({ context, ...asked }) {
    const run = await findRun(asked)
    return [run, runInWords(run, { ...asked.program, now: context.clock() })]
  },
  async cancel({ context, ...asked }) {
    const { number, status } = await findRun(asked)
    if (!(await asked.records.cancel(number, context.clock())))
      throw usageError('run', `Run ${number} has ended already: it is ${status}.`)
    const words = status === 'queued' ? 'will not begin' : 'ends within a second or two'
    return [{ number, status: 'cancelled' }, `Run ${number} ${words}.`]
  },
}

/** **Errors** `run` where there is none of that number. */
async function findRun({ program, records, number }: Omit<Asked, 'context'>): Promise<RunRecord> {
  const found = /^\d{1,15}$/.test(number ?? '') ? await records.find(Number(number)) : null
  if (found) return found
  const what =
    number === undefined ? 'The number of a run is missing.' : `${program.name} has no run ${number}.`
  throw usageError('run', `${what} loyalcast runs PROGRAM lists those that are kept.`)
}
