import { Command } from 'commander'
import { type ExplainReport, explainCustomer } from '../jobs/explain.ts'
import { contextOf, dayOption, printResult } from './context.ts'

/** Behaviours shown in words; `--json` has all. */
const shown = 8

/** `loyalcast explain PROGRAM CUSTOMER [--date DAY]`. */
export function explainCommand(): Command {
  return new Command('explain')
    .description(
      "what moved one customer's predictions, exactly: all effects add up to the difference from others",
    )
    .argument('<program>', 'path of a program file')
    .argument('<customer>', 'customer_id')
    .option('--date <day>', 'as of the end of this day; default: the last day with data')
    .action(async (path: string, customerId: string, options: { date?: string }, command: Command) => {
      const context = contextOf(command)
      const date = dayOption('--date', options.date)
      const program = await context.readProgram(path)
      const report = await explainCustomer(program, { ...context, customerId, ...(date && { date }) })
      printResult(context, report, inWords(report))
      if (report.explanations.length === 0) process.exitCode = 3
    })
}

function inWords({ customerId, date, modelVersion, others, explanations }: ExplainReport): string {
  if (explanations.length === 0)
    return `${modelVersion} predicts nothing with skill: there is nothing to explain.`
  const parts = explanations.map(({ task, unit, base, predicted, effects }) => {
    const digits = unit === 'points' ? 2 : 4
    const signed = (value: number) => `${value < 0 ? '' : '+'}${value.toFixed(digits)}`
    const rest = effects.slice(shown).reduce((sum, { effect }) => sum + effect, 0)
    const lines = effects
      .slice(0, shown)
      .map(({ behaviour, effect }) => `  ${signed(effect).padStart(9)}  ${behaviour}`)
    return [
      `${task}: ${predicted.toFixed(digits)}, ${base.toFixed(digits)} on average`,
      ...lines,
      ...(effects.length > shown ? [`  ${signed(rest).padStart(9)}  ${effects.length - shown} more`] : []),
    ].join('\n')
  })
  return `${customerId} on ${date} beside ${others} others (${modelVersion}):\n${parts.join('\n')}`
}
