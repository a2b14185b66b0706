import { Command } from 'commander'
import { predictDay } from '../jobs/daily.ts'
import { ingest } from '../jobs/ingest.ts'
import { contextOf, dayOption, printResult } from './context.ts'
import { recordRun, runOption } from './recorded-run.ts'
import { redisUrlOf } from './redis-url.ts'
import { readSettings } from './settings.ts'

interface Options {
  readonly date: string
  readonly ingest: boolean
  readonly run?: string
}

/** `loyalcast daily PROGRAM --date DAY`. */
export function dailyCommand(): Command {
  return new Command('daily')
    .description(
      'ingests, then predicts every customer at risk on a day; running it again replaces the day at once',
    )
    .argument('<program>', 'path of a program file')
    .requiredOption('--date <day>', 'the day; everything up to its end is known')
    .option('--no-ingest', 'do not read the sources first')
    .addOption(runOption)
    .action(async (path: string, options: Options, command: Command) => {
      const context = contextOf(command)
      const date = dayOption('--date', options.date) as string
      const program = await context.readProgram(path)
      const { ROWS_AT_ONCE: rowsAtOnce, THREADS: threads } = readSettings(process.env, [
        'ROWS_AT_ONCE',
        'THREADS',
      ])
      const settings = { date, rowsAtOnce, threads, redisUrl: redisUrlOf(process.env) }
      const run = { program, asked: { kind: 'daily', date }, number: options.run } as const
      const { ingested, report } = await recordRun(context, run, async (context) => {
        const ingested = options.ingest ? await ingest(program, context) : null
        const report = await predictDay(program, { ...context, ...settings })
        return { value: { ingested, report }, result: report }
      })
      const abstained = report.abstained > 0 ? `, ${report.abstained} abstained` : ''
      const words = `${report.customers} customers at risk on ${date}: ${report.predicted} predicted${abstained} with ${report.modelVersion}.`
      printResult(context, { ...report, ingest: ingested }, words)
      if (report.predicted === 0) process.exitCode = 3
    })
}
