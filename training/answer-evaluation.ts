import {
  detractorProbabilities,
  type JudgedAnswers,
  meanAbsoluteError,
  netPromoterScore,
  netScore,
  promoterProbabilities,
  rankedProbabilityScore,
  rankedProbabilityScores,
} from '../src/model/answer-metrics.ts'
import { type BoundedInterval, clusterBootstrap, type Interval } from '../src/model/bootstrap.ts'
import { answerInterval } from '../src/model/conformal.ts'
import { answerCount } from '../src/model/member.ts'
import { auc } from '../src/model/metrics.ts'
import { type AnswerModel, answerDistributions, distributionOf } from '../src/model/predictor.ts'
import { answersByGroup, lastKnownAnswer, spreadGroups } from './baselines.ts'
import { answerCustomers } from './blended.ts'
import type { CrossForecast, Forecasts } from './cross-forecast.ts'
import type { Dataset } from './dataset.ts'
import type { Compared } from './evaluation.ts'
import type { HeldOut } from './held-out.ts'
import type { Labelled } from './labelled.ts'

/** How well predicted answers hold on later data. Unit: points of the 0-10 scale unless said. */
export interface AnswerMetrics {
  readonly mae: number
  /** Ranked probability score: sum over the ten thresholds. */
  readonly rps: number
  readonly detractorAuc: number | null
  readonly promoterAuc: number | null
}

export interface AnswerEvaluation {
  readonly answers: number
  readonly metrics: Compared<AnswerMetrics>
  /** Share of answers inside the 80% interval. */
  readonly coverage80: number
  /** Net promoter score of those who answered: predicted, and actual with its 95% interval. -100 to 100. */
  readonly groupNps: { readonly predicted: number; readonly actual: Interval }
  /** Gain in ranked probability score over a constant of what `crossForecast` says, see {@link smallerGain}. */
  readonly gain: BoundedInterval
  readonly hasSkill: boolean
}

export interface JudgedAnswersOf {
  /** What was blended and calibrated on other answers than the test answers. */
  readonly model: AnswerModel
  readonly test: HeldOut
  /** What skill is judged on. */
  readonly cross: CrossForecast | null
  readonly learned: Labelled
  readonly dataset: Dataset
  readonly seed: number
}

/**
 * Judges answers given the day after the cutoff, with baselines fitted on what the members learned from. As in
 * learning, every answer counts for those it stands for; only `groupNps` is that of those who answered.
 */
export function evaluateAnswers(judged: JudgedAnswersOf): AnswerEvaluation | null {
  const { model, learned, test, dataset, seed, cross } = judged
  const side = sideOf(test.labelled, forecastsOf(model, test))
  const skillSide = cross && sideOf(cross.labelled, cross.answers)
  if (side === null || skillSide === null || learned.answers === null) return null
  const { today, score, weight, cluster } = side
  const lastKnown = lastKnownAnswer(dataset.frame)
  const groupsOf = (labelled: Labelled) =>
    Uint8Array.from(labelled.answers?.row ?? [], (place) => lastKnown[labelled.rows[place]])
  const groups = spreadGroups(answersByGroup(learned.answers, groupsOf(learned)), groupsOf(test.labelled))
  const measured = (distributions: Float64Array) => measure({ distributions, score, weight })
  const inside = weight.map((own, i) => {
    const [low, high] = answerInterval(distributionOf(side.model, i), model.conformal)
    return score[i] >= low && score[i] <= high ? own : 0
  })
  const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0)
  const gain = scoreGain(skillSide, seed)
  return {
    answers: today.length,
    metrics: {
      model: measured(side.model),
      base_rate: measured(side.base),
      last_known: measured(pickRows(groups, today)),
      logistic: measured(pickRows(test.answers[0], today)),
    },
    coverage80: sum(inside) / sum(weight),
    groupNps: {
      predicted: netPromoterScore(side.model),
      actual: clusterBootstrap({ values: Float64Array.from(score, netScore), cluster, seed }),
    },
    gain,
    hasSkill: gain.lowerBound > 0,
  }
}

/** Answers given the day after the cutoff, and what was said of them. **Shape** [answers], distributions × 11. */
interface SideAnswers {
  /** Places among all uses of answers. */
  readonly today: readonly number[]
  readonly score: Uint8Array
  readonly weight: Float32Array
  readonly cluster: readonly number[]
  readonly model: Float64Array
  readonly base: Float64Array
}

/** Null where nobody answered. @param forecasts of all uses of answers */
function sideOf(labelled: Labelled, forecasts: Forecasts | null): SideAnswers | null {
  const all = labelled.answers
  if (all === null || forecasts === null) return null
  const today = Array.from(all.leadDays.keys()).filter((i) => all.leadDays[i] === 0)
  if (today.length === 0) return null
  const customers = answerCustomers(labelled)
  return {
    today,
    score: Uint8Array.from(today, (i) => all.score[i]),
    weight: Float32Array.from(today, (i) => all.answerWeight[i]),
    cluster: today.map((i) => customers[i]),
    model: pickRows(forecasts.model, today),
    base: pickRows(forecasts.base, today),
  }
}

function forecastsOf(model: AnswerModel, { labelled, answers }: HeldOut): Forecasts {
  const uses = labelled.answers?.row.length ?? 0
  return {
    model: answerDistributions(model, uses, answers),
    base: answerDistributions({ ...model, hasSkill: false }, uses, answers),
  }
}

/** Gain in ranked probability score over the base rate, or over the model's own mean: see {@link smallerGain}. */
function scoreGain(side: SideAnswers, seed: number): BoundedInterval {
  const { score, weight, cluster } = side
  const own = rankedProbabilityScores({ distributions: side.model, score })
  const gainOver = (distributions: Float64Array) => {
    const values = rankedProbabilityScores({ distributions, score }).map((value, i) => value - own[i])
    return clusterBootstrap({ values, weights: Array.from(weight), cluster, seed })
  }
  return smallerGain(gainOver(side.base), gainOver(meanForEverybody(side)))
}

/**
 * The gain that counts: over the base rate, or over the model's own mean, whichever is less sure. A level that moved,
 * however well it was met, is no skill: it tells nobody apart.
 */
function smallerGain(overBase: BoundedInterval, overOwnLevel: BoundedInterval): BoundedInterval {
  return overOwnLevel.lowerBound < overBase.lowerBound ? overOwnLevel : overBase
}

/** The weighted mean of the model's distributions, for every answer. [answers × 11] */
function meanForEverybody({ model, weight }: SideAnswers): Float64Array {
  const mean = new Float64Array(answerCount)
  const total = weight.reduce((sum, own) => sum + own, 0)
  model.forEach((probability, at) => {
    mean[at % answerCount] += (weight[Math.floor(at / answerCount)] / total) * probability
  })
  return model.map((_, at) => mean[at % answerCount])
}

function pickRows(distributions: ArrayLike<number>, rows: readonly number[]): Float64Array {
  const picked = new Float64Array(rows.length * answerCount)
  rows.forEach((row, place) => {
    for (let answer = 0; answer < answerCount; answer++)
      picked[place * answerCount + answer] = distributions[row * answerCount + answer]
  })
  return picked
}

function measure(judged: JudgedAnswers & { readonly weight: Float32Array }): AnswerMetrics {
  const { distributions, weight } = judged
  const score = Array.from(judged.score)
  const isDetractor = score.map((value) => (value <= 6 ? 1 : 0))
  const isPromoter = score.map((value) => (value >= 9 ? 1 : 0))
  return {
    mae: meanAbsoluteError(judged),
    rps: rankedProbabilityScore(judged),
    detractorAuc: auc({ probability: detractorProbabilities(distributions), happened: isDetractor, weight }),
    promoterAuc: auc({ probability: promoterProbabilities(distributions), happened: isPromoter, weight }),
  }
}
