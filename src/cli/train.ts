import { Command } from 'commander'
import { type TrainReport, train } from '../../training/train.ts'
import { ingest } from '../jobs/ingest.ts'
import { type Backend, startBackend } from '../model/backend.ts'
import { contextOf, dayOption, maxRowsOption, printResult } from './context.ts'
import { describeIngest } from './ingest.ts'
import { recordRun, runOption } from './recorded-run.ts'

/** Rows of the training table unless told otherwise: an hour's work at most on two cores. */
const mostRows = '200000'

/** `loyalcast train PROGRAM [--as-of DAY] [--max-rows N]`. */
export function trainCommand(): Command {
  return new Command('train')
    .description('fits, calibrates, evaluates and publishes a version; promotes it only through the gate')
    .argument('<program>', 'path of a program file')
    .option('--as-of <day>', 'only what is known at the end of this day; default: the last day with data')
    .option('--max-rows <n>', 'most rows of the training table; beyond it customers are drawn', mostRows)
    .option('--no-ingest', 'do not read the sources first')
    .addOption(runOption)
    .action(async (path: string, options: Options, command: Command) => {
      const context = contextOf(command)
      const maxRows = maxRowsOption(options.maxRows)
      const asOf = dayOption('--as-of', options.asOf) ?? null
      const program = await context.readProgram(path)
      const run = { program, asked: { kind: 'train', asOf, maxRows }, number: options.run } as const
      const { report, words } = await recordRun(context, run, async (context) => {
        const ingested = options.ingest ? await ingest(program, context) : null
        const backend = await startBackend()
        const report = await train(program, { ...context, maxRows, ...(asOf !== null && { asOf }) })
        const { version, promoted, reason } = report
        const words = [...(ingested ? [describeIngest(ingested)] : []), ...describe(report, backend)]
        return { value: { report, words }, result: { version, asOf: report.asOf, promoted, reason } }
      })
      printResult(context, report, words.join('\n'))
      if (!report.canPredict) process.exitCode = 3
    })
}

interface Options {
  readonly asOf?: string
  readonly maxRows: string
  readonly ingest: boolean
  readonly run?: string
}

function describe({ card, ...report }: TrainReport, backend: Backend): string[] {
  const outcomes = card.outcomes.flatMap(({ name, hasSkill, horizons }) =>
    horizons.map(({ horizonDays, metrics }) => {
      const { auc, logLoss } = metrics.model
      return `${name} ${horizonDays} days: AUC ${auc?.toFixed(4) ?? '–'}, log loss ${logLoss.toFixed(4)} (base rate ${metrics.base_rate.logLoss.toFixed(4)})${hasSkill ? '' : ', no skill: the base rate is served'}`
    }),
  )
  const { model, base_rate: base } = card.nps?.metrics ?? {}
  return [
    `Trained ${report.version} of ${report.program} as of ${report.asOf} (TensorFlow.js backend: ${backend}).`,
    ...outcomes,
    ...(model && base
      ? [`nps: MAE ${model.mae.toFixed(3)}, RPS ${model.rps.toFixed(3)} (base rate ${base.rps.toFixed(3)})`]
      : []),
    ...Object.entries(card.skipped).map(([task, { words }]) => `${task} is not predicted: ${words}`),
    `${report.promoted ? 'Promoted' : 'Not promoted'}: ${report.reason}.`,
  ]
}
