import { z } from 'zod'
import { failure } from '../domain/errors.ts'
import { type LinearDesign, linearDesign } from './linear-design.ts'
import { fitHazards, type HazardModel, hazardLoss, predictHazards } from './logistic.ts'
import type { Matrix } from './matrix.ts'
import type { AnswerLabels, ByTask, HazardLabels, LearningSet, Member, StoredMember } from './member.ts'
import { fitOrdinal } from './ordinal.ts'
import { type OrdinalModel, ordinalLoss, predictOrdinal, thresholdCount } from './ordinal-model.ts'
import { choosePenalty, foldsForChoice, type PenaltyTask, sampleByCustomer } from './penalty-choice.ts'
import { countTasks, joinByTask, type TaskOptions } from './single-task.ts'

/** Penalties of the tasks, as {@link fitHazards} and {@link fitOrdinal} define them. */
export type LogisticPenalties = ByTask<number>

/** Without validation, penalties are chosen by cross-validation by customer. */
export interface LogisticOptions extends TaskOptions<number> {
  /** Candidates, heaviest first. Default 1 down to .0001 in steps of about 5. */
  readonly grid?: readonly number[]
  /** Folds of the cross-validation. Default 5; large tables use only two of them. */
  readonly folds?: number
  readonly seed: number
  /** Told the share that is done, 0 to 1. */
  readonly onProgress?: (done: number) => void
}

/** A fitted linear model of every task. */
export interface LogisticMember extends Member {
  readonly kind: 'logistic'
  readonly penalties: LogisticPenalties
  readonly outcomes: readonly { readonly name: string; readonly model: HazardModel }[]
  readonly answers: OrdinalModel | null
}

/**
 * Prior variance of what is an interval's (or 90 days of lead) own, as a share of the shared weights' variance.
 *
 * Measured on purchases of online_retail, held-out log loss a known interval: none .4850, a tenth .4832, separate
 * fits .4835 by customer; .4875, .4876 and .4898 on later months.
 */
const deviation = 0.1
/** Of the final fits: loss within about a ten-thousandth of the minimum. */
const tolerance = 1e-5
const defaultGrid = [1, 0.2, 0.05, 0.01, 0.002, 0.0005, 0.0001]

/**
 * Regularised linear models of every task on the same columns: logistic hazards for outcomes, cumulative logits for
 * answers. The member that is hardest to beat on small data.
 *
 * **Time** sees only `learning` and, to choose penalties, `options.validation`.
 */
export function fitLogistic(learning: LearningSet, options: LogisticOptions): LogisticMember {
  const design = linearDesign(learning.features)
  const tasks = countTasks(learning)
  let finished = 0
  const onStep = (done: number) => options.onProgress?.((finished + done) / tasks)
  const outcomes = learning.outcomes.map((labels, index) => {
    const fitted = fitOutcome({ learning, design, options, onStep }, labels, index)
    finished++
    return fitted
  })
  const answers =
    learning.answers === null ? null : fitAnswers({ learning, design, options, onStep }, learning.answers)
  options.onProgress?.(1)
  return memberOf({
    outcomes: outcomes.map(({ name, model }) => ({ name, model })),
    answers: answers?.model ?? null,
    penalties: { outcomes: outcomes.map(({ penalty }) => penalty), answers: answers?.penalty ?? null },
  })
}

/** One member of members that were fitted on tasks of their own, in the order of the tasks. */
export function joinTasks(members: readonly LogisticMember[]): LogisticMember {
  return memberOf({
    outcomes: members.flatMap(({ outcomes }) => outcomes),
    answers: members.find(({ answers }) => answers !== null)?.answers ?? null,
    penalties: joinByTask(members.map(({ penalties }) => penalties)),
  })
}

interface Setting {
  readonly learning: LearningSet
  readonly design: LinearDesign
  readonly options: LogisticOptions
  readonly onStep: (done: number) => void
}

function fitOutcome(
  setting: Setting,
  labels: HazardLabels,
  index: number,
): { name: string; model: HazardModel; penalty: number } {
  const { learning, design, options } = setting
  const judged = options.validation ?? learning
  const task: LinearTask<HazardModel> = {
    customer: learning.customer,
    later: options.validation?.features.rows ?? 0,
    fit: (rows, options) => fitHazards(design, { labels, rows }, { ...options, deviation }),
    loss: (model, rows) => hazardLoss(model, judged.features, { labels: judged.outcomes[index], rows }),
  }
  return { name: labels.name, ...fitTask(setting, task, options.chosen?.outcomes[index]) }
}

function fitAnswers(setting: Setting, labels: AnswerLabels): { model: OrdinalModel; penalty: number } {
  const { learning, design, options } = setting
  const later = options.validation?.answers ?? null
  const judged = options.validation !== undefined && later !== null ? options.validation : learning
  const task: LinearTask<OrdinalModel> = {
    customer: Int32Array.from(labels.row, (row) => learning.customer[row]),
    later: later?.score.length ?? 0,
    fit: (picks, options) => fitOrdinal(design, { labels, picks }, { ...options, deviation }),
    loss: (model, picks) => ordinalLoss(model, judged.features, { labels: later ?? labels, picks }),
  }
  return fitTask(setting, task, options.chosen?.answers ?? undefined)
}

/** One task; units are rows or answers. */
interface LinearTask<Model> extends Pick<PenaltyTask<Model>, 'fit' | 'loss'> {
  /** Customer of each unit learned from. [units] */
  readonly customer: Int32Array
  /** Units of the later data that `loss` judges; 0 where it judges those learned from. */
  readonly later: number
}

function fitTask<Model>(
  { design, options, onStep }: Setting,
  task: LinearTask<Model>,
  fixed: number | undefined,
): { model: Model; penalty: number } {
  const all = Int32Array.from(task.customer, (_, unit) => unit)
  if (fixed !== undefined)
    return { model: task.fit(all, { penalty: fixed, tolerance }).model, penalty: fixed }
  const { seed, folds = 5, grid = defaultGrid } = options
  const later = Int32Array.from({ length: task.later }, (_, unit) => unit)
  const split =
    later.length > 0
      ? [{ train: sampleByCustomer(task.customer, seed), test: later }]
      : foldsForChoice(task.customer, { folds, seed, columns: design.features.columns })
  const { penalty, start } = choosePenalty({ folds: split, grid, onStep, fit: task.fit, loss: task.loss })
  return { model: task.fit(all, { penalty, tolerance, ...(start && { start }) }).model, penalty }
}

type Learned = Pick<LogisticMember, 'penalties' | 'outcomes' | 'answers'>

function memberOf(learned: Learned): LogisticMember {
  const { outcomes, answers } = learned
  return {
    kind: 'logistic',
    ...learned,
    predict: (features: Matrix, leads: readonly Float32Array[]) => ({
      hazards: outcomes.map(({ model }) => predictHazards(model, features)),
      answers: answers === null ? [] : predictOrdinal(answers, features, leads),
    }),
    keepTasks: (used) =>
      memberOf({
        ...learned,
        outcomes: outcomes.map((own, index) =>
          used.outcomes[index] ? own : { ...own, model: { ...own.model, ...noColumns } },
        ),
        answers: answers && (used.answers ? answers : { ...answers, ...noColumns, drift: noColumns.weights }),
      }),
    store: () => storeLogistic(learned),
  }
}

/** A model that looks at nothing: quick to ask. */
const noColumns = { columns: 0, weights: new Float32Array() }

function storeLogistic({ penalties, outcomes, answers }: Learned): StoredMember {
  const arrays: Record<string, Float32Array> = {}
  outcomes.forEach(({ model }, index) => {
    arrays[`outcome_${index}_weights`] = model.weights
    arrays[`outcome_${index}_intercepts`] = model.intercepts
  })
  if (answers !== null) {
    arrays.answer_weights = answers.weights
    arrays.answer_drift = answers.drift
    arrays.answer_drift_intercept = Float32Array.of(answers.driftIntercept)
    arrays.answer_thresholds = answers.thresholds
  }
  const description = {
    penalties,
    outcomes: outcomes.map(({ name, model: { columns, intervals } }) => ({ name, columns, intervals })),
    answerColumns: answers?.columns ?? null,
  }
  return { kind: 'logistic', description, arrays }
}

const storedDescription = z.object({
  penalties: z.object({ outcomes: z.array(z.number()), answers: z.number().nullable() }),
  outcomes: z.array(z.object({ name: z.string(), columns: z.int(), intervals: z.int() })),
  answerColumns: z.int().nullable(),
})

/** The member that {@link Member.store} described. Throws `stored_member_broken` where a part is missing. */
export function restoreLogistic(stored: StoredMember): LogisticMember {
  const parsed = storedDescription.safeParse(stored.description)
  if (!parsed.success) throw broken(`description: ${z.prettifyError(parsed.error)}`)
  const array = (name: string, length: number): Float32Array => {
    const found = stored.arrays[name]
    if (found?.length !== length)
      throw broken(`${name} has ${found?.length ?? 0} numbers instead of ${length}`)
    return found
  }
  const { penalties, outcomes, answerColumns } = parsed.data
  return memberOf({
    penalties,
    outcomes: outcomes.map(({ name, columns, intervals }, index) => ({
      name,
      model: {
        columns,
        intervals,
        weights: array(`outcome_${index}_weights`, columns * intervals),
        intercepts: array(`outcome_${index}_intercepts`, intervals),
      },
    })),
    answers: answerColumns === null ? null : restoreAnswers(answerColumns, array),
  })
}

function restoreAnswers(
  columns: number,
  array: (name: string, length: number) => Float32Array,
): OrdinalModel {
  return {
    columns,
    weights: array('answer_weights', columns),
    drift: array('answer_drift', columns),
    driftIntercept: array('answer_drift_intercept', 1)[0],
    thresholds: array('answer_thresholds', thresholdCount),
  }
}

function broken(what: string): Error {
  return failure('stored_member_broken', `The stored logistic member can't be read: ${what}. Train again.`)
}
