import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { start } from 'node:repl'
import { Command } from 'commander'
import type { DataFrame } from 'danfojs-node'
import type { Card } from '../../training/card.ts'
import {
  csvOf,
  describeColumns,
  evaluationTable,
  labelNames,
  loadDanfo,
  meansBy,
  trainingTable,
} from '../../training/explore.ts'
import { type Prepared, prepare } from '../../training/prepare.ts'
import type { Program } from '../domain/program.ts'
import { Registry } from '../model/registry.ts'
import { type Context, contextOf, dayOption, maxRowsOption, printResult } from './context.ts'

/** Rows of the training table unless told otherwise: data frames hold every cell in memory, several times over. */
const mostRows = '20000'

interface ExploreOptions {
  readonly asOf?: string
  readonly maxRows: string
  readonly by?: string
  readonly out?: string
  readonly interactive?: boolean
}

/** `loyalcast explore PROGRAM`: the training table and the champion's evaluation as danfo.js data frames. */
export function exploreCommand(): Command {
  return new Command('explore')
    .description('shows what a version learns from and how the champion did, as data frames')
    .argument('<program>', 'path of a program file')
    .option('--as-of <day>', 'only what is known at the end of this day; default: the last day with data')
    .option('--max-rows <n>', 'most rows of the training table; beyond it customers are drawn', mostRows)
    .option('--by <column>', 'means of the labels by the value of this column')
    .option('--out <dir>', 'writes training.csv and evaluation.csv there')
    .option('--interactive', 'a JavaScript prompt that knows training, evaluation, card and danfo')
    .action(async (path: string, options: ExploreOptions, command: Command) => {
      const context = contextOf(command)
      const danfo = await loadDanfo()
      const program = await context.readProgram(path)
      const prepared = await prepareRows(program, context, options)
      const training = await trainingTable(program, prepared)
      const card = await championCard(program, context)
      const evaluation = card && (await evaluationTable(card))
      const labels = labelNames(program, prepared.dataset)
      const frames = {
        describe: await describeColumns(training),
        ...(options.by && { means: await meansBy(training, options.by, labels) }),
        ...(evaluation && { evaluation }),
      }
      if (options.out) await writeFrames(resolve(context.callerFolder, options.out), { training, evaluation })
      const words = describeTable(program, prepared, training)
      if (!context.isJson) printFrames({ training, ...frames })
      printResult(context, { ...summaryOf(program, prepared, training), ...rowsOf(danfo, frames) }, words)
      if (options.interactive)
        Object.assign(start('explore> ').context, { danfo, card, training, evaluation })
    })
}

async function prepareRows(program: Program, context: Context, options: ExploreOptions): Promise<Prepared> {
  const maxRows = maxRowsOption(options.maxRows)
  const asOf = dayOption('--as-of', options.asOf)
  return prepare(program, { ...context, maxRows, ...(asOf && { asOf }) })
}

/** What is known of the version that serves; null where none does. */
async function championCard(program: Program, { modelsFolder }: Context): Promise<Card | null> {
  const registry = new Registry(modelsFolder, program.name)
  const version = await registry.champion()
  if (version === null) return null
  return JSON.parse(await readFile(join(registry.folderOf(version), 'card.json'), 'utf8'))
}

function summaryOf(program: Program, { asOf, dataset }: Prepared, training: DataFrame) {
  const [rows] = training.shape
  return { program: program.name, asOf, rows, columns: training.columns, sampledShare: dataset.sampledShare }
}

function describeTable(program: Program, prepared: Prepared, training: DataFrame): string {
  const [rows, columns] = training.shape
  const { sampledShare } = prepared.dataset
  const drawn =
    sampledShare < 1
      ? `${(100 * sampledShare).toFixed(1)}% of the customers, drawn by hash (--max-rows)`
      : 'all customers'
  return `${rows} rows with a label and ${columns} columns of ${program.name} as of ${prepared.asOf}: ${drawn}.`
}

/** On stdout: they are what was asked for. Rounded, with the columns as wide as what they hold. */
function printFrames(frames: Readonly<Record<string, DataFrame | undefined>>): void {
  for (const [name, frame] of Object.entries(frames)) {
    if (frame === undefined) continue
    const shown = (name === 'training' ? frame.head(5) : frame).applyMap(rounded) as DataFrame
    shown.config.setMaxRow(Math.max(1, shown.shape[0]))
    shown.config.setTableMaxColInConsole(name === 'training' ? 10 : shown.shape[1])
    shown.config.setTableDisplayConfig({
      columns: {},
      drawHorizontalLine: (line, lines) => line < 2 || line === lines,
    })
    process.stdout.write(`${name}\n${shown.toString()}\n`)
  }
}

function rounded(value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value
}

function rowsOf(
  danfo: Awaited<ReturnType<typeof loadDanfo>>,
  frames: Readonly<Record<string, DataFrame>>,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(frames).map(([name, frame]) => [name, danfo.toJSON(frame)]))
}

async function writeFrames(
  folder: string,
  frames: Readonly<Record<string, DataFrame | null>>,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [name, frame] of Object.entries(frames))
    if (frame !== null) await writeFile(join(folder, `${name}.csv`), await csvOf(frame))
}
