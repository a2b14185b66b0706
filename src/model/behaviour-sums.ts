import type { EncodedRows } from '../features/encoder.ts'

/** Effects below this move nothing that could be seen. */
const smallestEffect = 1e-6

/** First column of each encoding, and behind the last one. **Shape** `origins` [columns], result [encodings + 1] */
export function startsOf(origins: Int32Array, encodings: number): Int32Array {
  const starts = new Int32Array(encodings + 1)
  for (const origin of origins) starts[origin + 1]++
  for (let encoding = 0; encoding < encodings; encoding++) starts[encoding + 1] += starts[encoding]
  return starts
}

/** Places of the effects that can be seen, the strongest first; of equal ones the first. */
export function byStrength(effects: Float64Array): number[] {
  return Array.from(effects.keys())
    .filter((place) => Math.abs(effects[place]) >= smallestEffect)
    .sort((a, b) => Math.abs(effects[b]) - Math.abs(effects[a]))
}

/** The first few of them, without putting all in order. */
export function largest(effects: Float64Array, most: number): number[] {
  const found: number[] = []
  let least = 0
  for (let place = 0; place < effects.length; place++) {
    const strength = Math.abs(effects[place])
    if (strength < smallestEffect || strength <= least) continue
    let at = found.length
    while (at > 0 && strength > Math.abs(effects[found[at - 1]])) at--
    if (found.length === most) found.pop()
    found.splice(at, 0, place)
    if (found.length === most) least = Math.abs(effects[found[most - 1]])
  }
  return found
}

/** An additive stand-in, and what each encoding adds to a row whose columns are all 0. **Shape** `base` [encodings] */
export interface Slopes {
  readonly weights: Float64Array
  readonly base: Float64Array
}

const rowsOfBlock = 32

/** What the columns of an encoded row belong to. */
export interface ColumnPlan {
  /** First column of each encoding, and behind the last one. **Shape** [encodings + 1] */
  readonly starts: Int32Array
  /** The encodings of each behaviour. */
  readonly members: readonly Int32Array[]
}

/**
 * What each encoding and each behaviour adds to rows, worked out for some that follow each other at once. **Unit** the
 * surrogate's scale.
 */
export class BehaviourSums {
  /** By behaviour. **Shape** [32 × behaviours] */
  readonly values: Float64Array
  /** By encoding. **Shape** [32 × encodings] */
  readonly parts: Float64Array
  readonly #encoded: EncodedRows
  readonly #plan: ColumnPlan
  readonly #slopes: Slopes
  #first = -1

  constructor(encoded: EncodedRows, plan: ColumnPlan, slopes: Slopes) {
    this.values = new Float64Array(rowsOfBlock * plan.members.length)
    this.parts = new Float64Array(rowsOfBlock * slopes.base.length)
    this.#encoded = encoded
    this.#plan = plan
    this.#slopes = slopes
  }

  /** The place of a row in `values` and `parts`, until another row is asked for. */
  placeOf(row: number): number {
    const first = row - (row % rowsOfBlock)
    if (first !== this.#first) {
      const rows = Math.min(rowsOfBlock, this.#encoded.rows - first)
      for (let own = 0; own < rows; own += 4) {
        this.#addFour(first, own)
        this.#addUpFour(own)
      }
      this.#first = first
    }
    return row - first
  }

  /** Four rows side by side: one alone would wait for each addition. Behind the last row it is repeated. */
  #addFour(first: number, own: number): void {
    const { parts } = this
    const { rows, columns, values } = this.#encoded
    const { starts } = this.#plan
    const { weights, base } = this.#slopes
    const rowAt = (next: number) => Math.min(rows - 1, first + own + next) * columns
    const k = rowAt(0)
    const l = rowAt(1)
    const m = rowAt(2)
    const n = rowAt(3)
    const width = base.length
    let to = own * width
    let column = 0
    for (let encoding = 0; encoding < width; encoding++, to++) {
      let a = base[encoding]
      let b = a
      let c = a
      let d = a
      for (const end = starts[encoding + 1]; column < end; column++) {
        const weight = weights[column]
        a += weight * values[k + column]
        b += weight * values[l + column]
        c += weight * values[m + column]
        d += weight * values[n + column]
      }
      parts[to] = a
      parts[to + width] = b
      parts[to + 2 * width] = c
      parts[to + 3 * width] = d
    }
  }

  #addUpFour(own: number): void {
    const { values, parts } = this
    const { members } = this.#plan
    const behaviours = members.length
    const width = this.#slopes.base.length
    const from = own * width
    let to = own * behaviours
    for (let place = 0; place < behaviours; place++, to++) {
      const encodings = members[place]
      let a = 0
      let b = 0
      let c = 0
      let d = 0
      for (let at = 0; at < encodings.length; at++) {
        const part = from + encodings[at]
        a += parts[part]
        b += parts[part + width]
        c += parts[part + 2 * width]
        d += parts[part + 3 * width]
      }
      values[to] = a
      values[to + behaviours] = b
      values[to + 2 * behaviours] = c
      values[to + 3 * behaviours] = d
    }
  }
}
