import type { Feature } from '../features/catalogue.ts'
import { columnOrigins, type EncodedRows, type Encoder } from '../features/encoder.ts'
import type { FeatureFrame } from '../features/features.ts'
import type { Surrogate } from './surrogate.ts'

/** A behaviour and how much it moved one customer's prediction away from that of an average customer. */
export interface Driver {
  /** Of all features of the behaviour the one that moved most; `remainder`: what no single behaviour explains. */
  readonly feature: string
  readonly words: string
  readonly value: number | string | null
  /** Change of the prediction by all features of the behaviour: probability for outcomes, points for nps. */
  readonly effect: number
  readonly unit: 'probability' | 'points'
  /** The task it is about: an outcome or nps. */
  readonly outcome: string
}

/** What a behaviour adds to one prediction: a type of event, an attribute, a survey metric. */
export interface Term {
  /** Index of the encoding that adds most. */
  readonly encoding: number
  /** Sum over the behaviour's features: logits of an outcome, points of an answer. */
  readonly term: number
}

/** The terms of one prediction, strongest first, and what is left once all of them are added to the base. */
export interface Explanation {
  readonly terms: readonly Term[]
  readonly remainder: number
}

/** What a feature is about: a type of event, an attribute, a survey metric. */
export function behaviourOf({ behaviour, origin }: Pick<Feature, 'behaviour' | 'origin'>): string {
  return behaviour ?? origin
}

/** Terms below this move nothing that could be seen. */
const smallestTerm = 1e-6

/** Reads terms row by row from features in their piecewise view. */
export class DriverReader {
  readonly #encoder: Encoder
  readonly #encoded: EncodedRows
  readonly #origins: Int32Array
  /** Behaviour of each encoding. */
  readonly #behaviour: Int32Array
  readonly #features: ReadonlyMap<string, { feature: Feature; column: FeatureFrame['columns'][number] }>

  constructor(encoder: Encoder, frame: FeatureFrame, encoded: EncodedRows) {
    this.#encoder = encoder
    this.#encoded = encoded
    this.#origins = columnOrigins(encoder, 'piecewise')
    this.#features = new Map(
      frame.features.map((feature, index) => [feature.name, { feature, column: frame.columns[index] }]),
    )
    const places = new Map<string, number>()
    this.#behaviour = Int32Array.from(encoder.encodings, ({ name }) => {
      const feature = this.#features.get(name)?.feature
      const behaviour = feature ? behaviourOf(feature) : name
      if (!places.has(behaviour)) places.set(behaviour, places.size)
      return places.get(behaviour) as number
    })
  }

  /** @param predicted what the surrogate stands in for: a logit, or points */
  explain({ base, weights, means }: Surrogate, row: number, predicted: number): Explanation {
    const { columns, values } = this.#encoded
    const own = new Float64Array(this.#encoder.encodings.length)
    let remainder = predicted - base
    for (let column = 0; column < columns; column++) {
      const term = weights[column] * (values[row * columns + column] - means[column])
      own[this.#origins[column]] += term
      remainder -= term
    }
    return { terms: this.#byBehaviour(own), remainder }
  }

  #byBehaviour(own: Float64Array): Term[] {
    const terms = new Map<number, Term>()
    own.forEach((term, encoding) => {
      const behaviour = this.#behaviour[encoding]
      const known = terms.get(behaviour)
      const isLeading = known === undefined || Math.abs(term) > Math.abs(own[known.encoding])
      terms.set(behaviour, {
        encoding: isLeading ? encoding : known.encoding,
        term: (known?.term ?? 0) + term,
      })
    })
    return [...terms.values()]
      .filter(({ term }) => Math.abs(term) >= smallestTerm)
      .sort((a, b) => Math.abs(b.term) - Math.abs(a.term))
  }

  /** A term as a driver: name, words and the customer's own value beside the effect. */
  describe({ encoding }: Pick<Term, 'encoding'>, row: number, effect: DriverEffect): Driver {
    const { name } = this.#encoder.encodings[encoding]
    const found = this.#features.get(name)
    const value = found?.column[row] ?? null
    const shown =
      typeof value === 'number' ? (Number.isNaN(value) ? null : Math.round(value * 1e4) / 1e4) : value
    return { feature: name, words: found?.feature.words ?? name, value: shown, ...effect }
  }
}

export type DriverEffect = Pick<Driver, 'effect' | 'unit' | 'outcome'>

/** What is left of a prediction beside its single behaviours: how they work together. */
export function describeRemainder(effect: DriverEffect): Driver {
  return { feature: 'remainder', words: 'how behaviours work together', value: null, ...effect }
}

/** How much a term moved a probability: what is left of it without the term's push on the logit. */
export function effectOnProbability(probability: number, term: number): number {
  const clamped = Math.min(1 - 1e-9, Math.max(1e-9, probability))
  const without = Math.log(clamped / (1 - clamped)) - term
  return probability - 1 / (1 + Math.exp(-without))
}
