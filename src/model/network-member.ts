import { z } from 'zod'
import { failure, usageError } from '../domain/errors.ts'
import { startedBackend } from './backend.ts'
import type { Matrix } from './matrix.ts'
import { answerCount, type Member, type MemberOutput, type StoredMember } from './member.ts'
import { type NetworkShape, networkSize, networkSlots, rowsOf, slotView } from './network.ts'
import { HeadReader } from './network-heads.ts'
import { runNetwork } from './network-run.ts'

export const networkKind = 'network'

const count = z.int().positive()
const storedShape = z.object({
  inputs: count,
  members: count,
  width: count,
  layers: count,
  outcomes: z.array(z.object({ name: z.string(), intervals: count })),
  answers: z.boolean(),
})

/**
 * The multi-task network once it has learned.
 *
 * Holds plain numbers; tensors live only while it predicts, on the backend that `startBackend` started.
 */
export class NetworkMember implements Member {
  readonly kind = networkKind
  readonly shape: NetworkShape
  readonly #weights: Float32Array

  /** @param weights all parameters in the order of `networkSlots`. */
  constructor(shape: NetworkShape, weights: Float32Array) {
    this.shape = shape
    this.#weights = weights
  }

  /**
   * The trunk runs once a row, however many leads are wanted.
   *
   * @throws LoyalcastError `network-backend` before `startBackend`; `network-inputs` on other features.
   */
  predict(features: Matrix, leads: readonly Float32Array[]): MemberOutput {
    this.#check(features)
    const { shape } = this
    const reader = new HeadReader(shape, this.#weights)
    const wanted = shape.answers ? leads : []
    const hazards = shape.outcomes.map(({ intervals }) => new Float32Array(features.rows * intervals))
    const answers = wanted.map(() => new Float32Array(features.rows * answerCount))
    const leadDays = new Float32Array(wanted.length)
    const said = new Float64Array(wanted.length * answerCount)
    runNetwork({ shape, weights: this.#weights }, features, (logits, start) => {
      reader.readHazards(logits, start, hazards)
      for (let row = 0; row < rowsOf(shape, logits) && wanted.length > 0; row++) {
        for (let lead = 0; lead < wanted.length; lead++) leadDays[lead] = wanted[lead][start + row]
        reader.readAnswers(logits, { row, leadDays }, said)
        for (let lead = 0, from = 0; lead < wanted.length; lead++)
          for (let to = (start + row) * answerCount; to < (start + row + 1) * answerCount; to++)
            answers[lead][to] = said[from++]
      }
    })
    return { hazards, answers }
  }

  store(): StoredMember {
    const arrays = networkSlots(this.shape).map((slot) => [slot.name, slotView(this.#weights, slot).slice()])
    return { kind: this.kind, description: { ...this.shape }, arrays: Object.fromEntries(arrays) }
  }

  #check(features: Matrix): void {
    if (startedBackend() === undefined) {
      throw failure('network-backend', 'No TensorFlow.js backend runs: await startBackend() first.')
    }
    if (features.columns !== this.shape.inputs) {
      throw usageError(
        'network-inputs',
        `The network learned from ${this.shape.inputs} features a row and was given ${features.columns}.`,
      )
    }
  }
}

/**
 * A network as it was stored.
 *
 * @throws LoyalcastError `network-stored` where what was stored is no network or lacks numbers.
 */
export function restoreNetwork(stored: StoredMember): NetworkMember {
  if (stored.kind !== networkKind) {
    throw usageError('network-stored', `A stored ${networkKind} was expected, found a ${stored.kind}.`)
  }
  const shape = parseShape(stored.description)
  const weights = new Float32Array(networkSize(shape))
  for (const slot of networkSlots(shape)) {
    const values = stored.arrays[slot.name]
    if (values?.length !== slot.length) {
      throw usageError(
        'network-stored',
        `The stored network needs ${slot.length} numbers of ${slot.name}, found ${values?.length ?? 'none'}.`,
      )
    }
    slotView(weights, slot).set(values)
  }
  return new NetworkMember(shape, weights)
}

function parseShape(description: StoredMember['description']): NetworkShape {
  const parsed = storedShape.safeParse(description)
  if (parsed.success) return parsed.data
  throw usageError(
    'network-stored',
    `The stored network's description is broken: ${z.prettifyError(parsed.error)}`,
  )
}
