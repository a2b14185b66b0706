import { cumulativeFromHazards } from '../src/model/blend.ts'
import { type BoundedInterval, clusterBootstrap } from '../src/model/bootstrap.ts'
import type { HazardLabels } from '../src/model/member.ts'
import {
  auc,
  averagePrecision,
  brier,
  expectedCalibrationError,
  liftAt,
  logLoss,
  type ReliabilityBin,
  reliabilityTable,
} from '../src/model/metrics.ts'
import { type OutcomeModel, outcomeProbabilities } from '../src/model/predictor.ts'
import { hazardsByGroup, lastKnownOutcome, spreadGroups } from './baselines.ts'
import type { CrossForecast } from './cross-forecast.ts'
import type { Dataset } from './dataset.ts'
import { type HeldOut, hazardsOf } from './held-out.ts'
import { type Labelled, type ObservedLabels, rowsSeenWithin } from './labelled.ts'
import { concordances } from './order.ts'
import type { OutcomeTaskPlan } from './tasks.ts'

/** How well probabilities of one horizon hold on later data. AUC, PR-AUC and lift are null where only one side occurred. */
export interface HorizonMetrics {
  readonly auc: number | null
  readonly prAuc: number | null
  readonly logLoss: number
  readonly brier: number
  /** Expected calibration error, 15 bins of equal mass. */
  readonly ece: number
  readonly liftAt10: number | null
}

/** The predictor beside the three baselines, by name. */
export type Compared<T> = Readonly<Record<'model' | 'base_rate' | 'last_known' | 'logistic', T>>

export interface HorizonEvaluation {
  readonly horizonDays: number
  readonly rows: number
  readonly happened: number
  readonly metrics: Compared<HorizonMetrics>
  readonly reliability: readonly ReliabilityBin[]
}

export interface OutcomeEvaluation {
  readonly name: string
  readonly horizons: readonly HorizonEvaluation[]
  /**
   * Gain in log loss (nats a row, all horizons together) over the base rate of what {@link crossForecast} says: a level
   * that moved is neither skill nor the lack of it. Null where nothing could be judged.
   */
  readonly gain: BoundedInterval | null
  /** Concordance among rows of one cutoff, less a half: a level that was met, however well, tells nobody apart. */
  readonly order: BoundedInterval | null
  readonly hasSkill: boolean
}

export interface JudgedOutcome {
  /** What was blended and calibrated on other rows than the test rows. */
  readonly model: OutcomeModel
  readonly test: HeldOut
  /** What skill is judged on; null where it cannot be. */
  readonly cross: CrossForecast | null
  readonly task: OutcomeTaskPlan
  /** Index of the task. */
  readonly index: number
  /** What the members learned from: baselines are fitted on it. */
  readonly learned: Labelled
  readonly dataset: Dataset
  readonly seed: number
}

/**
 * Judges one outcome on later data, with the baselines fitted on what the members learned from. The base rate also
 * knows what the predictor was calibrated on. Skill is judged by {@link crossForecast}, on all rows of later days.
 */
export function evaluateOutcome(judged: JudgedOutcome): OutcomeEvaluation {
  const { index, model, learned, test } = judged
  const labels = test.labelled.outcomes[index]
  const own = learned.outcomes[index]
  const lastKnown = lastKnownOutcome(
    judged.dataset.frame,
    judged.task.outcome.eventTypes,
    model.horizonsDays[0],
  )
  const groupsOf = (labelled: Labelled) => labelled.rows.map((row) => lastKnown[row])
  const of = (hazards: ArrayLike<number>) =>
    complementIfAbsence(cumulativeFromHazards(hazards, labels.intervals), model)
  const predicted: Compared<Float64Array> = {
    model: probabilitiesOf(model, test, index),
    // What is served without skill.
    base_rate: probabilitiesOf({ ...model, hasSkill: false }, test, index),
    last_known: of(
      spreadGroups(
        hazardsByGroup(own, Uint8Array.from(groupsOf(learned))),
        Uint8Array.from(groupsOf(test.labelled)),
      ),
    ),
    logistic: of(test.hazards[0][index]),
  }
  const horizons = model.horizonsDays.flatMap(
    (_, horizon) => evaluateHorizon({ labels, model, predicted, horizon }) ?? [],
  )
  const gain = eventTimeGain(judged)
  const order = orderWithinCutoffs(judged)
  const hasSkill = gain !== null && gain.lowerBound > 0 && order !== null && order.lowerBound > 0
  return { name: model.name, horizons, gain, order, hasSkill }
}

function complementIfAbsence(happened: Float64Array, model: OutcomeModel): Float64Array {
  return model.isAbsence ? happened.map((p) => 1 - p) : happened
}

function evaluateHorizon({
  labels,
  model,
  predicted,
  horizon,
}: {
  labels: ObservedLabels
  model: OutcomeModel
  predicted: Compared<Float64Array>
  horizon: number
}): HorizonEvaluation | null {
  const { intervals } = labels
  const { rows, happened } = rowsSeenWithin(labels, horizon, model.isAbsence)
  if (rows.length === 0) return null
  const judge = (all: Float64Array) => {
    const probability = Float64Array.from(rows, (row) => all[row * intervals + horizon])
    return measure(probability, happened)
  }
  const probability = Float64Array.from(rows, (row) => predicted.model[row * intervals + horizon])
  return {
    horizonDays: model.horizonsDays[horizon],
    rows: rows.length,
    happened: happened.reduce((sum, value) => sum + value, 0),
    metrics: {
      model: judge(predicted.model),
      base_rate: judge(predicted.base_rate),
      last_known: judge(predicted.last_known),
      logistic: judge(predicted.logistic),
    },
    reliability: reliabilityTable({ probability, happened }),
  }
}

function measure(probability: Float64Array, happened: readonly number[]): HorizonMetrics {
  const judged = { probability, happened }
  return {
    auc: auc(judged),
    prAuc: averagePrecision(judged),
    logLoss: logLoss(judged),
    brier: brier(judged),
    ece: expectedCalibrationError(judged),
    liftAt10: liftAt(judged, 0.1),
  }
}

/** Gain in log likelihood of what was seen (when the event fell, or that it had not) over the base rate, by row. */
function eventTimeGain({ cross, index, model, seed }: JudgedOutcome): BoundedInterval | null {
  if (cross === null) return null
  const { labelled, outcomes } = cross
  const of = (probabilities: Float64Array) =>
    seenLogLikelihoods(labelled.outcomes[index], probabilities, model)
  const own = of(outcomes[index].model)
  const base = of(outcomes[index].base)
  const figures = own.values.map((value, place) => value - base.values[place])
  return meanOverRows({ rows: own.rows, figures }, labelled, seed)
}

/**
 * How much better than by chance those of one cutoff who were still to be seen in an interval are ordered by what was
 * said of its end, among those who were forecast by the same others.
 *
 * Source: Antolini, Boracchi & Biganzoli (2005), time-dependent concordance.
 */
function orderWithinCutoffs({ cross, index, model, dataset, seed }: JudgedOutcome): BoundedInterval | null {
  if (cross === null) return null
  const { labelled, fold, outcomes } = cross
  const { intervals, known, happened } = labelled.outcomes[index]
  const probability = outcomes[index].model
  const places = Array.from(known.keys()).filter((at) => known[at] === 1)
  const rows = places.map((at) => Math.floor(at / intervals))
  // In a snapshot a cutoff may be its customer's alone.
  const cutoffOf = (row: number) =>
    dataset.plan.kind === 'snapshot' ? 0 : dataset.cutoff[labelled.rows[row]]
  const folds = 1 + fold.reduce((most, one) => Math.max(most, one), 0)
  const figures = concordances({
    probability: places.map((at) => (model.isAbsence ? 1 - probability[at] : probability[at])),
    happened: places.map((at) => happened[at]),
    group: places.map((at, i) => (cutoffOf(rows[i]) * folds + fold[rows[i]]) * intervals + (at % intervals)),
  })
  return meanOverRows({ rows, figures }, labelled, seed)
}

/** Mean of a figure of rows; null without any. NaN: the row has none. */
function meanOverRows(
  { rows, figures }: { rows: readonly number[]; figures: ArrayLike<number> },
  { customer }: Labelled,
  seed: number,
): BoundedInterval | null {
  const places = Array.from(rows.keys()).filter((place) => !Number.isNaN(figures[place]))
  if (places.length === 0) return null
  const values = places.map((place) => figures[place])
  return clusterBootstrap({ values, cluster: places.map((place) => customer[rows[place]]), seed })
}

/** @param index of the outcome */
function probabilitiesOf(model: OutcomeModel, test: HeldOut, index: number): Float64Array {
  return outcomeProbabilities(model, test.labelled.rows.length, hazardsOf(test, index))
}

/** Log likelihood of what was seen of each row of which anything is known. @param index of the outcome */
export function eventLogLikelihoods(
  model: OutcomeModel,
  test: HeldOut,
  index: number,
): { rows: number[]; values: number[] } {
  return seenLogLikelihoods(test.labelled.outcomes[index], probabilitiesOf(model, test, index), model)
}

function seenLogLikelihoods(
  labels: ObservedLabels,
  probabilities: Float64Array,
  { isAbsence }: Pick<OutcomeModel, 'isAbsence'>,
): { rows: number[]; values: number[] } {
  const rows = Array.from(labels.weight.keys()).filter((row) => labels.known[row * labels.intervals] === 1)
  return { rows, values: rows.map((row) => seenLogLikelihood(labels, row, probabilities, isAbsence)) }
}

function seenLogLikelihood(
  labels: HazardLabels,
  row: number,
  probabilities: Float64Array,
  isAbsence: boolean,
): number {
  const survival = (j: number) => {
    const p = probabilities[row * labels.intervals + j]
    return isAbsence ? p : 1 - p
  }
  let before = 1
  for (let j = 0; j < labels.intervals; j++) {
    const at = row * labels.intervals + j
    if (labels.known[at] === 0) break
    if (labels.happened[at] === 1) return Math.log(Math.max(1e-12, before - survival(j)))
    before = survival(j)
  }
  return Math.log(Math.max(1e-12, before))
}
