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
  for (let place = 0; place < effects.length; place++) {
    const strength = Math.abs(effects[place])
    if (strength < smallestEffect) continue
    let at = found.length
    while (at > 0 && strength > Math.abs(effects[found[at - 1]])) at--
    if (at >= most) continue
    found.splice(at, 0, place)
    if (found.length > most) found.pop()
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
