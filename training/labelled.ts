import type { AnswerLabels, HazardLabels } from '../src/model/member.ts'
import { cutIntervals } from '../src/outcomes/labels.ts'
import type { Dataset } from './dataset.ts'
import type { Block } from './splits.ts'
import type { TaskPlan } from './tasks.ts'

/** Interval labels and how many leading horizons can be judged, whether or not the event fell earlier. */
export interface ObservedLabels extends HazardLabels {
  /** [rows] */
  readonly observed: Uint8Array
}

/**
 * What answers count for. **Shape** [answers], by `dataset.answers.answer`; mean 1 over those that are known, 0 for
 * later ones.
 */
export interface AnswerWeights {
  /** So that together they stand for everybody in what is known of customers: levels are measured with them. */
  readonly level: Float32Array
  /**
   * Half as far from equal, on the log scale: members learn with them. Whole weights would cost members more in chance
   * than they mend, as the level is corrected afterwards: correlation with the truth of simulated customers .70, with
   * these and without any .71.
   */
  readonly learning: Float32Array
}

/** Answers with what each counts for where levels are measured, however often it is used. */
export interface WeighedAnswers extends AnswerLabels {
  /** Mean 1 over all answers that are known. [answers] */
  readonly answerWeight: Float32Array
}

/** Whether the event fell within the first intervals; null where the last of them is not known to its end. */
export function seenWithin(labels: ObservedLabels, row: number, horizon: number): boolean | null {
  if (labels.observed[row] <= horizon) return null
  const from = row * labels.intervals
  return labels.happened.subarray(from, from + horizon + 1).includes(1)
}

/** Rows of which it is known whether the outcome came within a horizon, and whether it did: 1 or 0. */
export function rowsSeenWithin(
  labels: ObservedLabels,
  horizon: number,
  isAbsence: boolean,
): { rows: number[]; happened: number[] } {
  const rows: number[] = []
  const happened: number[] = []
  for (let row = 0; row < labels.weight.length; row++) {
    const seen = seenWithin(labels, row, horizon)
    if (seen === null) continue
    rows.push(row)
    happened.push(seen === isAbsence ? 0 : 1)
  }
  return { rows, happened }
}

/** Rows of a dataset with what may be known of them afterwards. */
export interface Labelled {
  /** Dataset rows with at least one label. */
  readonly rows: Int32Array
  /** [rows] */
  readonly customer: Int32Array
  /** One a task, labels aligned with `rows`. */
  readonly outcomes: readonly ObservedLabels[]
  /** `row` points into `rows`. */
  readonly answers: WeighedAnswers | null
}

export interface LabelOptions {
  readonly tasks: TaskPlan
  readonly horizonsDays: readonly number[]
  /** Default: every answer counts for 1. */
  readonly answerWeights?: AnswerWeights | undefined
}

/** The labels of a block, as far as they are known by the day it is censored after. Rows without any are left out. */
export function labelBlock(dataset: Dataset, block: Block, options: LabelOptions): Labelled {
  const { tasks, horizonsDays, answerWeights } = options
  const censoredAfter = Float64Array.from(dataset.cutoff, (cutoff, row) =>
    dataset.isPopulation[row] ? block.censoredAfter - cutoff : -1,
  )
  const cut = tasks.outcomes.map(({ index, intervals }) =>
    cutIntervals(dataset.outcomes[index], horizonsDays.slice(0, intervals), censoredAfter),
  )
  const inBlock = new Set(block.rows)
  const picks = usableAnswers(dataset, tasks, { inBlock, censoredAfter: block.censoredAfter })
  const answered = new Set(picks.map((pick) => dataset.answers?.row[pick] ?? -1))
  const rows = block.rows.filter(
    (row) =>
      answered.has(row) ||
      tasks.outcomes.some(({ intervals }, task) => cut[task].known[row * intervals] === 1),
  )
  return {
    rows,
    customer: rows.map((row) => dataset.customer[row]),
    outcomes: tasks.outcomes.map(({ outcome, intervals }, task) => ({
      name: outcome.name,
      intervals,
      happened: gather(cut[task].happened, rows, intervals),
      known: gather(cut[task].known, rows, intervals),
      observed: gather(cut[task].observed, rows, 1),
      weight: new Float32Array(rows.length).fill(1),
    })),
    answers: picks.length === 0 ? null : answerLabels(dataset, picks, { rows, answerWeights }),
  }
}

function usableAnswers(
  dataset: Dataset,
  tasks: TaskPlan,
  block: { inBlock: Set<number>; censoredAfter: number },
): number[] {
  const { answers } = dataset
  if (!tasks.hasAnswers || answers === null) return []
  const picks: number[] = []
  for (let i = 0; i < answers.row.length; i++) {
    const day = dataset.cutoff[answers.row[i]] + 1 + answers.leadDays[i]
    if (block.inBlock.has(answers.row[i]) && day <= block.censoredAfter) picks.push(i)
  }
  return picks
}

/** All uses of one answer together weigh what the answer counts for. */
function answerLabels(
  dataset: Dataset,
  picks: readonly number[],
  { rows, answerWeights }: { rows: Int32Array; answerWeights: AnswerWeights | undefined },
): WeighedAnswers {
  const answers = dataset.answers as NonNullable<Dataset['answers']>
  const places = new Map(Array.from(rows, (row, place) => [row, place]))
  const uses = new Map<number, number>()
  for (const pick of picks) uses.set(answers.answer[pick], (uses.get(answers.answer[pick]) ?? 0) + 1)
  const weigh = (weights: Float32Array | undefined, pick: number) => weights?.[answers.answer[pick]] ?? 1
  return {
    row: Int32Array.from(picks, (pick) => places.get(answers.row[pick]) as number),
    leadDays: Float32Array.from(picks, (pick) => answers.leadDays[pick]),
    score: Uint8Array.from(picks, (pick) => answers.score[pick]),
    weight: Float32Array.from(
      picks,
      (pick) => weigh(answerWeights?.learning, pick) / (uses.get(answers.answer[pick]) as number),
    ),
    answerWeight: Float32Array.from(picks, (pick) => weigh(answerWeights?.level, pick)),
  }
}

/** Fills `target` with the named rows of `values`, in the order of `places`: each is as wide as there is room. */
export function gatherRows<T extends Uint8Array | Float32Array>(target: T, places: Int32Array, values: T): T {
  const width = target.length / places.length
  places.forEach((place, index) => {
    target.set(values.subarray(place * width, (place + 1) * width), index * width)
  })
  return target
}

function gather(values: Uint8Array, rows: Int32Array, width: number): Uint8Array {
  return gatherRows(new Uint8Array(rows.length * width), rows, values)
}

/** Some of the labelled rows, such as a fold's. @param places positions into `labelled.rows`, ascending. */
export function pickLabelled(labelled: Labelled, places: Int32Array): Labelled {
  const { answers } = labelled
  const moved = new Map(Array.from(places, (place, index) => [place, index]))
  const kept = answers ? Array.from(answers.row.keys()).filter((i) => moved.has(answers.row[i])) : []
  return {
    rows: places.map((place) => labelled.rows[place]),
    customer: places.map((place) => labelled.customer[place]),
    outcomes: labelled.outcomes.map((labels) => ({
      ...labels,
      happened: gather(labels.happened, places, labels.intervals),
      known: gather(labels.known, places, labels.intervals),
      observed: gather(labels.observed, places, 1),
      weight: Float32Array.from(places, (place) => labels.weight[place]),
    })),
    answers:
      answers === null || kept.length === 0
        ? null
        : {
            row: Int32Array.from(kept, (i) => moved.get(answers.row[i]) as number),
            leadDays: Float32Array.from(kept, (i) => answers.leadDays[i]),
            score: Uint8Array.from(kept, (i) => answers.score[i]),
            weight: Float32Array.from(kept, (i) => answers.weight[i]),
            answerWeight: Float32Array.from(kept, (i) => answers.answerWeight[i]),
          },
  }
}
