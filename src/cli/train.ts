import { Command } from 'commander'
import { train } from '../../training/train.ts'
import { ingest } from '../jobs/ingest.ts'
import { startBackend } from '../model/backend.ts'
import { contextOf, dayOption, maxRowsOption, printResult } from './context.ts'
import { describeIngest } from './ingest.ts'

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
    .action(
      async (
        path: string,
        options: { asOf?: string; maxRows: string; ingest: boolean },
        command: Command,
      ) => {
        const context = contextOf(command)
        const maxRows = maxRowsOption(options.maxRows)
        const asOf = dayOption('--as-of', options.asOf)
        const program = await context.readProgram(path)
        const ingested = options.ingest ? await ingest(program, context) : null
        const backend = await startBackend()
        const report = await train(program, { ...context, maxRows, ...(asOf && { asOf }) })
        const words = [
          ...(ingested ? [describeIngest(ingested)] : []),
          `Trained ${report.version} of ${report.program} as of ${report.asOf} (TensorFlow.js backend: ${backend}).`,
          ...report.card.outcomes.flatMap(({ name, hasSkill, horizons }) =>
            horizons.map(({ horizonDays, metrics }) => {
              const { auc, logLoss } = metrics.model
              return `${name} ${horizonDays} days: AUC ${auc?.toFixed(4) ?? '–'}, log loss ${logLoss.toFixed(4)} (base rate ${metrics.base_rate.logLoss.toFixed(4)})${hasSkill ? '' : ', no skill: the base rate is served'}`
            }),
          ),
          ...(report.card.nps
            ? [
                `nps: MAE ${report.card.nps.metrics.model.mae.toFixed(3)}, RPS ${report.card.nps.metrics.model.rps.toFixed(3)} (base rate ${report.card.nps.metrics.base_rate.rps.toFixed(3)})`,
              ]
            : []),
          ...Object.entries(report.card.skipped).map(
            ([task, skipped]) => `${task} is not predicted: ${skipped.words}`,
          ),
          `${report.promoted ? 'Promoted' : 'Not promoted'}: ${report.reason}.`,
        ]
        printResult(context, report, words.join('\n'))
        if (!report.canPredict) process.exitCode = 3
      },
    )
}
