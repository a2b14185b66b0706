import * as tf from '@tensorflow/tfjs-core'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'
import type { Matrix } from './matrix.ts'
import {
  backwardPass,
  forwardPass,
  gatherGradient,
  networkSlots,
  slotView,
  uploadNetwork,
} from './network.ts'
import { memberThresholds } from './network-heads.ts'
import { type LossInput, lossGradient } from './network-loss.ts'
import { inputTensor } from './network-run.ts'

/** One step's rows and what they are judged by. */
export interface Batch extends Pick<LossInput, 'shape' | 'labels' | 'strengths' | 'rows'> {
  readonly features: Matrix
  readonly dropout: DropoutMasks | null
}

/** Loss of a batch in nats, and the gradient by every weight. */
export interface StepResult {
  readonly loss: number
  readonly gradient: Float32Array
}

/** Loss of a batch, and its gradient laid out as the weights. No tensor outlives the call. */
export function batchGradient(batch: Batch, weights: Float32Array): StepResult {
  const { shape, rows } = batch
  // Through a variable: `tf.tidy` would search a returned array for tensors, number by number.
  let result: StepResult = { loss: 0, gradient: new Float32Array() }
  tf.tidy(() => {
    const network = uploadNetwork(shape, weights)
    const masks = batch.dropout?.draw(rows.length, shape.layers) ?? null
    const pass = forwardPass(network, inputTensor(batch.features, rows), masks)
    const logits = pass.logits.dataSync<'float32'>()
    const slope = lossGradient({ ...batch, logits, thresholds: memberThresholds(shape, weights) })
    const logitGradient = tf.tensor2d(slope.logits, pass.logits.shape)
    const gradient = gatherGradient(shape, backwardPass(network, pass, logitGradient))
    const thresholds = networkSlots(shape).find(({ name }) => name === 'thresholds')
    if (thresholds !== undefined) slotView(gradient, thresholds).set(slope.thresholds)
    result = { loss: slope.loss, gradient }
  })
  return result
}

/** Least numbers in the pool of masks: windows into it hardly ever repeat. */
const leastPoolSize = 1 << 20

/** Dropout masks, cut at random places from a pool made once: fresh ones would take longer than the step. */
export class DropoutMasks {
  readonly #pool: Float32Array
  readonly #size: { readonly rows: number; readonly units: number }
  readonly #random: RandomGenerator

  /**
   * @param size most rows of a batch, and hidden units of a layer: k·h.
   * @param dropout share silenced; the others grow by 1 / (1 − dropout) to keep the mean.
   */
  constructor(
    size: { readonly rows: number; readonly units: number },
    dropout: number,
    random: RandomGenerator,
  ) {
    this.#size = size
    this.#random = random
    this.#pool = new Float32Array(Math.max(leastPoolSize, 4 * size.rows * size.units))
    // Two chances a draw, 16 bits each.
    for (let i = 0; i < this.#pool.length; i += 2) {
      const bits = random.next()
      if ((bits >>> 16) / 65_536 >= dropout) this.#pool[i] = 1 / (1 - dropout)
      if ((bits & 0xffff) / 65_536 >= dropout) this.#pool[i + 1] = 1 / (1 - dropout)
    }
  }

  /** One mask a layer, [rows, k·h]. */
  draw(rows: number, layers: number): tf.Tensor2D[] {
    const { units } = this.#size
    return Array.from({ length: layers }, () => {
      const start = uniformInt(this.#random, 0, this.#pool.length - rows * units)
      return tf.tensor2d(this.#pool.subarray(start, start + rows * units), [rows, units])
    })
  }
}
