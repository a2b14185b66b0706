import { cumulativeFromHazards } from '../src/model/blend.ts'
import { clusterBootstrap, type Interval } from '../src/model/bootstrap.ts'
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
import type { Dataset } from './dataset.ts'
import { type HeldOut, hazardsOf } from './held-out.ts'
import { type Labelled, type ObservedLabels, rowsSeenWithin } from './labelled.ts'
import { placements } from './order.ts'
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
   * Gain in log loss (nats a row, all horizons together) over the base rate, both at the level that was: a level that
   * moved is neither skill nor the lack of it. Null where nothing could be judged.
   */
  readonly gain: Interval | null
  /** AUC among rows of one cutoff, less a half: a level that moved, however well it was met, tells nobody apart. */
  readonly order: Interval | null
  readonly hasSkill: boolean
}

/** What was blended and calibrated, and held-out predictions that it is judged on. */
export interface JudgedSide<Model> {
  readonly model: Model
  readonly test: HeldOut
}

export interface JudgedOutcome extends JudgedSide<OutcomeModel> {
  readonly task: OutcomeTaskPlan
  /** Index of the task. */
  readonly index: number
  /** What the members learned from: baselines are fitted on it. */
  readonly learned: Labelled
  /**
   * What skill is judged on, each at the level that its rows really had, see `atLevelOf`: the test rows, and those that
   * the predictor was calibrated on under what is calibrated on the test rows.
   */
  readonly sides: readonly JudgedSide<OutcomeModel>[]
  readonly dataset: Dataset
  readonly seed: number
}

/**
 * Judges one outcome on later data, with the baselines fitted on what the members learned from. The base rate also
 * knows what the predictor was calibrated on. Skill is judged on twice as many rows, see {@link JudgedOutcome.sides}.
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
  const hasSkill = gain !== null && gain.low > 0 && order !== null && order.low > 0
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
function eventTimeGain(judged: JudgedOutcome): Interval | null {
  return meanOverSides(judged, ({ model, test }) => {
    const own = eventLogLikelihoods(model, test, judged.index)
    const base = eventLogLikelihoods({ ...model, hasSkill: false }, test, judged.index)
    return { rows: own.rows, values: own.values.map((value, place) => value - base.values[place]) }
  })
}

/** How much better than by chance rows of one cutoff are ordered: {@link placements} by the longest known horizon. */
function orderWithinCutoffs(judged: JudgedOutcome): Interval | null {
  const { index, dataset } = judged
  return meanOverSides(judged, ({ model, test }) => {
    const { labelled } = test
    const labels = labelled.outcomes[index]
    const horizon = model.horizonsDays.findLastIndex((_, at) => labels.known.some(isKnownAt(labels, at)))
    const { rows, happened } = rowsSeenWithin(labels, horizon, model.isAbsence)
    const said = probabilitiesOf(model, test, index)
    const values = placements({
      probability: rows.map((row) => said[row * labels.intervals + horizon]),
      happened,
      // In a snapshot a cutoff may be its customer's alone.
      group: rows.map((row) => (dataset.plan.kind === 'snapshot' ? 0 : dataset.cutoff[labelled.rows[row]])),
    })
    return { rows, values }
  })
}

/** Mean of a figure of rows over both sides; null without any. NaN: the row has none. */
function meanOverSides(
  { seed, sides }: JudgedOutcome,
  figuresOf: (side: JudgedSide<OutcomeModel>) => { rows: readonly number[]; values: ArrayLike<number> },
): Interval | null {
  const values: number[] = []
  const cluster: number[] = []
  for (const side of sides) {
    const found = figuresOf(side)
    found.rows.forEach((row, place) => {
      if (Number.isNaN(found.values[place])) return
      values.push(found.values[place])
      cluster.push(side.test.labelled.customer[row])
    })
  }
  return values.length === 0 ? null : clusterBootstrap({ values, cluster, seed })
}

function isKnownAt({ intervals }: HazardLabels, horizon: number) {
  return (known: number, at: number) => known === 1 && at % intervals === horizon
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
  const { labelled } = test
  const labels = labelled.outcomes[index]
  const probabilities = probabilitiesOf(model, test, index)
  const rows = Array.from(labelled.rows.keys()).filter((row) => labels.known[row * labels.intervals] === 1)
  return { rows, values: rows.map((row) => seenLogLikelihood(labels, row, probabilities, model.isAbsence)) }
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
