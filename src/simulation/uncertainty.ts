import type { ModelCard } from '../model/model-cards.ts'
import type { Predictor } from '../model/predictor.ts'
import type { Replication } from './draw-sums.ts'
import type { Evaluation } from './evaluation.ts'

/** A figure with its intervals. */
export interface Figure {
  readonly value: number
  readonly ci80: readonly [number, number]
  readonly ci95: readonly [number, number]
}

/** Where a difference's uncertainty comes from: variances, in the square of the quantity's unit. */
export interface DifferenceVariance {
  /** Of the random choices of a draw, averaged over the draws. */
  readonly drawing: number
  /** Of looking at a sample of the population. */
  readonly sampling: number
  /** Between what each member of the predictor would say. */
  readonly members: number
  /** Of how strongly the predictor tells customers apart. */
  readonly calibration: number
  /** Of a measured effect. */
  readonly measurement: number
}

/** Variances of the mean difference of each quantity. [quantities] */
export function differenceVariances(
  evaluation: Evaluation,
  predictor: Predictor,
  card: ModelCard | null,
): DifferenceVariance[] {
  const { list, difference, replications, drawVariance, scope } = evaluation
  return list.map(({ task }, quantity) => {
    const means = replications.map(({ mean }) => mean[quantity])
    const mean = average(means)
    return {
      drawing: drawVariance[quantity],
      sampling: samplingVariance(difference[quantity], scope),
      members: memberVariance(replications, quantity, weightsOf(predictor, task)),
      calibration: (mean * relativeError(card, task)) ** 2,
      measurement: 0,
    }
  })
}

export function totalOf(variance: DifferenceVariance): number {
  const { drawing, sampling, members, calibration, measurement } = variance
  return drawing + sampling + members + calibration + measurement
}

/** Variance of a mean over a sample of the population, which is drawn without replacement. */
export function samplingVariance(
  values: Float64Array,
  { customers, sampled }: { readonly customers: number; readonly sampled: number },
): number {
  return sampled < 2 ? 0 : (variance(values) / sampled) * (1 - sampled / customers)
}

function weightsOf({ parts }: Predictor, task: string): readonly number[] {
  if (task === 'nps') return parts.answers?.weights ?? []
  return parts.outcomes.find(({ name }) => name === task)?.weights ?? []
}

/** Spread of the members' own differences around their weighted mean. */
function memberVariance(
  replications: readonly Replication[],
  quantity: number,
  weights: readonly number[],
): number {
  const own = weights.map((_, member) =>
    average(replications.map(({ byMember }) => byMember[member][quantity])),
  )
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  if (!(total > 0) || replications.length === 0) return 0
  const mean = own.reduce((sum, value, member) => sum + weights[member] * value, 0) / total
  return own.reduce((sum, value, member) => sum + weights[member] * (value - mean) ** 2, 0) / total
}

/** Nothing is known of how strong the predictions are: a difference may as well be twice as large, or none. */
const unknownError = 0.5

/**
 * Relative standard error of how strongly a task tells customers apart. A predictor's gain in log loss over the base
 * rate grows with the square of that strength, so it is half the relative error of the gain on later data.
 */
function relativeError(card: ModelCard | null, task: string): number {
  const gain = task === 'nps' ? card?.nps?.gain : card?.outcomes.find(({ name }) => name === task)?.gain
  if (!gain || !(gain.mean > 0)) return unknownError
  return Math.min(1, (gain.high - gain.low) / (2 * 1.96) / gain.mean / 2)
}

const quantile80 = 1.2815515655446004
/** Of a normal distribution: half of a 95% interval in standard errors. */
export const quantile95 = 1.959963984540054

/** A value and its intervals, cut to the range that it can have. */
export function figureOf(
  value: number,
  errorVariance: number,
  [least, most]: readonly [number, number] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
): Figure {
  const error = Math.sqrt(errorVariance)
  const around = (quantile: number): readonly [number, number] => [
    Math.max(least, value - quantile * error),
    Math.min(most, value + quantile * error),
  ]
  return { value, ci80: around(quantile80), ci95: around(quantile95) }
}

export function average(values: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < values.length; i++) sum += values[i]
  return values.length === 0 ? 0 : sum / values.length
}

function variance(values: ArrayLike<number>): number {
  if (values.length < 2) return 0
  const mean = average(values)
  let squares = 0
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) ** 2
  return squares / (values.length - 1)
}
