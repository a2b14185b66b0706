import { densePositions } from '../model/folds.ts'

/** Rows that met something and rows that might have. **Shape** all [rows]. */
export interface ExposedRows {
  readonly isExposed: Uint8Array
  readonly outcome: ArrayLike<number>
  /** Chance of being exposed, by what was known before; below 1. */
  readonly chance: ArrayLike<number>
  /** Outcome foretold without exposure, by fits that did not see the customer. */
  readonly ifSpared: ArrayLike<number>
  /** Rows of one customer share a number. */
  readonly customer: ArrayLike<number>
  /** How much each row counts, such as how often its outcome was looked at. */
  readonly weight: ArrayLike<number>
}

/** What exposure did to those who met it, in the unit of the outcome. */
export interface EffectOnExposed {
  readonly effect: number
  readonly standardError: number
  readonly exposed: number
  /** How many equally heavy rows those not exposed are worth, once they stand for those who were. */
  readonly effectiveSpared: number
}

/**
 * Mean effect of an exposure on those who met it: their outcomes against those of others who were as likely to.
 *
 * Doubly robust: right where either the chances of exposure or the outcomes foretold without it are. Only the odds
 * of exposure matter, so that those spared may be a sample of any size. Intervals are over customers.
 * Source: Mercatanti & Li (2014); Moodie, Saarela & Stephens (2018), effect on the treated.
 */
export function effectOnExposed(rows: ExposedRows): EffectOnExposed {
  const { isExposed, outcome, chance, ifSpared, customer } = rows
  const count = isExposed.length
  const weight = Float64Array.from(
    isExposed,
    (own, i) => rows.weight[i] * (own ? 1 : chance[i] / (1 - chance[i])),
  )
  const sums = [0, 0]
  const totals = [0, 0]
  let squares = 0
  for (let i = 0; i < count; i++) {
    sums[isExposed[i]] += weight[i]
    totals[isExposed[i]] += weight[i] * (outcome[i] - ifSpared[i])
    if (!isExposed[i]) squares += weight[i] ** 2
  }
  const means = totals.map((total, arm) => total / sums[arm])
  const { position, count: customers } = densePositions(customer)
  const influence = new Float64Array(customers)
  for (let i = 0; i < count; i++) {
    const arm = isExposed[i]
    const own = (weight[i] * (outcome[i] - ifSpared[i] - means[arm])) / sums[arm]
    influence[position[i]] += arm ? own : -own
  }
  const variance = influence.reduce((sum, own) => sum + own * own, 0)
  return {
    effect: means[1] - means[0],
    standardError: Math.sqrt((variance * customers) / Math.max(1, customers - 2)),
    exposed: isExposed.reduce((sum, own) => sum + own, 0),
    effectiveSpared: squares > 0 ? sums[0] ** 2 / squares : 0,
  }
}
