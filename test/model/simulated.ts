import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { Matrix } from '../../src/model/matrix.ts'
import type { AnswerLabels, HazardLabels } from '../../src/model/member.ts'

/** Uniform numbers in [0, 1) and, from twelve of them, roughly normal ones. */
export interface Chance {
  readonly uniform: () => number
  readonly normal: () => number
}

export function chanceOf(seed: number): Chance {
  const random = xoroshiro128plus(seed)
  const uniform = () => uniformFloat64(random)
  const normal = () => {
    let sum = -6
    for (let i = 0; i < 12; i++) sum += uniform()
    return sum
  }
  return { uniform, normal }
}

export const logistic = (x: number) => 1 / (1 + Math.exp(-x))

export function normalMatrix(rows: number, columns: number, chance: Chance): Matrix {
  return { rows, columns, values: Float32Array.from({ length: rows * columns }, chance.normal) }
}

/** Draws events from true hazards; where `censoredShare` says so, only the first interval is known. */
export function drawEvents(
  hazards: ArrayLike<number>,
  { intervals, chance, censoredShare = 0 }: { intervals: number; chance: Chance; censoredShare?: number },
): HazardLabels {
  const rows = hazards.length / intervals
  const happened = new Uint8Array(hazards.length)
  const known = new Uint8Array(hazards.length)
  for (let row = 0; row < rows; row++) {
    const last = chance.uniform() < censoredShare ? 1 : intervals
    for (let j = 0; j < last; j++) {
      known[row * intervals + j] = 1
      if (chance.uniform() >= hazards[row * intervals + j]) continue
      happened[row * intervals + j] = 1
      break
    }
  }
  return { name: 'churn', intervals, happened, known, weight: new Float32Array(rows).fill(1) }
}

/** Draws one answer from each distribution. */
export function drawScores(distributions: ArrayLike<number>, chance: Chance): Uint8Array {
  return Uint8Array.from({ length: distributions.length / 11 }, (_, row) => {
    let left = chance.uniform()
    for (let answer = 0; answer < 10; answer++) {
      left -= distributions[row * 11 + answer]
      if (left < 0) return answer
    }
    return 10
  })
}

/** One answer for each row, at the given leads. */
export function answersOf(score: Uint8Array, leadDays: Float32Array): AnswerLabels {
  return {
    row: Int32Array.from(score, (_, row) => row),
    leadDays,
    score,
    weight: new Float32Array(score.length).fill(1),
  }
}

/** Distributions of cumulative-logit answers with thresholds −3, −2.5, … 1.5 at the given locations. */
export function ordinalTruth(locations: readonly number[]): Float64Array {
  return Float64Array.from({ length: locations.length * 11 }, (_, i) => {
    const location = locations[Math.floor(i / 11)]
    const upTo = (j: number) => (j < 0 ? 0 : j > 9 ? 1 : logistic(-3 + j / 2 - location))
    return upTo(i % 11) - upTo((i % 11) - 1)
  })
}
