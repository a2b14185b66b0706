import { columnOrigins, type EncodedRows, type Encoder } from '../features/encoder.ts'
import type { FeatureFrame } from '../features/features.ts'
import { BehaviourSums, byStrength, type ColumnPlan, largest, startsOf } from './behaviour-sums.ts'
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

/** On which scale behaviours add up: logits of a probability, points as they are. */
export function onScale(unit: ExplainedTask['unit'], predicted: number): number {
  return unit === 'points' ? predicted : logit(clampProbability(predicted))
}

/** Reads drivers row by row from features in their piecewise view. */
export class DriverReader {
  readonly #encoder: Encoder
  readonly #encoded: EncodedRows
  readonly #behaviours: readonly string[]
  readonly #plan: ColumnPlan
  /** The encodings that may show each behaviour: its own ones, or where it has none all that tell the same. */
  readonly #shows: readonly Int32Array[]
  readonly #columns: ReadonlyMap<string, number>
  readonly #frame: FeatureFrame
  /** Of each encoding the column of the frame. */
  readonly #shownColumns: readonly (FeatureFrame['columns'][number] | undefined)[]
  readonly #sums = new Map<Additive, BehaviourSums>()
  /** Work space of one row. **Shape** [behaviours] */
  readonly #effects: Float64Array

  constructor(
    { encoder, aliases = {} }: Pick<PredictorParts, 'encoder' | 'aliases'>,
    frame: FeatureFrame,
    encoded: EncodedRows,
  ) {
    this.#encoder = encoder
    this.#encoded = encoded
    this.#frame = frame
    this.#columns = new Map(frame.features.map(({ name }, column) => [name, column]))
    const named = behavioursOf(frame.features, aliases)
    const all = encoder.encodings.map(({ name }) => named[this.#columns.get(name) ?? -1] ?? name)
    this.#shownColumns = encoder.encodings.map(({ name }) => frame.columns[this.#columns.get(name) ?? -1])
    this.#behaviours = [...new Set(all)]
    const members = this.#behaviours.map((behaviour) =>
      Int32Array.from(all.keys()).filter((encoding) => all[encoding] === behaviour),
    )
    this.#plan = {
      starts: startsOf(columnOrigins(encoder, 'piecewise'), all.length),
      members,
    }
    this.#effects = new Float64Array(this.#behaviours.length)
    this.#shows = members.map((encodings) => {
      const own = encodings.filter((encoding) => !(encoder.encodings[encoding].name in aliases))
      return own.length > 0 ? own : encodings
    })
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
    const sums = this.#sumsOf(surrogate)
    const predicted = said(row)
    const effects = this.#effects
    const pulled = { unit, predicted: onScale(unit, predicted), terms: effects.length }
    const { base, slopes, theirs } = pullFrom(others, pulled)
    const own = sums.placeOf(row)
    const { values, parts } = sums
    const offset = own * effects.length
    let total = 0
    for (let place = 0; place < effects.length; place++) {
      const effect = slopes * values[offset + place] - theirs[place]
      effects[place] = effect
      total += effect
    }
    const places = most < effects.length ? largest(effects, most) : byStrength(effects)
    const terms = places.map((place) => ({
      behaviour: this.#behaviours[place],
      encoding: this.#leading(place, parts, own * this.#encoder.encodings.length),
      effect: effects[place],
    }))
    return { base, terms, remainder: predicted - base - total }
  }

  /** A row as one that others can be compared with. @param task one with an additive stand-in */
  comparable({ surrogate, unit, said }: ExplainedTask, row: number): ComparedCustomer {
    const sums = this.#sumsOf(surrogate as Additive)
    const offset = sums.placeOf(row) * this.#behaviours.length
    return {
      predicted: onScale(unit, said(row)),
      terms: sums.values.slice(offset, offset + this.#behaviours.length),
    }
  }

  #sumsOf(surrogate: Additive): BehaviourSums {
    const known = this.#sums.get(surrogate)
    if (known) return known
    const { weights, means } = surrogate
    const { starts } = this.#plan
    const base = new Float64Array(this.#encoder.encodings.length)
    for (let encoding = 0; encoding < base.length; encoding++)
      for (let column = starts[encoding]; column < starts[encoding + 1]; column++)
        base[encoding] -= weights[column] * means[column]
    const sums = new BehaviourSums(this.#encoded, this.#plan, { weights: Float64Array.from(weights), base })
    this.#sums.set(surrogate, sums)
    return sums
  }

  /** Of the encodings that may show a behaviour the one that adds most to a row, whose first part is there. */
  #leading(place: number, parts: Float64Array, first: number): number {
    const encodings = this.#shows[place]
    let leading = encodings[0]
    let most = 0
    for (let at = 0; at < encodings.length; at++) {
      const strength = Math.abs(parts[first + encodings[at]])
      if (strength <= most) continue
      leading = encodings[at]
      most = strength
    }
    return leading
  }

  /** A term as a driver: name, words and the customer's own value beside the effect. */
  describe({ encoding }: Pick<Term, 'encoding'>, row: number, effect: DriverEffect): Driver {
    return { ...this.named(encoding), value: this.shown(encoding, row), ...effect }
  }

  /** What a driver of an encoding is called. */
  named(encoding: number): Pick<Driver, 'feature' | 'words'> {
    const { name } = this.#encoder.encodings[encoding]
    const column = this.#columns.get(name)
    return { feature: name, words: column === undefined ? name : this.#frame.features[column].words }
  }

  /** The customer's own value of an encoding's feature: four decimals of a number. */
  shown(encoding: number, row: number): Driver['value'] {
    const value = this.#shownColumns[encoding]?.[row] ?? null
    if (typeof value !== 'number') return value
    return Number.isNaN(value) ? null : Math.round(value * 1e4) / 1e4
  }
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

/** A prediction on its scale, and how many behaviours there are. */
interface Pulled {
  readonly unit: ExplainedTask['unit']
  readonly predicted: number
  readonly terms: number
}

/** Kept as long as those compared with are: of many rows few predict what none before did. */
const pulls = new WeakMap<readonly ComparedCustomer[], Map<number, Pull>>()

function pullFrom(others: readonly ComparedCustomer[], { unit, predicted, terms }: Pulled): Pull {
  const known = pulls.get(others) ?? new Map<number, Pull>()
  pulls.set(others, known)
  const step = unit === 'points' ? Number.NaN : Math.round(predicted * stepsOfLogit)
  const pull = known.get(step) ?? pullOf(others, { unit, predicted: step / stepsOfLogit, terms })
  known.set(step, pull)
  return pull
}

function pullOf(others: readonly ComparedCustomer[], { unit, predicted, terms }: Pulled): Pull {
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

/** Probability that each logit moves on the way between two logits. */
export function meanSlope(from: number, to: number): number {
  if (Math.abs(to - from) < 1e-6) return sigmoid(from) * (1 - sigmoid(from))
  return (sigmoid(to) - sigmoid(from)) / (to - from)
}
