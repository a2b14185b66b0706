import { Command } from 'commander'
import { predictDay } from '../jobs/daily.ts'
import { ingest } from '../jobs/ingest.ts'
import { contextOf, dayOption, printResult } from './context.ts'
import { redisUrlOf } from './redis-url.ts'
import { readSettings } from './settings.ts'

/** `loyalcast daily PROGRAM --date DAY`. */
export function dailyCommand(): Command {
  return new Command('daily')
    .description(
      'ingests, then predicts every customer at risk on a day; running it again replaces the day at once',
    )
    .argument('<program>', 'path of a program file')
    .requiredOption('--date <day>', 'the day; everything up to its end is known')
    .option('--no-ingest', 'do not read the sources first')
    .action(async (path: string, options: { date: string; ingest: boolean }, command: Command) => {
      const context = contextOf(command)
      const date = dayOption('--date', options.date) as string
      const program = await context.readProgram(path)
      const ingested = options.ingest ? await ingest(program, context) : null
      const { ROWS_AT_ONCE: rowsAtOnce, THREADS: threads } = readSettings(process.env, [
        'ROWS_AT_ONCE',
        'THREADS',
      ])
      const report = await predictDay(program, {
        ...{ ...context, date, rowsAtOnce, threads },
        redisUrl: redisUrlOf(process.env),
      })
      const abstained = report.abstained > 0 ? `, ${report.abstained} abstained` : ''
      const words = `${report.customers} customers at risk on ${date}: ${report.predicted} predicted${abstained} with ${report.modelVersion}.`
      printResult(context, { ...report, ingest: ingested }, words)
      if (report.predicted === 0) process.exitCode = 3
    })
}
