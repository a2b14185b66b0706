import { type Encoder, encode } from '../src/features/encoder.ts'
import { type FeatureFrame, pickFrame } from '../src/features/features.ts'
import { fitEncoder } from '../src/features/fit-encoder.ts'
import { clusterBootstrap, type Interval } from '../src/model/bootstrap.ts'
import { type ChanceTask, chanceSet, crossFitChances } from '../src/model/cross-fitted-chances.ts'
import type { Fitter } from '../src/model/fitter.ts'
import type { LogisticMember } from '../src/model/logistic-member.ts'
import type { Matrix } from '../src/model/matrix.ts'
import { auc } from '../src/model/metrics.ts'
import type { Dataset } from './dataset.ts'
import type { AnswerWeights } from './labelled.ts'
import type { ResponseObservations } from './response-observations.ts'

/** How likely customers are to answer, by what is known of them. */
export interface ResponsePropensity {
  /** Moments that it was learned from. */
  readonly observations: number
  /** Share of them in which an answer came. */
  readonly responseRate: number
  /** Whether who answers can be told at all: the gain over the base rate lies above 0. */
  readonly hasSkill: boolean
  /** Gain in log loss over the base rate, by customers that it was not learned from. */
  readonly gain: Interval
  readonly auc: number | null
  readonly encoder: Encoder
  readonly member: LogisticMember
}

const fewestOfASide = 30

export interface FitOptions {
  readonly seed: number
  readonly fitter: Fitter
}

/**
 * Learns who answers, by regularised logistic regression. Null with fewer than 30 who did or who did not.
 *
 * **Time** sees only what is known by the end of day `until`, in days since 1970-01-01.
 */
export async function fitResponsePropensity(
  observed: ResponseObservations,
  { until, ...options }: FitOptions & { until: number },
): Promise<ResponsePropensity | null> {
  const rows = Int32Array.from(
    Array.from(observed.knownOn.keys()).filter((i) => observed.knownOn[i] <= until),
  )
  const answered = rows.filter((row) => observed.hasAnswered[row] === 1).length
  if (Math.min(answered, rows.length - answered) < fewestOfASide) return null
  const { encoder, task } = answeringTask(observed, rows)
  const { seed, fitter } = options
  const member = await fitter.logistic(chanceSet(task), { seed }, () => {})
  const { happened, weight, customer } = task
  const responseRate = weightedMean(happened, weight)
  const probability = await crossFitChances(task, { ...options, penalties: member.penalties })
  const gain = clusterBootstrap({
    values: probability.map((p, i) =>
      Math.log(happened[i] ? p / responseRate : (1 - p) / (1 - responseRate)),
    ),
    weights: weight,
    cluster: customer,
    seed,
  })
  return {
    observations: rows.length,
    responseRate,
    hasSkill: gain.low > 0,
    gain,
    auc: auc({ probability, happened, weight }),
    encoder,
    member,
  }
}

/** Observations as a task: did an answer come? */
export function answeringTask(
  observed: Pick<ResponseObservations, 'frame' | 'customer' | 'hasAnswered' | 'weight'>,
  rows: Int32Array,
): { encoder: Encoder; task: Required<ChanceTask> } {
  const encoder = fitEncoder(observed.frame, rows, { targets: [], settings: { mostBins: 0 } })
  return {
    encoder,
    task: {
      name: 'answers',
      features: encode(encoder, pickFrame(observed.frame, rows), 'plain'),
      customer: rows.map((row) => observed.customer[row]),
      happened: Uint8Array.from(rows, (row) => observed.hasAnswered[row]),
      weight: Float32Array.from(rows, (row) => observed.weight[row]),
    },
  }
}

function answeringChances(member: LogisticMember, features: Matrix): Float32Array {
  return member.predict(features, []).hazards[0]
}

/** Chance to answer of some rows of a frame. **Shape** [rows] */
export function predictAnswering(
  { encoder, member }: Pick<ResponsePropensity, 'encoder' | 'member'>,
  frame: FeatureFrame,
  rows: Int32Array,
): Float32Array {
  return answeringChances(member, encode(encoder, pickFrame(frame, rows), 'plain'))
}

/** No answer stands for so many times more, or fewer, customers than the one in the middle. */
const mostTimesMedian = 10

/**
 * Weighs each answer by one over the chance of it on the day that it was given, trimmed, times the weight that the
 * survey gave it. The same for all uses of an answer: who answers in 90 days is decided by what is known then, not by
 * what is known today.
 *
 * **Time** sees only what is known by the end of day `until`.
 *
 * @param propensity null, or one without skill: only survey weights count.
 */
export function weighAnswers(
  dataset: Pick<Dataset, 'frame' | 'cutoff' | 'answers'>,
  propensity: Pick<ResponsePropensity, 'encoder' | 'member' | 'hasSkill'> | null,
  until: number,
): AnswerWeights {
  const { answers, cutoff } = dataset
  if (answers === null) return { level: new Float32Array(0), learning: new Float32Array(0) }
  const size = answers.answer.reduce((most, answer) => Math.max(most, answer), 0) + 1
  const known = Array.from(answers.row.keys()).filter(
    (i) => cutoff[answers.row[i]] + 1 + answers.leadDays[i] <= until,
  )
  const given = propensity?.hasSkill ? known.filter((i) => answers.leadDays[i] === 0) : []
  const rows = Int32Array.from(given, (i) => answers.row[i])
  const chances = propensity && given.length > 0 ? predictAnswering(propensity, dataset.frame, rows) : []
  const trimmed = trimWeights(Float64Array.from(chances, (chance) => 1 / chance))
  const byAnswer = new Map(given.map((i, place) => [answers.answer[i], trimmed.weights[place]]))
  const weigh = (power: number) => {
    const weights = new Float32Array(size)
    for (const i of known) {
      const answer = answers.answer[i]
      weights[answer] = answers.surveyWeight[i] * (byAnswer.get(answer) ?? trimmed.median) ** power
    }
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    const count = new Set(known.map((i) => answers.answer[i])).size
    return total > 0 ? weights.map((weight) => (weight * count) / total) : weights
  }
  return { level: weigh(1), learning: weigh(0.5) }
}

/** What was known of who answers at the end of a day, and what each answer then counts for. */
export interface WeighedDay {
  readonly propensity: ResponsePropensity | null
  readonly weights: AnswerWeights
}

/** Learns who answers from what was known at the end of each of some days. @returns by day. */
export async function weighByDay(
  dataset: Dataset,
  days: readonly number[],
  options: FitOptions,
): Promise<ReadonlyMap<number, WeighedDay>> {
  const { responding } = dataset
  const weigh = async (until: number): Promise<[number, WeighedDay]> => {
    const propensity = responding && (await fitResponsePropensity(responding, { ...options, until }))
    return [until, { propensity, weights: weighAnswers(dataset, propensity, until) }]
  }
  return new Map(await Promise.all([...new Set(days)].map(weigh)))
}

/** Weights brought within ten times their median, and the median. */
export function trimWeights(weights: Float64Array): { weights: Float64Array; median: number } {
  if (weights.length === 0) return { weights, median: 1 }
  const median = weights.slice().sort()[Math.floor(weights.length / 2)]
  const [least, most] = [median / mostTimesMedian, median * mostTimesMedian]
  return { weights: weights.map((weight) => Math.min(most, Math.max(least, weight))), median }
}

/** Weighted mean of some numbers. **Shape** both [rows] */
export function weightedMean(values: ArrayLike<number>, weights: Float32Array): number {
  let sum = 0
  weights.forEach((weight, i) => {
    sum += weight * values[i]
  })
  return sum / weights.reduce((total, weight) => total + weight, 0)
}
