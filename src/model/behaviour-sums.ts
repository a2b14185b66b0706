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

/** An additive stand-in, and what each behaviour adds to a row whose columns are all 0. **Shape** [behaviours] */
export interface Slopes {
  readonly weights: Float64Array
  readonly means: readonly number[]
  readonly base: Float64Array
}

/** Columns next to each other that belong to one behaviour. **Shape** all [runs] */
export interface Runs {
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** Place of the behaviour. */
  readonly places: Int32Array
}

/** @param places of each column's behaviour */
export function runsOf(places: Int32Array): Runs {
  const starts = Int32Array.from(places.keys()).filter((column) => places[column] !== places[column - 1])
  return {
    starts,
    ends: starts.map((_, run) => starts[run + 1] ?? places.length),
    places: starts.map((start) => places[start]),
  }
}

const rowsOfBlock = 64

/** What each behaviour adds to rows, worked out for some that follow each other at once. **Unit** the surrogate's scale. */
export class BehaviourSums {
  /** **Shape** [64 × behaviours] */
  readonly values: Float64Array
  readonly #encoded: EncodedRows
  readonly #runs: Runs
  readonly #slopes: Slopes
  #first = -1

  constructor(encoded: EncodedRows, runs: Runs, slopes: Slopes) {
    this.values = new Float64Array(rowsOfBlock * slopes.base.length)
    this.#encoded = encoded
    this.#runs = runs
    this.#slopes = slopes
  }

  /** Where a row's sums begin in `values`, until another row is asked for. */
  offsetOf(row: number): number {
    const first = row - (row % rowsOfBlock)
    if (first !== this.#first) {
      const rows = Math.min(rowsOfBlock, this.#encoded.rows - first)
      for (let own = 0; own < rows; own += 4) this.#addFour(first, own)
      this.#first = first
    }
    return (row - first) * this.#slopes.base.length
  }

  /** Four rows side by side: one alone would wait for each addition. Behind the last row it is repeated. */
  #addFour(first: number, own: number): void {
    const { values: sums } = this
    const { rows, columns, values } = this.#encoded
    const { starts, ends, places } = this.#runs
    const { weights, base } = this.#slopes
    const width = base.length
    const [p, q, r, s] = [0, 1, 2, 3].map((next) => (own + next) * width)
    const [k, l, m, n] = [0, 1, 2, 3].map((next) => Math.min(rows - 1, first + own + next) * columns)
    for (const to of [p, q, r, s]) sums.set(base, to)
    for (let run = 0; run < starts.length; run++) {
      const end = ends[run]
      let [a, b, c, d] = [0, 0, 0, 0]
      for (let column = starts[run]; column < end; column++) {
        const weight = weights[column]
        a += weight * values[k + column]
        b += weight * values[l + column]
        c += weight * values[m + column]
        d += weight * values[n + column]
      }
      const place = places[run]
      sums[p + place] += a
      sums[q + place] += b
      sums[r + place] += c
      sums[s + place] += d
    }
  }
}
