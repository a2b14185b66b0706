import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { parseFields } from '../engage/export-fields.ts'
import {
  type CrmSystem,
  crmFormats,
  crmSystems,
  type ExportFormat,
  type ExportShape,
  exportFormats,
} from '../engage/export-shapes.ts'
import { exportPredictions } from '../jobs/export.ts'
import { contextOf, dayOption, printResult } from './context.ts'

interface Options {
  readonly date: string
  readonly format?: ExportFormat
  readonly for?: CrmSystem
  readonly fields?: string
  readonly idField?: string
  readonly out?: string
}

/** `loyalcast export PROGRAM predictions --date DAY --format csv|ndjson|parquet [--out FILE]`. */
export function exportCommand(): Command {
  return new Command('export')
    .description('writes a day of predictions to a file or to stdout, there with --json as one array')
    .argument('<program>', 'path of a program file')
    .argument('<what>', 'predictions')
    .requiredOption('--date <day>', 'day of the predictions')
    .addOption(new Option('--format <format>', 'format of the rows (default csv)').choices(exportFormats))
    .addOption(new Option('--for <system>', 'rows as a CRM system takes them').choices(crmSystems))
    .option('--fields <list>', 'columns with commas between, each as name or, under another name, name:other')
    .option('--id-field <name>', 'with --for: the field that customers are found by there')
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
  const shape = shapeOf(program, options, context.isJson && options.out === undefined)
  const file = options.out === undefined ? null : resolve(context.callerFolder, options.out)
  const rows = await exportPredictions(program, { dataFolder, date, shape, file })
  if (file !== null)
    printResult(context, { program: program.name, date, rows, file }, `${rows} rows written to ${file}.`)
}

/** Null: one JSON array. */
function shapeOf(program: Program, options: Options, isArray: boolean): ExportShape | null {
  const crm = options.for ?? null
  const format = options.format ?? (crm === null ? 'csv' : crmFormats[crm])
  if (crm !== null && format !== crmFormats[crm])
    throw usageError('format', `--format ${format}: ${crm} takes ${crmFormats[crm]}; leave --format out.`)
  if (crm === null && options.idField !== undefined)
    throw usageError('id-field', '--id-field goes with --for only.')
  if (isArray && crm === null && options.fields === undefined) return null
  const fields = options.fields === undefined ? null : parseFields(options.fields, program)
  if (typeof fields === 'string') throw usageError('fields', `--fields ${fields}.`)
  return { format: isArray ? 'ndjson' : format, crm, fields, idField: options.idField ?? null }
}
