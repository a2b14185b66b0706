import { columnOrigins, type EncodedRows, type Encoder } from '../features/encoder.ts'
import type { FeatureFrame } from '../features/features.ts'
import { behavioursOf } from './behaviours.ts'
import { type ExplainedTask, explainedTasks } from './explained-tasks.ts'
import { clampProbability, logit, sigmoid } from './logit.ts'
import type { Predictor, PredictorParts } from './predictor.ts'
import type { Additive } from './surrogate.ts'

/** A behaviour and how much it moved one customer's prediction away from those of others. */
export interface Driver {
  /** Of the behaviour's own features the one that moved most; `remainder`: what no single behaviour explains. */
  readonly feature: string
  readonly words: string
  readonly value: number | string | null
  /** Change of the prediction by all features of the behaviour: probability for outcomes, points for nps. */
  readonly effect: number
  readonly unit: ExplainedTask['unit']
  /** The task it is about: an outcome or nps. */
  readonly outcome: string
}

/** What a behaviour adds to one prediction. */
export interface Term {
  readonly behaviour: string
  /** Index of the encoding that adds most. */
  readonly encoding: number
  /** Sum over the behaviour's features. **Unit** probability or points. */
  readonly effect: number
}

/** `base`, the effects of all terms, strongest first, and the remainder add up to what was predicted. */
export interface Explanation {
  /** Mean prediction of the customers compared with. */
  readonly base: number
  readonly terms: readonly Term[]
  readonly remainder: number
}

/**
 * Somebody whom others are compared with. **Unit** all on the scale that behaviours add up on: logits of a probability,
 * points.
 */
export interface ComparedCustomer {
  readonly predicted: number
  /** What each behaviour adds, in the order of the reader's. */
  readonly terms: Float64Array
}

/** Task → those whom its predictions are compared with. */
export type Compared = ReadonlyMap<string, readonly ComparedCustomer[]>

/** Every row of a frame as one that others are compared with. */
export function comparedCustomers(predictor: Predictor, frame: FeatureFrame): Compared {
  const predictions = predictor.predict(frame, [0])
  const reader = new DriverReader(predictor.parts, frame, predictions.views.of('piecewise'))
  return new Map(
    explainedTasks(predictions).map((task) => [
      task.name,
      Array.from({ length: task.surrogate ? frame.rows : 0 }, (_, row) => reader.comparable(task, row)),
    ]),
  )
}

/** Effects below this move nothing that could be seen. */
const smallestEffect = 1e-6

/** On which scale behaviours add up: logits of a probability, points as they are. */
export function onScale(unit: ExplainedTask['unit'], predicted: number): number {
  return unit === 'points' ? predicted : logit(clampProbability(predicted))
}

/** Reads drivers row by row from features in their piecewise view. */
export class DriverReader {
  readonly #encoder: Encoder
  readonly #encoded: EncodedRows
  /** First column of each encoding, and behind the last one. */
  readonly #starts: Int32Array
  readonly #behaviours: readonly string[]
  /** Place of each encoding's behaviour. */
  readonly #places: Int32Array
  /** The encodings of each behaviour. */
  readonly #members: readonly Int32Array[]
  /** Whether an encoding is of the behaviour itself, and no alias. */
  readonly #isOwn: readonly boolean[]
  readonly #columns: ReadonlyMap<string, number>
  readonly #frame: FeatureFrame
  readonly #known = new Map<Additive, { weights: Float64Array; means: Float64Array }>()
  /** By those compared with and step of the prediction. */
  readonly #pulls = new Map<readonly ComparedCustomer[], Map<number, Pull>>()

  constructor(
    { encoder, aliases = {} }: Pick<PredictorParts, 'encoder' | 'aliases'>,
    frame: FeatureFrame,
    encoded: EncodedRows,
  ) {
    this.#encoder = encoder
    this.#encoded = encoded
    this.#frame = frame
    this.#starts = startsOf(columnOrigins(encoder, 'piecewise'), encoder.encodings.length)
    this.#columns = new Map(frame.features.map(({ name }, column) => [name, column]))
    const named = behavioursOf(frame.features, aliases)
    const all = encoder.encodings.map(({ name }) => named[this.#columns.get(name) ?? -1] ?? name)
    this.#behaviours = [...new Set(all)]
    this.#places = Int32Array.from(all, (behaviour) => this.#behaviours.indexOf(behaviour))
    this.#members = this.#behaviours.map((_, place) =>
      this.#places.map((_, encoding) => encoding).filter((encoding) => this.#places[encoding] === place),
    )
    this.#isOwn = encoder.encodings.map(({ name }) => !(name in aliases))
  }

  /**
   * What moved the prediction of a task for a row away from those of others. Null where the task has no additive
   * stand-in.
   *
   * Terms add up in logits. On the straight way from another customer to this one each moves the probability by its
   * share of them, so that effects add up in probability too: the value of Aumann and Shapley (1974).
   */
  explain(task: ExplainedTask, row: number, others: readonly ComparedCustomer[]): Explanation | null {
    return this.strongest(task, row, { others, most: Number.POSITIVE_INFINITY })
  }

  /** The same, with no more terms than are wanted. */
  strongest(
    { surrogate, unit, said }: ExplainedTask,
    row: number,
    { others, most }: { others: readonly ComparedCustomer[]; most: number },
  ): Explanation | null {
    if (surrogate === null) return null
    const own = this.#addUp(surrogate, row)
    const predicted = said(row)
    const { base, slopes, theirs } = this.#pull(others, unit, onScale(unit, predicted))
    const effects = this.#sum(own)
    for (let place = 0; place < effects.length; place++)
      effects[place] = slopes * effects[place] - theirs[place]
    const terms = this.#rank(effects, own, most)
    return { base, terms, remainder: predicted - base - total(effects) }
  }

  /** Of many rows few predict what none before did. */
  #pull(others: readonly ComparedCustomer[], unit: ExplainedTask['unit'], predicted: number): Pull {
    const known = this.#pulls.get(others) ?? new Map<number, Pull>()
    this.#pulls.set(others, known)
    const step = unit === 'points' ? 0 : Math.round(predicted * stepsOfLogit)
    const pull =
      known.get(step) ??
      pullOf(others, { unit, predicted: step / stepsOfLogit, terms: this.#behaviours.length })
    known.set(step, pull)
    return pull
  }

  /** A row as one that others can be compared with. @param task one with an additive stand-in */
  comparable({ surrogate, unit, said }: ExplainedTask, row: number): ComparedCustomer {
    return { predicted: onScale(unit, said(row)), terms: this.#sum(this.#addUp(surrogate as Additive, row)) }
  }

  /** What each encoding adds. **Unit** the surrogate's scale. */
  #addUp(surrogate: Additive, row: number): Float64Array {
    const { columns, values } = this.#encoded
    const { weights, means } = this.#coefficients(surrogate)
    const starts = this.#starts
    const own = new Float64Array(starts.length - 1)
    const first = row * columns
    for (let encoding = 0; encoding < own.length; encoding++) {
      let sum = 0
      for (let column = starts[encoding]; column < starts[encoding + 1]; column++)
        sum += weights[column] * (values[first + column] - means[column])
      own[encoding] = sum
    }
    return own
  }

  #coefficients(surrogate: Additive): { weights: Float64Array; means: Float64Array } {
    const known = this.#known.get(surrogate)
    if (known) return known
    const { weights, means } = surrogate
    const own = { weights: Float64Array.from(weights), means: Float64Array.from(means) }
    this.#known.set(surrogate, own)
    return own
  }

  /** What each behaviour adds. */
  #sum(own: Float64Array): Float64Array {
    const sums = new Float64Array(this.#behaviours.length)
    for (let encoding = 0; encoding < own.length; encoding++) sums[this.#places[encoding]] += own[encoding]
    return sums
  }

  /** The encoding that shows a behaviour. */
  #leading(own: Float64Array, place: number): number {
    let leading = -1
    for (const encoding of this.#members[place]) if (this.#leads(encoding, leading, own)) leading = encoding
    return leading
  }

  #rank(effects: Float64Array, own: Float64Array, most: number): Term[] {
    const places = most < effects.length ? largest(effects, most) : byStrength(effects)
    return places.map((place) => ({
      behaviour: this.#behaviours[place],
      encoding: this.#leading(own, place),
      effect: effects[place],
    }))
  }

  /** A behaviour is shown by its own features before those that tell the same. */
  #leads(encoding: number, other: number, own: Float64Array): boolean {
    if (other < 0 || this.#isOwn[encoding] !== this.#isOwn[other]) return other < 0 || this.#isOwn[encoding]
    return Math.abs(own[encoding]) > Math.abs(own[other])
  }

  /** A term as a driver: name, words and the customer's own value beside the effect. */
  describe({ encoding }: Pick<Term, 'encoding'>, row: number, effect: DriverEffect): Driver {
    const { name } = this.#encoder.encodings[encoding]
    const column = this.#columns.get(name)
    if (column === undefined) return { feature: name, words: name, value: null, ...effect }
    const value = this.#frame.columns[column][row]
    const shown =
      typeof value === 'number' ? (Number.isNaN(value) ? null : Math.round(value * 1e4) / 1e4) : value
    return { feature: name, words: this.#frame.features[column].words, value: shown, ...effect }
  }
}

/** First column of each encoding, and behind the last one. **Shape** `origins` [columns], result [encodings + 1] */
function startsOf(origins: Int32Array, encodings: number): Int32Array {
  const starts = new Int32Array(encodings + 1)
  for (const origin of origins) starts[origin + 1]++
  for (let encoding = 0; encoding < encodings; encoding++) starts[encoding + 1] += starts[encoding]
  return starts
}

/** Places of the effects that can be seen, the strongest first; of equal ones the first. */
function byStrength(effects: Float64Array): number[] {
  return Array.from(effects.keys())
    .filter((place) => Math.abs(effects[place]) >= smallestEffect)
    .sort((a, b) => Math.abs(effects[b]) - Math.abs(effects[a]))
}

/** The first few of them, without putting all in order. */
function largest(effects: Float64Array, most: number): number[] {
  const found: number[] = []
  while (found.length < most) {
    let best = -1
    for (let place = 0; place < effects.length; place++) {
      const strength = Math.abs(effects[place])
      if (strength < smallestEffect || found.includes(place)) continue
      if (best < 0 || strength > Math.abs(effects[best])) best = place
    }
    if (best < 0) break
    found.push(best)
  }
  return found
}

/** Steps in which predictions are told apart when it comes to how steep the way from others is. */
const stepsOfLogit = 20

/** All that others say about a prediction. */
interface Pull {
  /** Their mean prediction. */
  readonly base: number
  /** Probability, or points, that one unit of a behaviour moves, on the mean of the ways from them. */
  readonly slopes: number
  /** What each behaviour adds of theirs, on the same ways. */
  readonly theirs: Float64Array
}

function pullOf(
  others: readonly ComparedCustomer[],
  { unit, predicted, terms }: { unit: ExplainedTask['unit']; predicted: number; terms: number },
): Pull {
  const theirs = new Float64Array(terms)
  let [base, slopes] = [0, 0]
  for (const other of others) {
    const slope = (unit === 'points' ? 1 : meanSlope(other.predicted, predicted)) / others.length
    slopes += slope
    for (let place = 0; place < theirs.length; place++) theirs[place] += slope * other.terms[place]
    base += (unit === 'points' ? other.predicted : sigmoid(other.predicted)) / others.length
  }
  return { base, slopes, theirs }
}

export type DriverEffect = Pick<Driver, 'effect' | 'unit' | 'outcome'>

/** What is left of a prediction beside its single behaviours: how they work together. */
export function describeRemainder(effect: DriverEffect): Driver {
  return { feature: 'remainder', words: 'how behaviours work together', value: null, ...effect }
}

function total(values: Float64Array): number {
  let sum = 0
  for (const value of values) sum += value
  return sum
}

/** Probability that each logit moves on the way between two logits. */
export function meanSlope(from: number, to: number): number {
  if (Math.abs(to - from) < 1e-6) return sigmoid(from) * (1 - sigmoid(from))
  return (sigmoid(to) - sigmoid(from)) / (to - from)
}
