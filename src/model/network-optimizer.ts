import { type NetworkShape, networkSize, networkSlots } from './network.ts'

const firstMoment = 0.9
const secondMoment = 0.99
const epsilon = 1e-8

/** How one fit moves its weights. */
export interface OptimizerSettings {
  readonly rate: number
  readonly weightDecay: number
  readonly warmUpSteps: number
  readonly averaging: number
}

/** AdamW (Loshchilov & Hutter 2019) over one flat vector, with a running mean of the weights beside it. */
export class Optimizer {
  /** The weights that learn. */
  readonly weights: Float32Array
  /** Their running mean: less noisy, and what predicts. */
  readonly averaged: Float32Array
  readonly #settings: OptimizerSettings
  readonly #mean: Float32Array
  readonly #square: Float32Array
  /** 1 where a weight decays. */
  readonly #decays: Uint8Array
  #steps = 0

  constructor(shape: NetworkShape, start: Float32Array, settings: OptimizerSettings) {
    const size = networkSize(shape)
    this.weights = start.slice()
    this.averaged = start.slice()
    this.#settings = settings
    this.#mean = new Float32Array(size)
    this.#square = new Float32Array(size)
    this.#decays = new Uint8Array(size)
    for (const slot of networkSlots(shape)) this.#decays.fill(1, slot.offset, slot.offset + slot.decayed)
  }

  /** One step against the gradient. */
  step(gradient: Float32Array): void {
    const { weights, averaged } = this
    const [mean, square, decays] = [this.#mean, this.#square, this.#decays]
    const { warmUpSteps, averaging, weightDecay } = this.#settings
    const step = ++this.#steps
    const rate = this.#settings.rate * Math.min(1, step / warmUpSteps)
    const meanRate = rate / (1 - firstMoment ** step)
    const squareCorrection = 1 / (1 - secondMoment ** step)
    const kept = 1 - rate * weightDecay
    // In the first steps the mean would hold on to the random start.
    const past = Math.min(averaging, step / (step + 9))
    for (let i = 0; i < weights.length; i++) {
      const slope = gradient[i]
      mean[i] += (1 - firstMoment) * (slope - mean[i])
      square[i] += (1 - secondMoment) * (slope * slope - square[i])
      const moved = (meanRate * mean[i]) / (Math.sqrt(square[i] * squareCorrection) + epsilon)
      weights[i] = (decays[i] === 1 ? kept * weights[i] : weights[i]) - moved
      averaged[i] += (1 - past) * (weights[i] - averaged[i])
    }
  }
}
