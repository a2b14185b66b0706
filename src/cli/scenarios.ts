import { Command } from 'commander'
import { answerBody, scenarioBody } from '../api/scenarios.ts'
import type { Control } from '../control/control.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { Headline } from '../jobs/headlines.ts'
import { unknownScenario, withControl } from './asked-scenario.ts'
import { contextOf, printResult } from './context.ts'

/** More than anybody keeps. */
const mostListed = 10_000

/** `loyalcast scenarios PROGRAM [list|show ID|remove ID]`: the questions that are kept. */
export function scenariosCommand(): Command {
  return new Command('scenarios')
    .description('lists, shows and removes saved scenarios, with what they were answered with')
    .argument('<program>', 'path of a program file')
    .argument('[action]', 'list, show or remove', 'list')
    .argument('[id]', 'a saved scenario, for show and remove')
    .action(async (path: string, action: string, id: string | undefined, _: unknown, command: Command) => {
      const context = contextOf(command)
      const program = await context.readProgram(path)
      const act = actions[action]
      if (!act)
        throw usageError(
          'action',
          `scenarios ${action}: the action is one of ${Object.keys(actions).join(', ')}.`,
        )
      const [document, words] = await withControl(context, program, (control) => act(control, program, id))
      printResult(context, document, words)
    })
}

type Action = (
  control: Control | null,
  program: Program,
  id: string | undefined,
) => Promise<[document: unknown, words: string]>

const actions: Readonly<Record<string, Action>> = {
  async list(control, { name }) {
    const scenarios = (await control?.scenarios.list({ after: null, limit: mostListed })) ?? []
    const lines = scenarios.map((saved) => {
      const last = saved.lastAnswer ? `last answered of ${saved.lastAnswer.date}` : 'never answered'
      return `${saved.id}  ${saved.name}: ${last}`
    })
    return [
      { program: name, scenarios: scenarios.map(scenarioBody) },
      lines.join('\n') || `${name} has no saved scenarios: loyalcast what-if --save keeps one.`,
    ]
  },
  async show(control, program, id) {
    const wanted = required('show', id)
    const found = await control?.scenarios.find(wanted)
    if (!control || !found) throw unknownScenario(program, wanted)
    const answers = await control.scenarios.answers(wanted, { after: null, limit: mostListed })
    const lines = answers.map(({ date, modelVersion, isFull, headlines }) => {
      const told = (headlines as readonly Headline[]).map(headlineWords).join('; ')
      return `  ${date} (${modelVersion}${isFull ? ', everybody' : ''}): ${told || 'no difference to tell'}`
    })
    return [
      { ...scenarioBody(found), answers: answers.map(answerBody) },
      [`${found.id}: ${found.name}`, JSON.stringify(found.question), ...lines].join('\n'),
    ]
  },
  async remove(control, program, id) {
    const wanted = required('remove', id)
    if (!(await control?.scenarios.remove(wanted))) throw unknownScenario(program, wanted)
    return [{ removed: wanted }, `${wanted} is gone, and what it was answered with.`]
  },
}

function required(action: string, id: string | undefined): string {
  if (id !== undefined) return id
  throw usageError('unknown-scenario', `scenarios ${action} needs the id of a saved scenario.`)
}

/** Today's score and each outcome at its longest horizon, and what that is worth. */
function headlineWords({ name, strength, refused, difference, money, if_causal }: Headline): string {
  const who = name ?? (strength === null ? 'scenario' : `${Math.round(100 * strength)}%`)
  if (refused) return `${who}: refused`
  const entries = Object.entries(difference)
  const shown = entries.filter(([figure], place) => {
    const task = figure.replace(/_\d+$/, '')
    return task === 'nps'
      ? figure === 'nps_0'
      : !entries.slice(place + 1).some(([next]) => next.startsWith(`${task}_`))
  })
  const figures = shown.map(([figure, { value }]) =>
    figure === 'nps_0' ? `NPS ${signed(value, 2)}` : `${figure} ${signed(100 * value, 2)} points`,
  )
  const net = money ?? if_causal
  return `${who}: ${[...figures, ...(net ? [`net ${signed(net.value, 0)}${money ? '' : ' if causal'}`] : [])].join(', ')}`
}

function signed(value: number, digits: number): string {
  return `${value < 0 ? '' : '+'}${value.toFixed(digits)}`
}
