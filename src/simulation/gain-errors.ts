import { effectAtRow, effectFiguresAt } from '../impact/effect-by-customer.ts'
import type { Matrix } from '../model/matrix.ts'
import type { TreatmentGain } from './treatment-gain.ts'

/** An arm's gains with the features that its effects read. */
export interface ErringGain {
  readonly initiative: string
  readonly gain: TreatmentGain
  /** [customers × columns] */
  readonly features: Matrix
}

/**
 * Adds customers up, each treated in one arm, and tells the error of what they bring together.
 *
 * Errors of customers hang together: all of them rest on the same measured effect, so that its error does not average
 * out. The effects of one initiative were measured on the same people, so that their errors add up; initiatives were
 * measured apart, so that the squares of theirs do.
 */
export class GainErrors {
  readonly #arms: readonly ErringGain[]
  /** By arm and part: units of the effect's worth, and features weighed by them. */
  readonly #sums: readonly (readonly { units: number; features: Float64Array }[])[]

  constructor(arms: readonly ErringGain[]) {
    this.#arms = arms
    this.#sums = arms.map(({ gain, features }) =>
      gain.parts.map(() => ({ units: 0, features: new Float64Array(features.columns) })),
    )
  }

  add(arm: number, row: number): void {
    const { gain, features } = this.#arms[arm]
    const { columns, values } = features
    for (const [place, { perUnit }] of gain.parts.entries()) {
      const sum = this.#sums[arm][place]
      // Gains of one part all point the same way.
      const units = Math.abs(perUnit[row])
      if (units === 0) continue
      sum.units += units
      for (let c = 0, at = row * columns; c < columns; c++) sum.features[c] += units * values[at + c]
    }
  }

  /** Of the sum of all added so far, in the unit of the gains. */
  standardError(): number {
    const byInitiative = new Map<string, number>()
    for (const [arm, { initiative, gain }] of this.#arms.entries()) {
      const error = gain.parts.reduce((sum, { effect }, place) => {
        const { units, features } = this.#sums[arm][place]
        if (units === 0) return sum
        const middle = features.map((value) => value / units)
        return sum + units * effectAtRow(effect.learned, middle).standardError
      }, 0)
      byInitiative.set(initiative, (byInitiative.get(initiative) ?? 0) + error)
    }
    return Math.sqrt([...byInitiative.values()].reduce((sum, error) => sum + error ** 2, 0))
  }
}

/** Standard error of what treating each customer alone brings. [customers] */
export function errorsByCustomer({ gain, features }: ErringGain): Float64Array {
  const errors = new Float64Array(features.rows)
  for (const { effect, perUnit } of gain.parts) {
    const { standardError } = effectFiguresAt(effect.learned, features)
    for (let row = 0; row < errors.length; row++) errors[row] += Math.abs(perUnit[row]) * standardError[row]
  }
  return errors
}
