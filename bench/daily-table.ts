import { type Day, epochDay } from '../src/domain/days.ts'
import type { Program } from '../src/domain/program.ts'
import { silentReporter } from '../src/domain/progress.ts'
import type { Catalogue } from '../src/features/catalogue.ts'
import {
  type BehaviourRelations,
  type FeatureFrame,
  lakeRelations,
  makeDaySpine,
  readFeatures,
} from '../src/features/features.ts'
import type { Database } from '../src/lake/database.ts'
import { type Lake, openLake } from '../src/lake/lake.ts'
import { withScratchDatabase } from '../src/lake/scratch-database.ts'
import { logLoss, meanOf } from '../src/model/metrics.ts'
import { distributionOf, type Predictor } from '../src/model/predictor.ts'
import { loadChampion } from '../src/model/stored-predictor.ts'
import { cutIntervals } from '../src/outcomes/labels.ts'
import { readOutcomeDays } from '../src/outcomes/outcome-days.ts'
import type { Dataset } from '../training/dataset.ts'
import { labelBlock, rowsSeenWithin } from '../training/labelled.ts'
import { prepare } from '../training/prepare.ts'
import { wholeBlock } from '../training/splits.ts'
import type { TaskPlan } from '../training/tasks.ts'
import type { QualityTask, TaskRows } from './quality-splits.ts'
import { type ExportedTable, exportTable } from './quality-table.ts'

export interface LearningOptions {
  readonly dataFolder: string
  readonly modelsFolder: string
  /** The version that serves learned from what was known by then; the days after it judge. */
  readonly learnedUntil: Day
  readonly learnedRows: number
}

/** Rows to learn from and to be judged on, and the log loss of the version that serves on the latter. */
export interface LearningTable {
  readonly table: ExportedTable
  /** Task → labels of its judged rows, int32 in a file of the folder. */
  readonly testLabels: Readonly<Record<string, Int32Array>>
  readonly ownLosses: Readonly<Record<string, number>>
  readonly catalogue: Catalogue
}

/** Share of the learning cutoffs, the last ones, that choose the peers' rounds. */
const validationShare = 0.25

/**
 * Writes what the version that serves learned from, and everybody at risk on the last day it knew with what happened
 * since: nobody has seen that.
 */
export async function exportLearning(
  folder: string,
  program: Program,
  options: LearningOptions,
): Promise<LearningTable> {
  const { predictor } = await loadChampion(options.modelsFolder, program)
  const { dataset, tasks } = await prepare(program, {
    ...options,
    asOf: options.learnedUntil,
    maxRows: options.learnedRows,
    reporter: silentReporter,
  })
  const learned = learnedLabels(program, dataset, { tasks, asOf: epochDay(options.learnedUntil) })
  const judged = await readJudged(program, predictor, options)
  const cutoffs = [...new Set(dataset.cutoff)].sort((a, b) => a - b)
  const testFrom = cutoffs[Math.floor((1 - validationShare) * cutoffs.length)]
  const own = [...learned].map(([name, { row, label }]): QualityTask => {
    const horizon = Number(/_(\d+)$/.exec(name)?.[1] ?? 1)
    const foldOf = (cutoff: number) => (cutoff >= testFrom ? 1 : cutoff + horizon <= testFrom ? 0 : -1)
    const test = judged.labels[name]
    const train = { row, label, customer: row.map((at) => dataset.customer[at]) }
    return {
      name,
      kind: name === 'nps' ? 'answer' : 'outcome',
      train: { ...train, fold: row.map((at) => foldOf(dataset.cutoff[at])) },
      test: { row: test.row.map((at) => dataset.frame.rows + at), label: test.label, customer: test.row },
    }
  })
  const frame = joinFrames(dataset.frame, judged.frame)
  const table = await exportTable(folder, frame, [
    { name: 'daily', tunedOn: 'daily', inner: { testFrom }, judged: own },
  ])
  const testLabels = Object.fromEntries(own.map(({ name, test }) => [name, test.label]))
  return { table, testLabels, ownLosses: lossesOf(predictor, judged), catalogue: predictor.catalogue }
}

type Labels = Pick<TaskRows, 'row' | 'label'>

/** What the training table tells of each task. */
function learnedLabels(
  { horizonsDays }: Program,
  dataset: Dataset,
  { tasks, asOf }: { tasks: TaskPlan; asOf: number },
): Map<string, Labels> {
  const { rows, outcomes, answers } = labelBlock(dataset, wholeBlock(dataset, asOf), { tasks, horizonsDays })
  const labels = new Map<string, Labels>()
  for (const [index, { outcome, intervals }] of tasks.outcomes.entries())
    for (const [horizon, days] of horizonsDays.slice(0, intervals).entries()) {
      const seen = rowsSeenWithin(outcomes[index], horizon, outcome.kind === 'absence')
      const row = Int32Array.from(seen.rows, (place) => rows[place])
      labels.set(`${outcome.name}_${days}`, { row, label: Int32Array.from(seen.happened) })
    }
  if (answers === null) return labels
  const today = Int32Array.from(answers.row.keys()).filter((at) => answers.leadDays[at] === 0)
  const row = today.map((at) => rows[answers.row[at]])
  return labels.set('nps', { row, label: today.map((at) => answers.score[at]) })
}

interface Judged {
  readonly frame: FeatureFrame
  /** Task → rows of the frame of which it is known. */
  readonly labels: Readonly<Record<string, Labels>>
}

async function readJudged(
  program: Program,
  predictor: Predictor,
  { dataFolder, learnedUntil: date }: LearningOptions,
): Promise<Judged> {
  const lake = await openLake(dataFolder, program)
  return withScratchDatabase(lake.folder, program, async (database) => {
    const relations = lakeRelations(lake, { excluded: new Set(predictor.parts.excluded) })
    await makeDaySpine(database, 'spine', { program, relations, date })
    const { catalogue } = predictor
    const frame = await readFeatures(database, { program, lake, catalogue, relations, spine: 'spine' })
    const labels = await readLabels(database, predictor, { program, lake, relations, rows: frame.rows })
    return { frame, labels }
  })
}

async function readLabels(
  database: Database,
  { parts }: Predictor,
  known: { program: Program; lake: Lake; relations: BehaviourRelations; rows: number },
): Promise<Judged['labels']> {
  const { program, lake, relations, rows } = known
  const labels: Record<string, Labels> = {}
  for (const { name, isAbsence, horizonsDays } of parts.outcomes) {
    const outcome = program.outcomes.find((one) => one.name === name) as Program['outcomes'][number]
    const request = { program, state: lake.state, relations, spine: 'spine', asOf: '9999-12-31' }
    const days = await readOutcomeDays(database, outcome, request)
    if (days === null) continue
    const cut = cutIntervals(days, horizonsDays, new Float64Array(rows).fill(Infinity))
    const observed = { name, intervals: horizonsDays.length, weight: new Float32Array(rows), ...cut }
    for (const [horizon, length] of horizonsDays.entries()) {
      const { rows: row, happened } = rowsSeenWithin(observed, horizon, isAbsence)
      labels[`${name}_${length}`] = { row: Int32Array.from(row), label: Int32Array.from(happened) }
    }
  }
  const answers = await database.columns(`
    select row, arg_min(score, day)::integer as score
    from spine join ${relations.responses} as responses using (customer_id)
    where metric = 'nps' and day > cutoff and day <= cutoff + 30
    group by row order by row`)
  const [row, label] = [answers.row, answers.score].map((column) => Int32Array.from(column as Float64Array))
  return { ...labels, nps: { row, label } }
}

/** Mean log loss of each task. Answers of the next 30 days are judged by what is said of today. */
function lossesOf(predictor: Predictor, { frame, labels }: Judged): Record<string, number> {
  const { outcomes, answers } = predictor.predict(frame, [0])
  const losses: Record<string, number> = {}
  for (const { model, probabilities } of outcomes)
    for (const [horizon, days] of model.horizonsDays.entries()) {
      const { row, label } = labels[`${model.name}_${days}`]
      const at = (place: number) => probabilities[place * model.horizonsDays.length + horizon]
      const happened = Uint8Array.from(label)
      losses[`${model.name}_${days}`] = logLoss({ probability: Float64Array.from(row, at), happened })
    }
  if (answers === null) return losses
  const { row, label } = labels.nps
  const chanceOf = (place: number, at: number) => distributionOf(answers.distributions[0], place)[label[at]]
  losses.nps = meanOf(Float64Array.from(row, (place, at) => -Math.log(chanceOf(place, at))))
  return losses
}

function joinFrames(first: FeatureFrame, second: FeatureFrame): FeatureFrame {
  const columns = first.columns.map((column, at) => {
    const other = second.columns[at]
    if (!(column instanceof Float64Array)) return [...column, ...(other as (string | null)[])]
    const both = new Float64Array(first.rows + second.rows)
    both.set(column)
    both.set(other as Float64Array, first.rows)
    return both
  })
  return { rows: first.rows + second.rows, features: first.features, columns }
}

/** Where the labels of a task's judged rows lie in the folder. */
export function testLabelFile(task: string): string {
  return `${task}.label.i32`
}
