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
import { exportChanges, exportDrivers, exportPredictions } from '../jobs/export.ts'
import { contextOf, dayOption, printResult } from './context.ts'

interface Options {
  readonly date: string
  readonly since?: string
  readonly format?: ExportFormat
  readonly for?: CrmSystem
  readonly fields?: string
  readonly idField?: string
  readonly out?: string
}

const help = `
What:
  predictions  a row for each customer at risk; --for, --fields and --id-field shape them
  changes      who is new, gone, or moved beyond what is usual since the day --since
  drivers      a row for each customer, task and driver, the strongest first`

/** `loyalcast export PROGRAM predictions|changes|drivers --date DAY [--since DAY] [--format F] [--out FILE]`. */
export function exportCommand(): Command {
  return new Command('export')
    .description('writes what is predicted of a day to a file or to stdout, there with --json as one array')
    .argument('<program>', 'path of a program file')
    .argument('<what>', 'predictions, changes or drivers')
    .requiredOption('--date <day>', 'day of the predictions')
    .option('--since <day>', 'for changes: the earlier day')
    .addOption(new Option('--format <format>', 'format of the rows (default csv)').choices(exportFormats))
    .addOption(new Option('--for <system>', 'rows as a CRM system takes them').choices(crmSystems))
    .option('--fields <list>', 'columns with commas between, each as name or, under another name, name:other')
    .option('--id-field <name>', 'with --for: the field that customers are found by there')
    .option('--out <file>', 'file to write; without it the rows go to stdout')
    .addHelpText('after', help)
    .action(exportRows)
}

async function exportRows(path: string, what: string, options: Options, command: Command): Promise<void> {
  const context = contextOf(command)
  const date = dayOption('--date', options.date) as string
  const wish: Wish = {
    ...{ program: await context.readProgram(path), options, date, dataFolder: context.dataFolder },
    file: options.out === undefined ? null : resolve(context.callerFolder, options.out),
    isArray: context.isJson && options.out === undefined,
  }
  const rows = await writeWhat(what, wish)
  const { program, file } = wish
  if (file !== null)
    printResult(context, { program: program.name, date, rows, file }, `${rows} rows written to ${file}.`)
}

interface Wish {
  readonly program: Program
  readonly options: Options
  readonly date: string
  readonly dataFolder: string
  readonly file: string | null
  /** One JSON array on stdout. */
  readonly isArray: boolean
}

/** Returns the number of rows. */
async function writeWhat(what: string, wish: Wish): Promise<number> {
  const { program, options, isArray, ...more } = wish
  const since = dayOption('--since', options.since)
  if (what !== 'changes' && since !== undefined) throw usageError('since', '--since goes with changes only.')
  if (what === 'predictions')
    return exportPredictions(program, { ...more, shape: shapeOf(program, options, isArray) })
  const shaping = (['for', 'fields', 'idField'] as const).find((name) => options[name] !== undefined)
  if (shaping !== undefined)
    throw usageError(
      'export',
      `--${shaping === 'idField' ? 'id-field' : shaping} goes with predictions only.`,
    )
  const table = { ...more, format: isArray ? ('json' as const) : (options.format ?? 'csv') }
  if (what === 'drivers') return exportDrivers(program, table)
  if (what !== 'changes')
    throw usageError('export', `export ${what}: what can be exported is: predictions, changes, drivers.`)
  if (since === undefined) throw usageError('since', 'export changes needs --since DAY, the earlier day.')
  return exportChanges(program, { ...table, since })
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
