import { setImmediate as nextTurn } from 'node:timers/promises'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'
import { usageError } from '../domain/errors.ts'
import { startBackend } from './backend.ts'
import { answerCount, type LearningSet } from './member.ts'
import { type NetworkShape, rowsOf } from './network.ts'
import { HeadReader } from './network-heads.ts'
import { indexLabels, type RowLabels, taskStrengths } from './network-labels.ts'
import { outputLoss } from './network-loss.ts'
import { NetworkMember } from './network-member.ts'
import { Optimizer } from './network-optimizer.ts'
import { runNetwork } from './network-run.ts'
import { measureLearning, type NetworkSettings, networkSettings } from './network-settings.ts'
import { startWeights } from './network-start.ts'
import { batchGradient, DropoutMasks } from './network-step.ts'

/** How one fit goes. Either a validation set or a number of epochs says when to stop. */
export type NetworkFitOptions = {
  /** Integer; the same one gives the same bytes. */
  readonly seed: number
  /** Default: {@link networkSettings} for the amount of data. */
  readonly settings?: NetworkSettings
  readonly onEpoch?: (progress: NetworkProgress) => void
  /** Looked at between epochs; the fit then rejects with its reason. */
  readonly signal?: AbortSignal
} & (
  | {
      /** Labels to stop by, not learned from; the best epoch's weights are kept. */
      readonly validation: LearningSet
    }
  | {
      /** Epochs to learn, may be a fraction: a refit takes 1.05 × the {@link NetworkTrace.epochs} of the first fit. */
      readonly epochs: number
    }
)

export interface NetworkProgress {
  /** Epochs done. */
  readonly epoch: number
  /** Most that there will be. */
  readonly epochs: number
  /** Mean loss of the epoch's batches, dropout included. Nats, summed over tasks by their strengths. */
  readonly loss: number
  /** Null without a validation set. */
  readonly validationLoss: number | null
}

/** How a fit went. */
export interface NetworkTrace {
  readonly settings: NetworkSettings
  /** Epochs behind the weights that were kept. 0: nothing was better than the base rates. */
  readonly epochs: number
  /** Every epoch that was run, in order. */
  readonly progress: readonly NetworkProgress[]
}

/**
 * Teaches the multi-task network by AdamW on mini-batches. Starts the backend if none runs.
 *
 * Features must be finite. Rows without a known label are never looked at. Overfits below some 1,000 labels:
 * trust it only beside a simpler member. Time: some 12,000 rows a second and thread at 100 features and the
 * default settings.
 *
 * @throws LoyalcastError `network-no-labels` where nothing, to learn from or to validate on, is known.
 */
export async function fitNetwork(
  learning: LearningSet,
  options: NetworkFitOptions,
): Promise<{ readonly member: NetworkMember; readonly trace: NetworkTrace }> {
  await startBackend()
  const settings = options.settings ?? networkSettings(measureLearning(learning))
  const school = new School(learning, settings, options.seed)
  const exam = 'validation' in options ? new Exam(school.shape, options.validation) : null
  const wanted = 'epochs' in options ? options.epochs : settings.maxEpochs
  const progress: NetworkProgress[] = []
  let best = { epochs: 0, loss: exam?.loss(school.averaged) ?? null, weights: school.averaged.slice() }
  for (let epoch = 1; epoch < wanted + 1; epoch++) {
    await nextTurn()
    options.signal?.throwIfAborted()
    // The last epoch of a fractional number is a part of one.
    const loss = school.learnEpoch(Math.min(1, wanted - epoch + 1))
    const validationLoss = exam?.loss(school.averaged) ?? null
    progress.push({ epoch, epochs: Math.ceil(wanted), loss, validationLoss })
    options.onEpoch?.(progress.at(-1)!)
    if (best.loss === null || validationLoss === null || validationLoss < best.loss) {
      best = { epochs: Math.min(epoch, wanted), loss: validationLoss, weights: school.averaged.slice() }
    } else if (epoch - best.epochs >= settings.patience) break
  }
  const member = new NetworkMember(school.shape, best.weights)
  return { member, trace: { settings, epochs: best.epochs, progress } }
}

/** A network while it learns. */
class School {
  readonly shape: NetworkShape
  readonly #learning: LearningSet
  readonly #labels: RowLabels
  readonly #strengths: readonly number[]
  readonly #optimizer: Optimizer
  readonly #dropout: DropoutMasks | null
  readonly #sampler: RowSampler
  readonly #stepsPerEpoch: number
  readonly #batchRows: number

  constructor(learning: LearningSet, settings: NetworkSettings, seed: number) {
    const random = xoroshiro128plus(seed)
    const { members, width, layers, dropout } = settings
    this.shape = {
      inputs: learning.features.columns,
      members,
      width,
      layers,
      outcomes: learning.outcomes.map(({ name, intervals }) => ({ name, intervals })),
      answers: learning.answers !== null,
    }
    this.#learning = learning
    this.#labels = labelsOf(learning, 'to learn from')
    this.#optimizer = new Optimizer(this.shape, startWeights(this.shape, this.#labels, random), settings)
    this.#sampler = new RowSampler(this.#labels.labelledRows, random)
    const rows = this.#labels.labelledRows.length
    const epochRows = Math.min(rows, settings.epochRows)
    this.#stepsPerEpoch = Math.ceil(epochRows / settings.batchRows)
    this.#batchRows = Math.ceil(epochRows / this.#stepsPerEpoch)
    const maskSize = { rows: this.#batchRows, units: members * width }
    this.#dropout = dropout > 0 ? new DropoutMasks(maskSize, dropout, random) : null
    this.#strengths = taskStrengths(this.#labels).map((strength) => (strength * rows) / this.#batchRows)
  }

  /** The running mean of the weights: what predicts. */
  get averaged(): Float32Array {
    return this.#optimizer.averaged
  }

  /** @returns mean loss of the batches */
  learnEpoch(share: number): number {
    const steps = Math.max(1, Math.round(share * this.#stepsPerEpoch))
    let sum = 0
    for (let step = 0; step < steps; step++) {
      const batch = {
        shape: this.shape,
        features: this.#learning.features,
        labels: this.#labels,
        strengths: this.#strengths,
        rows: this.#sampler.draw(this.#batchRows),
        dropout: this.#dropout,
      }
      const { loss, gradient } = batchGradient(batch, this.#optimizer.weights)
      this.#optimizer.step(gradient)
      sum += loss
    }
    return sum / steps
  }
}

/** Labels that say how well the members predict together. */
class Exam {
  readonly #shape: NetworkShape
  readonly #validation: LearningSet
  readonly #labels: RowLabels
  readonly #strengths: readonly number[]

  constructor(shape: NetworkShape, validation: LearningSet) {
    this.#shape = shape
    this.#validation = { ...validation, answers: shape.answers ? validation.answers : null }
    this.#labels = labelsOf(this.#validation, 'to validate on')
    this.#strengths = taskStrengths(this.#labels)
  }

  loss(weights: Float32Array): number {
    const { features, answers } = this.#validation
    const { answerStart, answerOrder } = this.#labels
    const reader = new HeadReader(this.#shape, weights)
    const hazards = this.#shape.outcomes.map(({ intervals }) => new Float32Array(features.rows * intervals))
    const answerLikelihoods = new Float64Array(answers?.row.length ?? 0)
    runNetwork({ shape: this.#shape, weights }, features, (logits, start) => {
      reader.readHazards(logits, start, hazards)
      for (let row = 0; row < rowsOf(this.#shape, logits); row++) {
        const theirs = answerOrder.subarray(answerStart[start + row], answerStart[start + row + 1])
        if (theirs.length === 0) continue
        const leadDays = Float32Array.from(theirs, (answer) => answers!.leadDays[answer])
        const said = new Float64Array(theirs.length * answerCount)
        reader.readAnswers(logits, { row, leadDays }, said)
        theirs.forEach((answer, i) => {
          answerLikelihoods[answer] = said[i * answerCount + answers!.score[answer]]
        })
      }
    })
    return outputLoss(this.#labels, this.#strengths, { hazards, answerLikelihoods })
  }
}

function labelsOf(set: LearningSet, purpose: string): RowLabels {
  const labels = indexLabels(set)
  if (labels.labelledRows.length > 0) return labels
  throw usageError(
    'network-no-labels',
    `There is nothing ${purpose}: none of ${set.features.rows} rows has a known outcome or an answer.`,
  )
}

/** Draws rows without putting them back, in a new order each time all were drawn. */
class RowSampler {
  readonly #order: Int32Array
  readonly #random: RandomGenerator
  #drawn: number

  constructor(rows: Int32Array, random: RandomGenerator) {
    this.#order = rows.slice()
    this.#random = random
    this.#drawn = rows.length
  }

  draw(count: number): Int32Array {
    const drawn = new Int32Array(count)
    for (let i = 0; i < count; i++) {
      if (this.#drawn === this.#order.length) this.#shuffle()
      drawn[i] = this.#order[this.#drawn++]
    }
    return drawn
  }

  #shuffle(): void {
    const order = this.#order
    for (let i = order.length - 1; i > 0; i--) {
      const j = uniformInt(this.#random, 0, i)
      const swapped = order[i]
      order[i] = order[j]
      order[j] = swapped
    }
    this.#drawn = 0
  }
}
