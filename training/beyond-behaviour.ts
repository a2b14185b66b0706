import { clusterBootstrap, type Interval } from '../src/model/bootstrap.ts'
import { crossFitChances } from '../src/model/cross-fitted-chances.ts'
import { clampProbability, logit } from '../src/model/logit.ts'
import type { ResponseObservations } from './response-observations.ts'
import {
  answeringTask,
  type FitOptions,
  type ResponsePropensity,
  weightedMean,
} from './response-propensity.ts'

/** Answers to be compared; with fewer, nothing could be told. */
const fewestCompared = 50
/** Features that hold what was answered, not when or how often. */
const scoreFeature = /^(nps|csat|ces)_(last|mean|mean_90|lowest|trend)$/

interface HintOptions extends FitOptions {
  readonly propensity: ResponsePropensity
  /** In days since 1970-01-01. */
  readonly asOf: number
}

/**
 * Does answering depend on what customers feel beyond what they do? What somebody feels and does not say now, they may
 * have said at other times: how much higher is what those who answer said then, in points of NPS, than what those said
 * who behave alike and stay silent? Both are taken less what is to be expected of customers as likely to answer.
 *
 * Feelings change, so that those of the moment differ by more.
 *
 * Source: Robinson (1988), partialling out; Chernozhukov et al. (2018).
 * @returns null where fewer than 50 answers have others of their customer beside them.
 */
export async function feelingsBeyondBehaviour(
  observed: ResponseObservations,
  { propensity, asOf, ...options }: HintOptions,
): Promise<Interval | null> {
  const { frame, knownOn, otherNetScore } = observed
  const isScore = frame.features.map(({ name }) => scoreFeature.test(name))
  const behaviour = {
    rows: frame.rows,
    features: frame.features.filter((_, column) => !isScore[column]),
    columns: frame.columns.filter((_, column) => !isScore[column]),
  }
  const rows = Int32Array.from(Array.from(knownOn.keys()).filter((row) => knownOn[row] <= asOf))
  const { task } = answeringTask({ ...observed, frame: behaviour }, rows)
  const places = Int32Array.from(
    Array.from(rows.keys()).filter((place) => !Number.isNaN(otherNetScore[rows[place]])),
  )
  const { happened, weight, customer } = task
  const pick = (value: (place: number) => number) => Float64Array.from(places, value)
  const answered = pick((place) => happened[place])
  if (answered.filter((one) => one === 1).length < fewestCompared) return null
  const { penalties } = propensity.member
  const chance = await crossFitChances(task, { ...options, penalties })
  const weights = Float32Array.from(places, (place) => weight[place])
  const share = weightedMean(answered, weights)
  const said = residuals({
    of: pick((place) => otherNetScore[rows[place]]),
    by: pick((place) => logit(clampProbability(chance[place]))),
    weights,
  })
  return clusterBootstrap({
    values: said.map((points, i) => (points * (answered[i] - chance[places[i]])) / share),
    weights,
    cluster: pick((place) => customer[place]),
    seed: options.seed,
  })
}

interface LinearProblem {
  readonly of: Float64Array
  readonly by: Float64Array
  readonly weights: Float32Array
}

/** What a line through the weighted points leaves. */
function residuals({ of, by, weights }: LinearProblem): Float64Array {
  const [middle, start] = [weightedMean(of, weights), weightedMean(by, weights)]
  const product = of.map((value, i) => (value - middle) * (by[i] - start))
  const square = by.map((value) => (value - start) ** 2)
  const spread = weightedMean(square, weights)
  const slope = spread > 0 ? weightedMean(product, weights) / spread : 0
  return of.map((value, i) => value - middle - slope * (by[i] - start))
}
