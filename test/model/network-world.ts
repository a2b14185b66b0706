import { uniformFloat32 } from 'pure-rand/distribution/uniformFloat32'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { Matrix } from '../../src/model/matrix.ts'
import { answerCount, type HazardLabels, type LearningSet, type Member } from '../../src/model/member.ts'
import { type NetworkSettings, networkSettings } from '../../src/model/network-settings.ts'

export type Chance = () => number

export function chance(seed: number): Chance {
  const random = xoroshiro128plus(seed)
  return () => uniformFloat32(random)
}

export const sigmoid = (value: number) => 1 / (1 + Math.exp(-value))
export const logit = (probability: number) => Math.log(probability / (1 - probability))

export function someFeatures(rows: number, columns: number, draw: Chance): Matrix {
  return { rows, columns, values: Float32Array.from({ length: rows * columns }, () => 4 * draw() - 2) }
}

/** Labels of a simulated outcome: after an event nothing more is known. */
export function drawOutcome(truth: Float64Array, intervals: number, draw: Chance): HazardLabels {
  const rows = truth.length / intervals
  const happened = new Uint8Array(truth.length)
  const known = new Uint8Array(truth.length)
  for (let row = 0; row < rows; row++) {
    for (let j = row * intervals; j < (row + 1) * intervals; j++) {
      known[j] = 1
      happened[j] = draw() < truth[j] ? 1 : 0
      if (happened[j] === 1) break
    }
  }
  return { name: 'churn', intervals, happened, known, weight: new Float32Array(rows).fill(1) }
}

/** Hazards over two intervals that turn on the product of two features: nothing for a linear model. */
export function interactionHazards({ rows, columns, values }: Matrix): Float64Array {
  return Float64Array.from({ length: rows * 2 }, (_, label) => {
    const first = Math.floor(label / 2) * columns
    return sigmoid(-1 + 0.5 * (label % 2) + 1.2 * values[first] * values[first + 1] + 0.5 * values[first + 2])
  })
}

/**
 * The same hazards averaged over the product of the first two features: the best prediction without it. Neither
 * of the two tells anything alone, as the product of symmetric features is symmetric whatever one of them is.
 */
export function withoutInteraction({ rows, columns, values }: Matrix): Float64Array {
  const others = Array.from({ length: 200 }, (_, row) => values[row * columns] * values[row * columns + 1])
  return Float64Array.from({ length: rows * 2 }, (_, label) => {
    const rest = -1 + 0.5 * (label % 2) + 0.5 * values[Math.floor(label / 2) * columns + 2]
    return others.reduce((sum, product) => sum + sigmoid(rest + 1.2 * product), 0) / others.length
  })
}

/** Expected log loss per label of saying `said` where `truth` holds. */
export function expectedLoss(truth: ArrayLike<number>, said: ArrayLike<number>): number {
  let loss = 0
  for (let i = 0; i < truth.length; i++) {
    loss -= truth[i] * Math.log(said[i]) + (1 - truth[i]) * Math.log(1 - said[i])
  }
  return loss / truth.length
}

/** The answer's true distribution: its location moves with feature 0 and, with the lead, against feature 1. */
export function trueAnswer({ columns, values }: Matrix, row: number, leadDays: number): number[] {
  const [a, b] = [values[row * columns], values[row * columns + 1]]
  const location = 1.5 * a - 1.5 * b * (leadDays / 90)
  const atMost = Array.from({ length: answerCount }, (_, j) => (j < 10 ? sigmoid(j - 6 - location) : 1))
  return atMost.map((share, j) => share - (j > 0 ? atMost[j - 1] : 0))
}

export function drawIndex(shares: readonly number[], draw: Chance): number {
  const drawn = draw()
  let below = 0
  for (let j = 0; j < shares.length; j++) {
    below += shares[j]
    if (drawn < below) return j
  }
  return shares.length - 1
}

export function drawAnswers(features: Matrix, draw: Chance): LearningSet['answers'] {
  const { rows } = features
  const leadDays = Float32Array.from({ length: rows }, () => Math.floor(draw() * 91))
  return {
    row: Int32Array.from({ length: rows }, (_, row) => row),
    leadDays,
    score: Uint8Array.from({ length: rows }, (_, row) =>
      drawIndex(trueAnswer(features, row, leadDays[row]), draw),
    ),
    weight: new Float32Array(rows).fill(1),
  }
}

export function world(rows: number, seed: number, parts = { columns: 4, answers: true }): LearningSet {
  const draw = chance(seed)
  const features = someFeatures(rows, parts.columns, draw)
  return {
    features,
    customer: Int32Array.from({ length: rows }, (_, row) => row),
    outcomes: [drawOutcome(interactionHazards(features), 2, draw)],
    answers: parts.answers ? drawAnswers(features, draw) : null,
  }
}

export const small: NetworkSettings = {
  ...networkSettings({ rows: 400, columns: 4, signals: 100 }),
  members: 4,
  width: 8,
  layers: 2,
}

export const leadsOf = (rows: number, ...days: number[]) =>
  days.map((day) => new Float32Array(rows).fill(day))

export function bytesOf(member: Member): Record<string, string> {
  const arrays = Object.entries(member.store().arrays)
  return Object.fromEntries(
    arrays.map(([name, values]) => [name, Buffer.from(values.buffer).toString('hex')]),
  )
}

export function mean(shares: ArrayLike<number>): number {
  let sum = 0
  for (let answer = 0; answer < shares.length; answer++) sum += answer * shares[answer]
  return sum
}
