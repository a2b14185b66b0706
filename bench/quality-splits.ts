import { epochDay } from '../src/domain/days.ts'
import type { Program } from '../src/domain/program.ts'
import type { SegmentSignals } from '../src/domain/segment.ts'
import { pickFrame } from '../src/features/features.ts'
import { foldsByCustomer } from '../src/model/folds.ts'
import type { AnswerDays, Dataset } from '../training/dataset.ts'
import { type Labelled, labelBlock, rowsSeenWithin } from '../training/labelled.ts'
import type { Prepared } from '../training/prepare.ts'
import { type Split, splitRows, wholeBlock } from '../training/splits.ts'
import { planTasks, type TaskPlan } from '../training/tasks.ts'

/** Labels of one task. **Shape** all [rows]; a dataset row stands once for each answer given the day after it. */
export interface TaskRows {
  /** Dataset row. */
  readonly row: Int32Array
  /** Whether it happened, 0 or 1; of answers the score, 0 to 10. */
  readonly label: Int32Array
  readonly customer: Int32Array
}

/** What is learned and judged under one name, by us and by the peers alike. */
export interface QualityTask {
  readonly name: string
  readonly kind: 'outcome' | 'answer'
  readonly train: TaskRows & {
    /**
     * For choices. Forward: 1 is the later block to validate on, 0 what was known before it began, -1 neither.
     * By customer: the number of the fold.
     */
    readonly fold: Int32Array
  }
  readonly test: TaskRows
}

/** A task with how far its test rows look ahead, and from when. */
export interface DatedTask extends QualityTask {
  readonly horizonDays: number
  /** True where the outcome is that no event falls. */
  readonly isAbsence: boolean
  /** `cutoff` in days since 1970-01-01. [rows] */
  readonly test: TaskRows & { readonly cutoff: Int32Array }
}

/** One division of a program's rows. Nothing that is judged on its test rows was chosen by looking at them. */
export interface QualitySplit {
  readonly name: string
  /** The split on whose learning rows the peers' settings are chosen: itself, or one whose learning rows are among its. */
  readonly tunedOn: string
  /** What was known at the end of the last day before the test rows: what `learn` sees. */
  readonly train: Dataset
  readonly signals: readonly SegmentSignals[]
  readonly tasks: TaskPlan
  readonly inner: Split
  /** In days since 1970-01-01. */
  readonly asOf: number
  /** The whole dataset's test rows with what happened. */
  readonly test: Labelled
  readonly judged: readonly DatedTask[]
}

type Table = Pick<Prepared, 'dataset' | 'signals' | 'asOf'>

/** Folds by customer that judge; the others are there to make choices on. */
const folds = { count: 5, judging: [0, 1, 2], developing: [3, 4], seed: 2026 }
/** Where time divides the rows everybody learns anew so many times, each time from all that was known by then. */
const origins = 3
/** Folds by customer within the learning rows. */
const validationFolds = 5

export interface SplitOptions {
  readonly program: Program
  readonly tasks: readonly string[]
  /** Rows to make choices on instead of those that judge. */
  readonly isDevelopment: boolean
}

/**
 * Divides a program's rows: forward in time where there is time, into three blocks that follow each other and are each
 * forecast from what came before (a rolling origin: nobody serves one model for a year); else three folds by customer.
 * To make choices on there are other folds, or the time before the judging blocks, divided once.
 *
 * **Errors** where a named task cannot be learned.
 */
export function judgingSplits(prepared: Table, options: SplitOptions): QualitySplit[] {
  const { horizonsDays } = options.program
  const asOf = epochDay(prepared.asOf)
  const { testFrom } = splitRows(prepared.dataset, { asOf, horizonsDays })
  if (testFrom === null) {
    const numbers = options.isDevelopment ? folds.developing : folds.judging
    const all = foldsByCustomer(prepared.dataset.customer, folds.count, folds.seed)
    return numbers.map((fold) =>
      makeSplit(prepared, options, {
        ...{ name: `fold ${fold}`, tunedOn: `fold ${fold}` },
        ...{ asOf, until: asOf, ...all[fold] },
      }),
    )
  }
  if (!options.isDevelopment) return rollingSplits(prepared, options, { asOf, testFrom })
  const before = rowsBefore(prepared.dataset, testFrom)
  const earlier = splitRows(restrictDataset(prepared.dataset, before, testFrom), {
    asOf: testFrom,
    horizonsDays,
  })
  if (earlier.testFrom === null)
    throw new Error('There is too little time before the judging block to develop on.')
  return [
    forwardSplit(prepared, options, {
      ...{ name: 'earlier', tunedOn: 'earlier' },
      ...{ asOf: testFrom, testFrom: earlier.testFrom, testUntil: testFrom },
    }),
  ]
}

function rollingSplits(
  prepared: Table,
  options: SplitOptions,
  { asOf, testFrom }: { asOf: number; testFrom: number },
): QualitySplit[] {
  const tunedOn = 'forward'
  const whole = { name: tunedOn, tunedOn, asOf, testFrom, testUntil: asOf }
  const { judged } = forwardSplit(prepared, options, whole)
  const starts = [testFrom, ...laterStarts(judged, prepared.dataset.cutoff)]
  return starts.map((from, index) =>
    forwardSplit(prepared, options, {
      ...whole,
      name: index === 0 ? tunedOn : `${tunedOn} ${index + 1}`,
      testFrom: from,
      testUntil: starts[index + 1] ?? asOf,
    }),
  )
}

/** Cutoffs that divide the test rows alike. Long horizons are known of early cutoffs alone: these decide. */
function laterStarts(judged: readonly QualityTask[], cutoff: Int32Array): number[] {
  const cutoffs = judged.map(({ test }) => test.row.map((row) => cutoff[row]).sort())
  const shortest = cutoffs.reduce((a, b) => ((b.at(-1) ?? 0) < (a.at(-1) ?? 0) ? b : a))
  const starts = Array.from(
    { length: origins - 1 },
    (_, part) => shortest[Math.floor(((part + 1) * shortest.length) / origins)],
  )
  return [...new Set(starts)].filter((start) => start > shortest[0])
}

function forwardSplit(
  prepared: Table,
  options: SplitOptions,
  forward: { name: string; tunedOn: string; asOf: number; testFrom: number; testUntil: number },
): QualitySplit {
  const { testFrom, testUntil, ...named } = forward
  const { cutoff } = prepared.dataset
  const test = Int32Array.from(cutoff.keys()).filter(
    (row) => cutoff[row] >= testFrom && cutoff[row] < testUntil,
  )
  const train = rowsBefore(prepared.dataset, testFrom)
  return makeSplit(prepared, options, { ...named, until: testFrom, train, test })
}

function rowsBefore({ cutoff }: Dataset, day: number): Int32Array {
  return Int32Array.from(cutoff.keys()).filter((row) => cutoff[row] < day)
}

interface Division extends Pick<QualitySplit, 'name' | 'tunedOn'> {
  /** Labels of the test rows are known up to this day, those of the others up to `until`. */
  readonly asOf: number
  readonly until: number
  readonly train: Int32Array
  readonly test: Int32Array
}

function makeSplit(prepared: Table, options: SplitOptions, division: Division): QualitySplit {
  const { horizonsDays } = options.program
  const { name, tunedOn, asOf, until } = division
  const train = restrictDataset(prepared.dataset, division.train, until)
  const tasks = planTasks(options.program, train)
  const labels = { tasks, horizonsDays }
  const inner = splitRows(train, { asOf: until, horizonsDays })
  const learned = labelBlock(train, wholeBlock(train, until), labels)
  const test = labelBlock(prepared.dataset, { rows: division.test, censoredAfter: asOf }, labels)
  const judged = options.tasks.map((task): DatedTask => {
    const { horizonDays, ...of } = taskNamed(task, tasks, horizonsDays)
    const own = taskRows(learned, of)
    const judging = taskRows(test, of)
    const fold = validationFold(own, { cutoff: train.cutoff, testFrom: inner.testFrom, horizonDays })
    return {
      name: task,
      kind: of.outcome === null ? 'answer' : 'outcome',
      horizonDays,
      isAbsence: of.outcome?.isAbsence ?? false,
      train: { ...own, row: own.row.map((row) => division.train[row]), fold },
      test: { ...judging, cutoff: judging.row.map((row) => prepared.dataset.cutoff[row]) },
    }
  })
  const signals = Array.from(division.train, (row) => prepared.signals[row])
  return { name, tunedOn, train, signals, tasks, inner, asOf: until, test, judged }
}

/** Index of an outcome's task and of its horizon; null: the answers of today. */
interface TaskPlace {
  readonly outcome: { readonly index: number; readonly horizon: number; readonly isAbsence: boolean } | null
}

/** Finds `churn_30` or `nps` in a plan. */
function taskNamed(
  name: string,
  { outcomes, hasAnswers, skipped }: TaskPlan,
  horizonsDays: readonly number[],
): TaskPlace & { horizonDays: number } {
  if (name === 'nps' && hasAnswers) return { outcome: null, horizonDays: 1 }
  for (const [index, { outcome, intervals }] of outcomes.entries()) {
    const horizon = horizonsDays.slice(0, intervals).findIndex((days) => `${outcome.name}_${days}` === name)
    const place = { index, horizon, isAbsence: outcome.kind === 'absence' }
    if (horizon >= 0) return { outcome: place, horizonDays: horizonsDays[horizon] }
  }
  const why = skipped[name] ?? skipped[name.replace(/_\d+$/, '')]
  throw new Error(`${name} can't be learned from the rows before those that judge. ${why?.words ?? ''}`)
}

/** Rows of a labelled block whose label of a task is known. `row` points into the block's dataset. */
function taskRows(labelled: Labelled, { outcome }: TaskPlace): TaskRows {
  const { places, label } = outcome === null ? answersOfToday(labelled) : outcomeRows(labelled, outcome)
  return {
    row: Int32Array.from(places, (place) => labelled.rows[place]),
    label: Int32Array.from(label),
    customer: Int32Array.from(places, (place) => labelled.customer[place]),
  }
}

type Places = { readonly places: readonly number[]; readonly label: readonly number[] }

function outcomeRows(
  { outcomes }: Labelled,
  { index, horizon, isAbsence }: NonNullable<TaskPlace['outcome']>,
): Places {
  const { rows, happened } = rowsSeenWithin(outcomes[index], horizon, isAbsence)
  return { places: rows, label: happened }
}

function answersOfToday({ answers }: Labelled): Places {
  const { row, leadDays, score } = answers ?? { row: [], leadDays: [], score: [] }
  const today = Array.from(row.keys()).filter((i) => leadDays[i] === 0)
  return { places: today.map((i) => row[i]), label: today.map((i) => score[i]) }
}

function validationFold(
  { row, customer }: TaskRows,
  { cutoff, testFrom, horizonDays }: { cutoff: Int32Array; testFrom: number | null; horizonDays: number },
): Int32Array {
  if (testFrom !== null)
    return row.map((at) => (cutoff[at] >= testFrom ? 1 : cutoff[at] + horizonDays <= testFrom ? 0 : -1))
  const fold = new Int32Array(row.length)
  for (const [number, { test }] of foldsByCustomer(customer, validationFolds, folds.seed).entries())
    for (const place of test) fold[place] = number
  return fold
}

/**
 * Some rows of a dataset with what was known of them at the end of a day. All answers count alike, as they do for the
 * peers and where they are judged: for whom they stand is no question of this measurement.
 *
 * @param rows ascending. @param until in days since 1970-01-01.
 */
export function restrictDataset(dataset: Dataset, rows: Int32Array, until: number): Dataset {
  const cutoff = rows.map((row) => dataset.cutoff[row])
  return {
    ...dataset,
    frame: pickFrame(dataset.frame, rows),
    customer: rows.map((row) => dataset.customer[row]),
    cutoff,
    isPopulation: Uint8Array.from(rows, (row) => dataset.isPopulation[row]),
    outcomes: dataset.outcomes.map(({ outcome, event, known }) => {
      const limit = Float64Array.from(rows, (row, at) => Math.min(known[row], until - cutoff[at]))
      const seen = Float64Array.from(rows, (row, at) =>
        event[row] <= until - cutoff[at] ? event[row] : Number.NaN,
      )
      return { outcome, event: seen, known: limit }
    }),
    answers: dataset.answers && restrictAnswers(dataset.answers, { rows, cutoff, until }),
    responding: null,
  }
}

function restrictAnswers(
  answers: AnswerDays,
  { rows, cutoff, until }: { rows: Int32Array; cutoff: Int32Array; until: number },
): AnswerDays | null {
  const places = new Map(Array.from(rows, (row, place) => [row, place]))
  const kept = Int32Array.from(answers.row.keys()).filter((i) => {
    const place = places.get(answers.row[i])
    return place !== undefined && cutoff[place] + 1 + answers.leadDays[i] <= until
  })
  if (kept.length === 0) return null
  return {
    row: kept.map((i) => places.get(answers.row[i]) as number),
    leadDays: Float32Array.from(kept, (i) => answers.leadDays[i]),
    score: Uint8Array.from(kept, (i) => answers.score[i]),
    answer: kept.map((i) => answers.answer[i]),
    surveyWeight: new Float32Array(kept.length).fill(1),
  }
}
