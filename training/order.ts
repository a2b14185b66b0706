import { lowerBound, upperBound } from '../src/features/piecewise.ts'

/** Probabilities beside what happened. **Shape** all [rows] */
export interface Ordered {
  readonly probability: ArrayLike<number>
  /** 0 or 1. */
  readonly happened: ArrayLike<number>
  /** Only rows of the same group are compared. */
  readonly group: ArrayLike<number>
}

/**
 * Concordance (AUC) less a half, and what each row adds to it: of all pairs of a group of which one happened and the
 * other did not, the share in which the one that happened was said to be likelier, ties half. The mean over rows is
 * the concordance, and varies as it does: what moves it most is how the rarer kind was placed. NaN where a row is in
 * no pair.
 *
 * Source: DeLong, DeLong & Clarke-Pearson (1988). **Shape** [rows]
 */
export function concordances({ probability, happened, group }: Ordered): Float64Array {
  const { won, pairs } = comparePairs({ probability, happened, group })
  const places = Array.from(pairs.keys()).filter((row) => pairs[row] > 0)
  const sum = (values: Float64Array) => places.reduce((total, row) => total + values[row], 0)
  // Each pair stands in two rows.
  const mean = sum(won) / sum(pairs) - 0.5
  const scale = (2 * places.length) / sum(pairs)
  const found = new Float64Array(pairs.length).fill(Number.NaN)
  for (const row of places) found[row] = mean + scale * (won[row] - (mean + 0.5) * pairs[row])
  return found
}

/** Of each row the pairs in which it stands, and in how many of them it stands on the right side. */
function comparePairs({ probability, happened, group }: Ordered) {
  const won = new Float64Array(probability.length)
  const pairs = new Float64Array(probability.length)
  const groups = new Map<number, number[]>()
  for (let row = 0; row < group.length; row++) {
    const own = groups.get(group[row]) ?? []
    own.push(row)
    groups.set(group[row], own)
  }
  for (const rows of groups.values()) {
    const sides = [0, 1].map((side) => rows.filter((row) => happened[row] === side))
    for (const side of [0, 1]) {
      const others = Float64Array.from(sides[1 - side], (row) => probability[row]).sort()
      for (const row of sides[side]) {
        const below = countBelow(others, probability[row])
        pairs[row] = others.length
        won[row] = side === 1 ? below : others.length - below
      }
    }
  }
  return { won, pairs }
}

/** Ascending values below one, equal ones half. */
function countBelow(values: Float64Array, value: number): number {
  return (lowerBound(values, value) + upperBound(values, value)) / 2
}
