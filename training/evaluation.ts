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
import { baseHazards } from './blended.ts'
import type { Dataset } from './dataset.ts'
import type { HeldOut } from './held-out.ts'
import { type Labelled, type ObservedLabels, seenWithin } from './labelled.ts'
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
  /** Gain in log loss (nats a row, all horizons together) over the base rate; null where nothing could be judged. */
  readonly gain: Interval | null
  readonly hasSkill: boolean
}

export interface JudgedOutcome {
  readonly task: OutcomeTaskPlan
  /** Index of the task. */
  readonly index: number
  readonly model: OutcomeModel
  /** What the members learned from: baselines are fitted on it. */
  readonly learned: Labelled
  /** What the predictor was blended and calibrated on. */
  readonly calibrated: Labelled
  readonly test: HeldOut
  readonly dataset: Dataset
  readonly seed: number
}

/**
 * Judges one outcome on later data, with the baselines fitted on what the members learned from. The base rate also
 * knows what the predictor was calibrated on: a level that moved is no skill.
 */
export function evaluateOutcome(judged: JudgedOutcome): OutcomeEvaluation {
  const { index, model, learned, test } = judged
  const labels = test.labelled.outcomes[index]
  const rows = test.labelled.rows.length
  const own = learned.outcomes[index]
  const lastKnown = lastKnownOutcome(
    judged.dataset.frame,
    judged.task.outcome.eventTypes,
    model.horizonsDays[0],
  )
  const groupsOf = (labelled: Labelled) => labelled.rows.map((row) => lastKnown[row])
  const of = (hazards: ArrayLike<number>) =>
    complementIfAbsence(cumulativeFromHazards(hazards, labels.intervals), model)
  const base = baseHazards(own, judged.calibrated.outcomes[index])
  const predicted: Compared<Float64Array> = {
    model: outcomeProbabilities(
      model,
      rows,
      test.hazards.map((hazards) => hazards[index]),
    ),
    base_rate: of(
      Float64Array.from({ length: rows * labels.intervals }, (_, at) => base[at % labels.intervals]),
    ),
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
  const gain = eventTimeGain(
    labels,
    { model: predicted.model, base: predicted.base_rate, isAbsence: model.isAbsence },
    {
      cluster: test.labelled.customer,
      seed: judged.seed,
    },
  )
  return { name: model.name, horizons, gain, hasSkill: gain !== null && gain.low > 0 }
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
  const rows: number[] = []
  const happened: number[] = []
  for (let row = 0; row < labels.weight.length; row++) {
    const seen = seenWithin(labels, row, horizon)
    if (seen === null) continue
    rows.push(row)
    happened.push(seen === model.isAbsence ? 0 : 1)
  }
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
function eventTimeGain(
  labels: HazardLabels,
  predicted: { model: Float64Array; base: Float64Array; isAbsence: boolean },
  { cluster, seed }: { cluster: Int32Array; seed: number },
): Interval | null {
  const rows = Array.from(labels.weight.keys()).filter((row) => labels.known[row * labels.intervals] === 1)
  if (rows.length === 0) return null
  const values = rows.map(
    (row) =>
      seenLogLikelihood(labels, row, predicted.model, predicted.isAbsence) -
      seenLogLikelihood(labels, row, predicted.base, predicted.isAbsence),
  )
  return clusterBootstrap({ values, cluster: rows.map((row) => cluster[row]), seed })
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
