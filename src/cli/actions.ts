import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { type ExportFormat, exportFormats } from '../engage/export-shapes.ts'
import {
  type ActionsReport,
  type CustomerAction,
  type NoAction,
  nextBestActions,
  writeActions,
} from '../jobs/actions.ts'
import { exact } from '../jobs/budget-words.ts'
import { contextOf, dayOption, printResult } from './context.ts'

interface Options {
  readonly date?: string
  readonly customer?: string
  readonly format: ExportFormat
  readonly out?: string
}

/** `loyalcast actions PROGRAM [--date DAY] [--customer ID] [--format csv|ndjson|parquet] [--out FILE]`. */
export function actionsCommand(): Command {
  return new Command('actions')
    .description('the next best action of each customer: the initiative with the highest expected net value')
    .argument('<program>', 'path of a program file')
    .option('--date <day>', 'day of the predictions; default: the latest')
    .option('--customer <id>', 'one customer, in words, or with --json as a document')
    .addOption(new Option('--format <format>', 'format of the rows').choices(exportFormats).default('csv'))
    .option('--out <file>', 'file to write; without it the rows go to stdout')
    .action(runActions)
}

async function runActions(path: string, options: Options, command: Command): Promise<void> {
  const context = contextOf(command)
  const date = dayOption('--date', options.date) ?? null
  const program = await context.readProgram(path)
  const customerId = options.customer ?? null
  const report = await nextBestActions(program, { ...context, date, customerId })
  const { rows, ...head } = report
  if (report.actions === 0) process.exitCode = 3
  if (customerId !== null && options.out === undefined)
    return printResult(context, { ...head, ...rows[0] }, actionInWords(report, rows[0]))
  const file = options.out === undefined ? null : resolve(context.callerFolder, options.out)
  const format = file === null && context.isJson ? 'json' : options.format
  await writeActions(report, { format, file })
  if (file !== null)
    printResult(context, { ...head, file }, `${inWords(report)}\n${rows.length} rows written to ${file}.`)
}

const reasons: Readonly<Record<NoAction, string>> = {
  no_initiative_pays: 'no initiative is expected to bring more than it costs',
  treated_recently: 'put into an arm of each initiative so lately that it is still observed',
  evidence_too_weak: 'no initiative stands on an experiment or an adjusted comparison',
}

function inWords({ actions, customers, date, counted, left_out }: ActionsReport): string {
  return [
    `${actions} of ${customers} customers on ${date} have an action, by the ${counted}.`,
    ...left_out.map(({ initiative, reason }) => `Left out: ${initiative}: ${reason}`),
  ].join('\n')
}

function actionInWords(report: ActionsReport, action: CustomerAction): string {
  const { customer_id, initiative, arm, evidence, reason, net, risk } = action
  if (initiative === null)
    return [
      `${customer_id} on ${report.date}: nothing (${reasons[reason ?? 'no_initiative_pays']}).`,
      ...report.left_out.map((own) => `Left out: ${own.initiative}: ${own.reason}`),
    ].join('\n')
  const show = (value: number | null) =>
    net === null ? `${(100 * (value ?? 0)).toFixed(2)} points` : exact(value ?? 0, report.currency)
  return [
    `${customer_id} on ${report.date}: ${initiative} (${arm}), by the ${report.counted}.`,
    `  expected ${show(action.expected_gain)} (95% CI ${show(action.gain_low)} to ${show(action.gain_high)}) for ${exact(action.cost ?? 0, report.currency)}${net === null ? '' : `, net ${show(net)}`}; evidence: ${evidence}${risk === null ? '' : `; chance of ${report.risk.outcome} ${(100 * risk).toFixed(1)}%`}`,
  ].join('\n')
}
