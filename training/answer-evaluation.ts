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
import { clusterBootstrap, type Interval } from '../src/model/bootstrap.ts'
import { answerInterval } from '../src/model/conformal.ts'
import { answerCount } from '../src/model/member.ts'
import { auc } from '../src/model/metrics.ts'
import { type AnswerModel, answerDistributions, distributionOf } from '../src/model/predictor.ts'
import { answersByGroup, lastKnownAnswer, spreadGroups } from './baselines.ts'
import { answerCustomers, baseAnswers } from './blended.ts'
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
  /** Gain in ranked probability score over the base rate. */
  readonly gain: Interval
  readonly hasSkill: boolean
}

export interface JudgedAnswersOf {
  readonly model: AnswerModel
  readonly learned: Labelled
  /** What the predictor was blended and calibrated on. */
  readonly calibrated: Labelled
  readonly test: HeldOut
  readonly dataset: Dataset
  readonly seed: number
}

/**
 * Judges answers given the day after the cutoff, with baselines fitted on what the members learned from. As in
 * learning, every answer counts for those it stands for; only `groupNps` is that of those who answered.
 */
export function evaluateAnswers({
  model,
  learned,
  calibrated,
  test,
  dataset,
  seed,
}: JudgedAnswersOf): AnswerEvaluation | null {
  const all = test.labelled.answers
  if (all === null || learned.answers === null) return null
  const today = Array.from(all.leadDays.keys()).filter((i) => all.leadDays[i] === 0)
  if (today.length === 0) return null
  const score = Uint8Array.from(today, (i) => all.score[i])
  const weight = Float32Array.from(today, (i) => all.answerWeight[i])
  const pick = (distributions: ArrayLike<number>) => pickRows(distributions, today)
  const base = baseAnswers(learned.answers, calibrated.answers ?? learned.answers)
  const lastKnown = lastKnownAnswer(dataset.frame)
  const groupsOf = (labelled: Labelled) =>
    Uint8Array.from(labelled.answers?.row ?? [], (place) => lastKnown[labelled.rows[place]])
  const groups = spreadGroups(answersByGroup(learned.answers, groupsOf(learned)), groupsOf(test.labelled))
  const distributions: Compared<Float64Array> = {
    model: pick(answerDistributions(model, all.row.length, test.answers)),
    base_rate: Float64Array.from({ length: today.length * answerCount }, (_, at) => base[at % answerCount]),
    last_known: pick(groups),
    logistic: pick(test.answers[0]),
  }
  const customers = answerCustomers(test)
  const cluster = today.map((i) => customers[i])
  const modelScores = rankedProbabilityScores({ distributions: distributions.model, score })
  const baseScores = rankedProbabilityScores({ distributions: distributions.base_rate, score })
  const gain = clusterBootstrap({
    values: modelScores.map((value, i) => baseScores[i] - value),
    weights: weight,
    cluster,
    seed,
  })
  const net = Float64Array.from(score, netScore)
  const inside = weight.map((own, i) => {
    const [low, high] = answerInterval(distributionOf(distributions.model, i), model.conformal)
    return score[i] >= low && score[i] <= high ? own : 0
  })
  const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0)
  return {
    answers: today.length,
    metrics: {
      model: measure({ distributions: distributions.model, score, weight }),
      base_rate: measure({ distributions: distributions.base_rate, score, weight }),
      last_known: measure({ distributions: distributions.last_known, score, weight }),
      logistic: measure({ distributions: distributions.logistic, score, weight }),
    },
    coverage80: sum(inside) / sum(weight),
    groupNps: {
      predicted: netPromoterScore(distributions.model),
      actual: clusterBootstrap({ values: net, cluster, seed }),
    },
    gain,
    hasSkill: gain.low > 0,
  }
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
