import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { usageError } from '../domain/errors.ts'
import { type ExportFormat, exportFormats, exportPredictions } from '../jobs/export.ts'
import { contextOf, dayOption, printResult } from './context.ts'

/** `loyalcast export PROGRAM predictions --date DAY --format csv|ndjson|parquet [--out FILE]`. */
export function exportCommand(): Command {
  return new Command('export')
    .description('writes a day of predictions to a file or to stdout')
    .argument('<program>', 'path of a program file')
    .argument('<what>', 'predictions')
    .requiredOption('--date <day>', 'day of the predictions')
    .addOption(new Option('--format <format>', 'format of the rows').choices(exportFormats).default('csv'))
    .option('--out <file>', 'file to write; without it the rows go to stdout')
    .action(
      async (
        path: string,
        what: string,
        options: { date: string; format: ExportFormat; out?: string },
        command: Command,
      ) => {
        const context = contextOf(command)
        if (what !== 'predictions')
          throw usageError('export', `export ${what}: what can be exported is: predictions.`)
        const program = await context.readProgram(path)
        const date = dayOption('--date', options.date) as string
        const file = options.out === undefined ? null : resolve(context.callerFolder, options.out)
        const rows = await exportPredictions(program, { ...context, date, format: options.format, file })
        if (file !== null)
          printResult(
            context,
            { program: program.name, date, rows, file },
            `${rows} rows written to ${file}.`,
          )
      },
    )
}
