import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { usageError } from '../domain/errors.ts'
import { exportPredictions } from '../jobs/export.ts'
import { type ExportFormat, exportFormats } from '../jobs/row-file.ts'
import { contextOf, dayOption, printResult } from './context.ts'

interface Options {
  readonly date: string
  readonly format: ExportFormat
  readonly out?: string
}

/** `loyalcast export PROGRAM predictions --date DAY --format csv|ndjson|parquet [--out FILE]`. */
export function exportCommand(): Command {
  return new Command('export')
    .description('writes a day of predictions to a file or to stdout, there with --json as one array')
    .argument('<program>', 'path of a program file')
    .argument('<what>', 'predictions')
    .requiredOption('--date <day>', 'day of the predictions')
    .addOption(new Option('--format <format>', 'format of the rows').choices(exportFormats).default('csv'))
    .option('--out <file>', 'file to write; without it the rows go to stdout')
    .action(exportRows)
}

async function exportRows(path: string, what: string, options: Options, command: Command): Promise<void> {
  const context = contextOf(command)
  if (what !== 'predictions')
    throw usageError('export', `export ${what}: what can be exported is: predictions.`)
  const date = dayOption('--date', options.date) as string
  const program = await context.readProgram(path)
  const { dataFolder } = context
  if (options.out === undefined) {
    const format = context.isJson ? 'json' : options.format
    await exportPredictions(program, { dataFolder, date, format, file: null })
    return
  }
  const file = resolve(context.callerFolder, options.out)
  const rows = await exportPredictions(program, { dataFolder, date, format: options.format, file })
  printResult(context, { program: program.name, date, rows, file }, `${rows} rows written to ${file}.`)
}
