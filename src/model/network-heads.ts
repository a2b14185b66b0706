import { answerCount, type MemberOutput } from './member.ts'
import { answerOutputs, type NetworkShape, networkSlots, outputsPerMember, slotView } from './network.ts'

const thresholdCount = answerCount - 1
/** Keeps what is said strictly between 0 and 1, also as float32. */
const leastProbability = 1e-6
/** Log scales stay within ± this, so that no answer's probability collapses. */
const logScaleBound = 2

export function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value))
}

/** Horizon of the slope of the answer's location, in days. */
export const leadUnitDays = 90

/**
 * Ordered thresholds on the latent scale from free parameters: the first one, then logarithms of the steps.
 *
 * **Shape** [10] → [10]
 */
export function answerThresholds(parameters: ArrayLike<number>): Float64Array {
  const thresholds = new Float64Array(thresholdCount)
  thresholds[0] = parameters[0]
  for (let j = 1; j < thresholdCount; j++) thresholds[j] = thresholds[j - 1] + Math.exp(parameters[j])
  return thresholds
}

/** The members' free threshold parameters among all weights: [k × 10], empty without a survey task. */
export function memberThresholds(shape: NetworkShape, weights: Float32Array): Float32Array {
  const slot = networkSlots(shape).find(({ name }) => name === 'thresholds')
  return slot === undefined ? new Float32Array(0) : slotView(weights, slot)
}

/** The free parameters of {@link answerThresholds} that give these increasing thresholds. */
export function thresholdParameters(thresholds: ArrayLike<number>): number[] {
  return Array.from({ length: thresholdCount }, (_, j) =>
    j === 0 ? thresholds[0] : Math.log(thresholds[j] - thresholds[j - 1]),
  )
}

/** Bounded log scale of the latent answer from the raw output; its derivative is 1 − (result / bound)². */
export function answerLogScale(raw: number): { logScale: number; derivative: number } {
  const bounded = Math.tanh(raw / logScaleBound)
  return { logScale: logScaleBound * bounded, derivative: 1 - bounded * bounded }
}

/** Where a row's latent answer stands. */
export interface LatentAnswer {
  readonly location: number
  readonly logScale: number
}

/** Reads a latent answer at a lead from one member's outputs, its three answer numbers starting at `offset`. */
export function latentAnswer(logits: Float32Array, offset: number, leadDays: number): LatentAnswer {
  const location = logits[offset] + (leadDays / leadUnitDays) * logits[offset + 1]
  return { location, logScale: answerLogScale(logits[offset + 2]).logScale }
}

/** Turns the logits of batches of rows into probabilities, averaged over the members. */
export class HeadReader {
  readonly #shape: NetworkShape
  readonly #thresholds: readonly Float64Array[]
  readonly #outputs: number
  /** Work space of one answer. */
  readonly #oddsAbove = new Float64Array(thresholdCount)

  /** @param weights all parameters, in the order of `networkSlots`. */
  constructor(shape: NetworkShape, weights: Float32Array) {
    this.#shape = shape
    this.#outputs = outputsPerMember(shape)
    const thresholds = memberThresholds(shape, weights)
    this.#thresholds = Array.from({ length: shape.answers ? shape.members : 0 }, (_, member) =>
      answerThresholds(thresholds.subarray(member * thresholdCount, (member + 1) * thresholdCount)),
    )
  }

  /** Writes hazards of one batch, whose first row is row `start`, into the output. */
  readHazards(logits: Float32Array, start: number, into: MemberOutput['hazards']): void {
    const stride = this.#shape.members * this.#outputs
    let head = 0
    this.#shape.outcomes.forEach(({ intervals }, outcome) => {
      for (let row = 0; row * stride < logits.length; row++) {
        for (let j = 0; j < intervals; j++) {
          const hazard = this.#meanSigmoid(logits, row * stride + head + j)
          into[outcome][(start + row) * intervals + j] = withinReach(hazard)
        }
      }
      head += intervals
    })
  }

  /**
   * The distributions over answers of one row of a batch at some leads: [leads × 11], one after the other.
   *
   * P(answer ≤ j) = sigmoid((threshold j − location) / scale), its odds split into a factor of the row and one of
   * the lead: many leads then cost hardly more exponentials than one.
   *
   * @param said takes them.
   */
  readAnswers(
    logits: Float32Array,
    { row, leadDays }: { readonly row: number; readonly leadDays: ArrayLike<number> },
    said: Float64Array,
  ): void {
    const { members } = this.#shape
    const share = (1 - answerCount * leastProbability) / members
    const oddsAbove = this.#oddsAbove
    said.fill(leastProbability)
    for (let member = 0; member < members; member++) {
      const offset = (row * members + member + 1) * this.#outputs - answerOutputs
      const now = latentAnswer(logits, offset, 0)
      const precision = Math.exp(-now.logScale)
      for (let j = 0; j < thresholdCount; j++) {
        oddsAbove[j] = boundedExp((now.location - this.#thresholds[member][j]) * precision)
      }
      for (let lead = 0; lead < leadDays.length; lead++) {
        const growth = boundedExp((leadDays[lead] / leadUnitDays) * logits[offset + 1] * precision)
        let below = 0
        for (let answer = 0; answer < answerCount; answer++) {
          const atMost = answer < thresholdCount ? 1 / (1 + oddsAbove[answer] * growth) : 1
          said[lead * answerCount + answer] += share * (atMost - below)
          below = atMost
        }
      }
    }
  }

  #meanSigmoid(logits: Float32Array, first: number): number {
    const { members } = this.#shape
    let sum = 0
    for (let member = 0; member < members; member++) sum += sigmoid(logits[first + member * this.#outputs])
    return sum / members
  }
}

function withinReach(probability: number): number {
  return Math.min(1 - leastProbability, Math.max(leastProbability, probability))
}

/** Bounded so that a product of two stays finite and is no 0 × ∞, however strange a row. */
function boundedExp(exponent: number): number {
  return Math.exp(Math.min(300, Math.max(-300, exponent)))
}
