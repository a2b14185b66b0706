import { answerCount, type HazardLabels, type MemberOutput } from './member.ts'
import { answerOutputs, type NetworkShape, outputsPerMember } from './network.ts'
import { answerLogScale, answerThresholds, latentAnswer, leadUnitDays, sigmoid } from './network-heads.ts'
import type { RowLabels } from './network-labels.ts'

const thresholdCount = answerCount - 1
/** Added to every likelihood: one impossible answer costs 21 nats and can't wreck a step. */
const leastLikelihood = 1e-9

/** What a batch's loss is computed from. */
export interface LossInput {
  readonly shape: NetworkShape
  readonly labels: RowLabels
  /** Factor of each task's weighted loss: outcomes in order, then answers. */
  readonly strengths: readonly number[]
  /** Row of the learning set behind each row of the batch. [batch] */
  readonly rows: Int32Array
  /** [batch, k·out] */
  readonly logits: Float32Array
  /** Parameters of the members' thresholds, [k, 10]. */
  readonly thresholds: Float32Array
}

export interface LossGradient {
  /** Σ over tasks of strength × weight × mean over members of the negative log likelihood, in nats. */
  readonly loss: number
  /** Gradient by logit, [batch, k·out]. */
  readonly logits: Float32Array
  /** Gradient by threshold parameter, [k, 10]. */
  readonly thresholds: Float32Array
}

/**
 * Loss of a batch and its gradient: Bernoulli log loss of every known interval, negative log likelihood of every
 * answer, each member judged for itself. In plain JavaScript because exp and log take thirty times a product's
 * time on WASM, and because this way only known labels are ever touched.
 */
export function lossGradient(input: LossInput): LossGradient {
  const gradient = {
    logits: new Float32Array(input.logits.length),
    thresholds: new Float32Array(input.thresholds.length),
  }
  let loss = 0
  let head = 0
  input.labels.outcomes.forEach((outcome, task) => {
    loss += addHazardLoss(input, { outcome, head, strength: input.strengths[task] }, gradient.logits)
    head += outcome.intervals
  })
  if (input.labels.answers !== null) loss += addAnswerLoss(input, gradient)
  return { loss, ...gradient }
}

interface HazardTask {
  readonly outcome: HazardLabels
  /** First of the outcome's logits among a member's outputs. */
  readonly head: number
  readonly strength: number
}

function addHazardLoss(input: LossInput, task: HazardTask, gradient: Float32Array): number {
  const { rows, logits, shape } = input
  const { outcome, head, strength } = task
  const { intervals, known, happened, weight } = outcome
  const outputs = outputsPerMember(shape)
  let loss = 0
  for (let i = 0; i < rows.length; i++) {
    const factor = (strength * weight[rows[i]]) / shape.members
    if (!(factor > 0)) continue
    for (let j = 0; j < intervals; j++) {
      const label = rows[i] * intervals + j
      if (known[label] !== 1) continue
      for (let member = 0; member < shape.members; member++) {
        const at = (i * shape.members + member) * outputs + head + j
        const hazard = sigmoid(logits[at])
        loss += factor * bernoulliLoss(logits[at], happened[label])
        gradient[at] = factor * (hazard - happened[label])
      }
    }
  }
  return loss
}

/** −log P(happened) for a logit, without overflow. */
function bernoulliLoss(logit: number, happened: number): number {
  return Math.max(logit, 0) - logit * happened + Math.log1p(Math.exp(-Math.abs(logit)))
}

function addAnswerLoss(
  input: LossInput,
  gradient: { readonly logits: Float32Array; readonly thresholds: Float32Array },
): number {
  const { members } = input.shape
  const { thresholds, strengths } = input
  let loss = 0
  for (let member = 0; member < members; member++) {
    const parameters = thresholds.subarray(member * thresholdCount, (member + 1) * thresholdCount)
    const task = { member, thresholds: answerThresholds(parameters), strength: strengths.at(-1)! / members }
    const byThreshold = new Float64Array(thresholdCount)
    loss += addMemberAnswerLoss(input, task, { logits: gradient.logits, byThreshold })
    // A step moves its own threshold and all above it.
    for (let j = thresholdCount - 1, above = 0; j >= 0; j--) {
      above += byThreshold[j]
      gradient.thresholds[member * thresholdCount + j] = above * (j > 0 ? Math.exp(parameters[j]) : 1)
    }
  }
  return loss
}

interface AnswerTask {
  readonly member: number
  readonly thresholds: Float64Array
  readonly strength: number
}

function addMemberAnswerLoss(
  input: LossInput,
  task: AnswerTask,
  gradient: { readonly logits: Float32Array; readonly byThreshold: Float64Array },
): number {
  const { rows, logits, shape, labels } = input
  const { answerStart, answerOrder } = labels
  const answers = labels.answers!
  const outputs = outputsPerMember(shape)
  let loss = 0
  for (let i = 0; i < rows.length; i++) {
    const at = (i * shape.members + task.member + 1) * outputs - answerOutputs
    for (let next = answerStart[rows[i]]; next < answerStart[rows[i] + 1]; next++) {
      const answer = answerOrder[next]
      const factor = task.strength * answers.weight[answer]
      const lead = answers.leadDays[answer]
      const latent = latentAnswer(logits, at, lead)
      const slope = ordinalSlope(task.thresholds, latent, answers.score[answer])
      loss -= factor * Math.log(slope.likelihood)
      gradient.logits[at] += factor * slope.byLocation
      gradient.logits[at + 1] += factor * slope.byLocation * (lead / leadUnitDays)
      gradient.logits[at + 2] += factor * slope.byLogScale * answerLogScale(logits[at + 2]).derivative
      if (slope.score < thresholdCount) gradient.byThreshold[slope.score] += factor * slope.byUpper
      if (slope.score > 0) gradient.byThreshold[slope.score - 1] += factor * slope.byLower
    }
  }
  return loss
}

/** Likelihood of one answer and the derivatives of its negative logarithm. */
function ordinalSlope(
  thresholds: Float64Array,
  latent: { readonly location: number; readonly logScale: number },
  score: number,
) {
  const precision = Math.exp(-latent.logScale)
  const upper = score < thresholdCount ? (thresholds[score] - latent.location) * precision : Infinity
  const lower = score > 0 ? (thresholds[score - 1] - latent.location) * precision : -Infinity
  // On the upper side the difference of the small tails keeps its digits.
  const mass = lower > 0 ? sigmoid(-lower) - sigmoid(-upper) : sigmoid(upper) - sigmoid(lower)
  const likelihood = mass + leastLikelihood
  const byUpper = -(sigmoid(upper) * sigmoid(-upper)) / likelihood
  const byLower = (sigmoid(lower) * sigmoid(-lower)) / likelihood
  return {
    score,
    likelihood,
    byUpper: precision * byUpper,
    byLower: precision * byLower,
    byLocation: -precision * (byUpper + byLower),
    byLogScale: -(finiteProduct(byUpper, upper) + finiteProduct(byLower, lower)),
  }
}

/** Beyond the last threshold the derivative is 0 and its argument infinite: that product is 0. */
function finiteProduct(derivative: number, argument: number): number {
  return Number.isFinite(argument) ? derivative * argument : 0
}

/**
 * Loss of what the members say together, on labels that were not learned from.
 *
 * @param output probabilities for all rows; `answerLikelihoods[i]` that of the i-th answer's score.
 * @returns Σ over tasks of strength × weight × negative log likelihood, in nats.
 */
export function outputLoss(
  labels: RowLabels,
  strengths: readonly number[],
  output: { readonly hazards: MemberOutput['hazards']; readonly answerLikelihoods: Float64Array },
): number {
  let loss = 0
  labels.outcomes.forEach(({ intervals, known, happened, weight }, task) => {
    for (const row of labels.labelledRows) {
      if (!(weight[row] > 0)) continue
      for (let label = row * intervals; label < (row + 1) * intervals; label++) {
        if (known[label] !== 1) continue
        const hazard = output.hazards[task][label]
        loss -= strengths[task] * weight[row] * Math.log(happened[label] === 1 ? hazard : 1 - hazard)
      }
    }
  })
  for (const answer of labels.answerOrder) {
    const likelihood = output.answerLikelihoods[answer]
    loss -= strengths.at(-1)! * labels.answers!.weight[answer] * Math.log(likelihood)
  }
  return loss
}
