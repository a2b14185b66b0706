import { expectedAnswer } from '../domain/prediction.ts'
import type { Feature } from '../features/catalogue.ts'
import { columnOrigins, type Encoder, encode } from '../features/encoder.ts'
import type { FeatureFrame } from '../features/features.ts'

/** Weights of a linear view of one task, by plain encoded column, and the columns' means over the learning rows. */
export interface DriverWeights {
  /** Logit of the first interval's hazard, or location of the answer on the logit scale, per encoded unit. */
  readonly weights: readonly number[]
  readonly means: readonly number[]
}

/** A behaviour and how much it moved one customer's prediction away from that of an average customer. */
export interface Driver {
  readonly feature: string
  readonly words: string
  readonly value: number | string | null
  /** Change of the prediction: probability for outcomes, points for nps. */
  readonly effect: number
  readonly unit: 'probability' | 'points'
  /** The task it is about: an outcome or nps. */
  readonly outcome: string
}

/** A feature's additive term of one row, on the logit scale. */
interface Term {
  readonly encoding: number
  readonly term: number
}

/** Terms below this, in logits, move nothing that could be seen. */
const smallestTerm = 1e-6

/** Reads terms row by row from the encoded features. */
export class DriverReader {
  readonly #encoder: Encoder
  readonly #frame: FeatureFrame
  readonly #origins: Int32Array
  readonly #values: Float32Array
  readonly #terms: Float64Array
  readonly #features: ReadonlyMap<string, { feature: Feature; column: FeatureFrame['columns'][number] }>

  constructor(encoder: Encoder, frame: FeatureFrame) {
    this.#encoder = encoder
    this.#frame = frame
    this.#origins = columnOrigins(encoder, 'plain')
    this.#values = encode(encoder, frame, 'plain').values
    this.#terms = new Float64Array(encoder.encodings.length)
    this.#features = new Map(
      frame.features.map((feature, index) => [feature.name, { feature, column: this.#frame.columns[index] }]),
    )
  }

  /** The strongest terms of a row, strongest first. */
  strongest({ weights, means }: DriverWeights, row: number, count: number): Term[] {
    const terms = this.#terms.fill(0)
    const columns = this.#origins.length
    for (let column = 0; column < columns; column++) {
      terms[this.#origins[column]] += weights[column] * (this.#values[row * columns + column] - means[column])
    }
    const found: Term[] = []
    while (found.length < count) {
      let best = -1
      for (let i = 0; i < terms.length; i++) {
        if (best < 0 || Math.abs(terms[i]) > Math.abs(terms[best])) best = i
      }
      if (best < 0 || Math.abs(terms[best]) < smallestTerm) break
      found.push({ encoding: best, term: terms[best] })
      terms[best] = 0
    }
    return found
  }

  /** A term as a driver: name, words and the customer's own value beside the effect. */
  describe({ encoding }: Term, row: number, effect: Pick<Driver, 'effect' | 'unit' | 'outcome'>): Driver {
    const { name } = this.#encoder.encodings[encoding]
    const found = this.#features.get(name)
    const value = found?.column[row] ?? null
    const shown =
      typeof value === 'number' ? (Number.isNaN(value) ? null : Math.round(value * 1e4) / 1e4) : value
    return { feature: name, words: found?.feature.words ?? name, value: shown, ...effect }
  }
}

/** How much a term moved a probability: what is left of it without the term's push on the logit. */
export function effectOnProbability(probability: number, term: number): number {
  const clamped = Math.min(1 - 1e-9, Math.max(1e-9, probability))
  const without = Math.log(clamped / (1 - clamped)) - term
  return probability - 1 / (1 + Math.exp(-without))
}

/** How much a term moved an expected answer: cumulative logits without the term's push on the location. */
export function effectOnAnswer(distribution: ArrayLike<number>, term: number): number {
  const shifted = new Float64Array(distribution.length)
  let below = 0
  let shiftedBelow = 0
  for (let answer = 0; answer < distribution.length; answer++) {
    below = Math.min(1 - 1e-9, below + distribution[answer])
    const cumulative =
      answer === distribution.length - 1 ? 1 : 1 / (1 + Math.exp(-(Math.log(below / (1 - below)) + term)))
    shifted[answer] = cumulative - shiftedBelow
    shiftedBelow = cumulative
  }
  return expectedAnswer(distribution) - expectedAnswer(shifted)
}
