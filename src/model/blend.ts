import { densePositions } from './folds.ts'
import { minimise } from './lbfgs.ts'
import { clampProbability } from './logit.ts'
import { type AnswerLabels, answerCount, type HazardLabels } from './member.ts'

/** Probability that the event has happened by the end of each interval. **Shape** [rows × intervals] both. */
export function cumulativeFromHazards(hazards: ArrayLike<number>, intervals: number): Float64Array {
  const cumulative = new Float64Array(hazards.length)
  for (let from = 0; from < hazards.length; from += intervals) {
    let survival = 1
    for (let j = 0; j < intervals; j++) {
      survival *= 1 - hazards[from + j]
      cumulative[from + j] = 1 - survival
    }
  }
  return cumulative
}

/**
 * Hazards that lead to these cumulative probabilities: the inverse of {@link cumulativeFromHazards}.
 * Once nobody is left (probability 1) the hazard is 1. **Shape** [rows × intervals] both.
 */
export function hazardsFromCumulative(cumulative: ArrayLike<number>, intervals: number): Float64Array {
  const hazards = new Float64Array(cumulative.length)
  for (let from = 0; from < cumulative.length; from += intervals) {
    let before = 0
    for (let j = 0; j < intervals; j++) {
      const left = 1 - before
      hazards[from + j] = left > 0 ? Math.min(1, Math.max(0, (cumulative[from + j] - before) / left)) : 1
      before = cumulative[from + j]
    }
  }
  return hazards
}

/**
 * Hazards of the mixture of the members' event-time distributions: cumulative probabilities are averaged with
 * `weights`, the same at all horizons, so they stay monotone. **Shape** each and result [rows × intervals].
 */
export function blendHazards(
  hazards: readonly ArrayLike<number>[],
  weights: ArrayLike<number>,
  intervals: number,
): Float32Array {
  const mixed = mix(
    hazards.map((own, member) => (weights[member] > 0 ? cumulativeFromHazards(own, intervals) : own)),
    weights,
  )
  const own = hazardsFromCumulative(mixed, intervals)
  const blended = new Float32Array(own.length)
  for (let at = 0; at < own.length; at++) blended[at] = clampProbability(own[at])
  return blended
}

/** Mixture of the members' distributions. **Shape** each and result [rows × 11]. */
export function blendAnswers(
  distributions: readonly ArrayLike<number>[],
  weights: ArrayLike<number>,
): Float32Array {
  return new Float32Array(mix(distributions, weights))
}

function mix(members: readonly ArrayLike<number>[], weights: ArrayLike<number>): Float64Array {
  const mixed = new Float64Array(members[0].length)
  members.forEach((values, member) => {
    const weight = weights[member]
    if (weight === 0) return
    for (let i = 0; i < mixed.length; i++) mixed[i] += weight * values[i]
  })
  return mixed
}

/** How blend weights are found. */
export interface BlendOptions {
  /**
   * Customer of each row (each answer): all of a customer's rows count as one observation when it comes to how much
   * evidence there is. Default: every row is an observation.
   */
  readonly customer?: ArrayLike<number>
  /**
   * Nats that pull each member towards its equal share: weights move away from equal only for a gain in log
   * likelihood of this order. Default 2.
   */
  readonly shrink?: number
  /** Weights below this become 0 … Default .05. */
  readonly snapBelow?: number
  /** … if it costs at most this much mean log loss. Default .0002 nats. */
  readonly snapTolerance?: number
}

/**
 * Weights of members for one outcome: the mixture of their event-time distributions that makes what was seen most
 * likely. An event in interval j has probability p_j − p_{j−1}; a row last known to be event-free, 1 − p.
 *
 * **Time** give hazards of rows that the members have not learned from. **Shape** `hazards` [members] of
 * [rows × intervals] → [members], each ≥ 0, summing to 1.
 */
export function fitOutcomeBlend(
  hazards: readonly ArrayLike<number>[],
  labels: HazardLabels,
  options: BlendOptions = {},
): number[] {
  const rows = Array.from(labels.weight, (_, row) => row).filter(
    (row) => labels.known[row * labels.intervals] === 1,
  )
  const likelihoods = hazards.map((own) =>
    Float64Array.from(rows, (row) => likelihoodOfSeen(own, labels, row)),
  )
  return mixtureWeights(
    likelihoods,
    Float64Array.from(rows, (row) => labels.weight[row]),
    {
      ...options,
      ...(options.customer && { customer: Int32Array.from(rows, (row) => options.customer?.[row] ?? row) }),
    },
  )
}

/** Known intervals come first: the product of what was seen in each of them. */
function likelihoodOfSeen(hazards: ArrayLike<number>, labels: HazardLabels, row: number): number {
  let likelihood = 1
  for (let at = row * labels.intervals; at < (row + 1) * labels.intervals; at++) {
    if (labels.known[at] === 0) break
    likelihood *= labels.happened[at] === 1 ? hazards[at] : 1 - hazards[at]
  }
  return likelihood
}

/**
 * Weights of members for survey answers: the mixture of their distributions that makes the answers most likely.
 *
 * **Shape** `distributions` [members] of [answers × 11] → [members], each ≥ 0, summing to 1.
 */
export function fitAnswerBlend(
  distributions: readonly ArrayLike<number>[],
  answers: Pick<AnswerLabels, 'score' | 'weight'>,
  options: BlendOptions = {},
): number[] {
  const likelihoods = distributions.map((own) =>
    Float64Array.from(answers.score, (score, answer) => own[answer * answerCount + score]),
  )
  return mixtureWeights(likelihoods, Float64Array.from(answers.weight), options)
}

const smallestLikelihood = 1e-12

function mixtureWeights(
  likelihoods: readonly Float64Array[],
  weight: Float64Array,
  options: BlendOptions,
): number[] {
  const { shrink = 2, snapBelow = 0.05, snapTolerance = 2e-4 } = options
  const total = weight.reduce((sum, w) => sum + w, 0)
  const equal = likelihoods.map(() => 1 / likelihoods.length)
  if (likelihoods.length === 1 || !(total > 0)) return equal
  const observations = options.customer ? densePositions(options.customer).count : weight.length
  // Weights that sum to the number of observations: the prior is in nats of independent observations.
  const evidence = weight.map((w) => (w / total) * observations)
  const found = likeliestMixture(likelihoods, evidence, shrink)
  return snapped(found, {
    snapBelow,
    tolerance: snapTolerance * observations,
    lossOf: (w) => loss(likelihoods, evidence, w),
  })
}

/**
 * Maximum a posteriori mixture weights under a Dirichlet prior around equal weights.
 *
 * Weights are a softmax of free numbers, which L-BFGS settles in tens of passes where expectation maximisation
 * takes hundreds; the optimum is the same, and unique.
 */
function likeliestMixture(
  likelihoods: readonly Float64Array[],
  evidence: Float64Array,
  shrink: number,
): number[] {
  const members = likelihoods.length
  const total = evidence.reduce((sum, own) => sum + own, 0)
  const { parameters } = minimise(
    (free, gradient) => {
      const weights = softmax(free)
      const counts = weights.map(() => shrink)
      let value = 0
      for (let i = 0; i < evidence.length; i++) {
        const mixed = mixedLikelihood(likelihoods, weights, i)
        value -= evidence[i] * Math.log(mixed)
        for (let m = 0; m < members; m++) counts[m] += (evidence[i] * weights[m] * likelihoods[m][i]) / mixed
      }
      const sum = counts.reduce((all, count) => all + count, 0)
      for (let m = 0; m < members; m++) {
        value -= shrink * Math.log(weights[m])
        gradient[m] = (sum * weights[m] - counts[m]) / total
      }
      return value / total
    },
    new Float64Array(members),
    { gradientTolerance: 1e-7 },
  )
  return softmax(parameters)
}

function softmax(free: Float64Array): number[] {
  const top = Math.max(...free)
  const powers = Array.from(free, (x) => Math.exp(x - top))
  const sum = powers.reduce((all, power) => all + power, 0)
  return powers.map((power) => power / sum)
}

function mixedLikelihood(
  likelihoods: readonly Float64Array[],
  weights: readonly number[],
  i: number,
): number {
  let mixed = 0
  for (let m = 0; m < weights.length; m++) mixed += weights[m] * likelihoods[m][i]
  return Math.max(mixed, smallestLikelihood)
}

function loss(
  likelihoods: readonly Float64Array[],
  evidence: Float64Array,
  weights: readonly number[],
): number {
  return evidence.reduce((sum, own, i) => sum - own * Math.log(mixedLikelihood(likelihoods, weights, i)), 0)
}

/** Without the members that carry little, where that is nearly free: what is not used need not be stored. */
function snapped(
  weights: readonly number[],
  rule: {
    readonly snapBelow: number
    readonly tolerance: number
    readonly lossOf: (weights: readonly number[]) => number
  },
): number[] {
  const kept = weights.map((weight) => (weight < rule.snapBelow ? 0 : weight))
  const sum = kept.reduce((total, weight) => total + weight, 0)
  const simple = kept.map((weight) => weight / sum)
  return sum < 1 && rule.lossOf(simple) - rule.lossOf(weights) <= rule.tolerance ? simple : [...weights]
}
