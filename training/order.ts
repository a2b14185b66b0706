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
 * How far each row stands on the right side of its group's rows with the other outcome: their share below it where it
 * happened, above it where it did not, ties half, less a half. The mean over the rows that it happened to is the AUC
 * less a half. NaN where a group has one outcome only.
 *
 * Source: DeLong, DeLong & Clarke-Pearson (1988), placement values. **Shape** [rows]
 */
export function placements({ probability, happened, group }: Ordered): Float64Array {
  const found = new Float64Array(probability.length).fill(Number.NaN)
  const groups = new Map<number, number[]>()
  for (let row = 0; row < group.length; row++) {
    const own = groups.get(group[row]) ?? []
    own.push(row)
    groups.set(group[row], own)
  }
  for (const rows of groups.values()) {
    const sides = [0, 1].map((side) => rows.filter((row) => happened[row] === side))
    if (sides.some((side) => side.length === 0)) continue
    for (const side of [0, 1]) {
      const others = Float64Array.from(sides[1 - side], (row) => probability[row]).sort()
      for (const row of sides[side]) {
        const below = shareBelow(others, probability[row])
        found[row] = (side === 1 ? below : 1 - below) - 0.5
      }
    }
  }
  return found
}

/** Share of ascending values below one, equal ones half. */
function shareBelow(values: Float64Array, value: number): number {
  return (lowerBound(values, value) + upperBound(values, value)) / (2 * values.length)
}
