import { Command } from 'commander'
import { money } from '../impact/statement.ts'
import { ingest } from '../jobs/ingest.ts'
import { type MeasureReport, measure, type RankingReport, type ResultReport } from '../jobs/measure.ts'
import { contextOf, dayOption, printResult } from './context.ts'

interface Options {
  readonly asOf?: string
  readonly control?: string
  readonly ingest: boolean
}

/** `loyalcast measure PROGRAM INITIATIVE [--control ARM] [--as-of DAY]`. */
export function measureCommand(): Command {
  return new Command('measure')
    .description('what an initiative brought, with its interval and the evidence behind it')
    .argument('<program>', 'path of a program file')
    .argument('<initiative>', 'as the interventions call it')
    .option('--control <arm>', 'the arm to compare with; default: as planned, or told from its name')
    .option('--as-of <day>', 'only what is known at the end of this day; default: the last day with data')
    .option('--no-ingest', 'do not read the sources first')
    .action(async (path: string, initiative: string, options: Options, command: Command) => {
      const context = contextOf(command)
      const asOf = dayOption('--as-of', options.asOf)
      const program = await context.readProgram(path)
      if (options.ingest) await ingest(program, context)
      const { control } = options
      const report = await measure(program, {
        ...context,
        initiative,
        ...(asOf && { asOf }),
        ...(control !== undefined && { control }),
      })
      printResult(context, report, inWords(report))
      if (report.results.length === 0) process.exitCode = 3
    })
}

function inWords(report: MeasureReport): string {
  const { initiative, arms, evidence, cost, currency } = report
  const sizes = Object.entries(arms).map(([arm, customers]) => `${arm} ${customers}`)
  return [
    report.statement,
    '',
    `Evidence: ${evidence}: ${report.evidence_reason}.`,
    `${initiative} as of ${report.as_of}: ${sizes.join(', ')} customers${cost === null ? '' : `; cost ${money(cost, currency)}`}.`,
    ...report.warnings.map((warning) => `Note: ${warning}`),
    ...report.results.map((result) => resultLine(result, currency)),
    ...targetingLines(report),
  ].join('\n')
}

/** What treating the first half by each order brings, of what treating everybody does. */
function targetingLines({ targeting, results, currency }: MeasureReport): string[] {
  if (targeting === null) return []
  const { metric, horizon_days, unit } = results[0]
  const show = shower(unit, currency)
  const line = (words: string, { qini, ci95, gains }: RankingReport) =>
    `  ${words}: ${show(gains[5])} a customer from half of them; Qini ${show(qini)} (95% CI ${show(ci95[0])} to ${show(ci95[1])})`
  return [
    `Whom to treat first, for ${metric} within ${horizon_days} days (everybody: ${show(targeting.everybody)}; half at random: ${show(targeting.everybody / 2)}):`,
    line('by the effect foretold', targeting.by_effect),
    line('by the risk', targeting.by_risk),
  ]
}

function resultLine(result: ResultReport, currency: string): string {
  const show = shower(result.unit, currency)
  const [low, high] = result.ci95
  const worth = result.claimed_value === null ? '' : `; worth ${money(result.claimed_value, currency)}`
  return [
    `  ${result.detected ? '*' : ' '} ${result.arm}, ${result.metric} within ${result.horizon_days} days:`,
    `${show(result.treated)} against ${show(result.control)},`,
    `difference ${show(result.effect)} (95% CI ${show(low)} to ${show(high)}; ${result.customers} customers)${worth}`,
  ].join(' ')
}

function shower(unit: ResultReport['unit'], currency: string): (value: number) => string {
  if (unit === 'probability') return (value) => `${(100 * value).toFixed(2)}%`
  if (unit === 'money') return (value) => `${value.toFixed(2)} ${currency}`
  return (value) => value.toFixed(unit === 'points' ? 1 : 3)
}
