import { shuffledIndices } from '../model/folds.ts'
import type { Treatments } from './treatments.ts'

/** Parts of a unit that amounts are whole numbers of, so that sums agree to the last digit. */
export const moneyTicks = 10_000
/** The same of chances. */
export const chanceTicks = 1_000_000

/**
 * The best treatment of each customer. **Shape** arrays are [customers]; amounts are whole ticks, of which a unit has
 * {@link moneyTicks}, or {@link chanceTicks} where an outcome is moved.
 */
export interface Offers {
  /** Place of the treatment; -1: none may be offered. */
  readonly treatment: Int16Array
  readonly gain: Float64Array
  readonly cost: Float64Array
  /** What counts: gain less cost, or the gain alone where it is no money. */
  readonly net: Float64Array
  /** Place in a seeded random order, which decides between equals. */
  readonly lot: Int32Array
  /** Ticks of a unit of gain and net. */
  readonly gainTicks: number
  readonly isMoney: boolean
}

/** Picks for each customer the treatment with the highest expected net value, the first of equal ones. */
export function bestOffers({ scope, treatments, kind }: Treatments, seed: number): Offers {
  const customers = scope.sampled
  const isMoney = kind.kind !== 'outcome'
  const gainTicks = isMoney ? moneyTicks : chanceTicks
  const offers = {
    treatment: new Int16Array(customers).fill(-1),
    gain: new Float64Array(customers),
    cost: new Float64Array(customers),
    net: new Float64Array(customers),
  }
  for (const [place, { gain, costPerCustomer, isOffered }] of treatments.entries()) {
    const cost = Math.round(costPerCustomer * moneyTicks)
    for (let row = 0; row < customers; row++) {
      if (!isOffered[row]) continue
      const own = Math.round(gain.byCustomer[row] * gainTicks)
      const net = isMoney ? own - cost : own
      if (offers.treatment[row] >= 0 && net <= offers.net[row]) continue
      offers.treatment[row] = place
      offers.gain[row] = own
      offers.cost[row] = cost
      offers.net[row] = net
    }
  }
  return { ...offers, lot: shuffledIndices(customers, seed), gainTicks, isMoney }
}

/** Customers who may be offered anything, the highest net value per cost first; lots decide between equals. */
export function orderByNet({ treatment, net, cost, lot }: Offers): Int32Array {
  const perCost = net.map((own, row) => (cost[row] > 0 ? own / cost[row] : own * Number.MAX_SAFE_INTEGER))
  return offeredRows(treatment).sort((a, b) => perCost[b] - perCost[a] || net[b] - net[a] || lot[a] - lot[b])
}

/** The same customers, those at most risk first. */
export function orderByRisk({ treatment, lot }: Offers, risks: Float64Array, isDesired: boolean): Int32Array {
  const direction = isDesired ? 1 : -1
  return offeredRows(treatment).sort((a, b) => direction * (risks[a] - risks[b]) || lot[a] - lot[b])
}

function offeredRows(treatment: Int16Array): Int32Array {
  return Int32Array.from(treatment.keys()).filter((row) => treatment[row] >= 0)
}

/** Who is treated for a budget. */
export interface Filled {
  /** Rows in the order in which they are chosen. */
  readonly chosen: Int32Array
  /** Of the customers in the order, how many are worth more than they cost. */
  readonly worthTreating: number
  /** Sums over the chosen, in ticks. */
  readonly spent: number
  readonly gain: number
  readonly net: number
  /** No other choice among these offers brings more than this beyond it, in ticks of the gain. */
  readonly mostMissed: number
}

/**
 * Fills a budget in an order of net value per cost with those worth more than they cost; who no longer fits is passed
 * over for cheaper ones. What it misses of the best is less than what the first one passed over brings.
 *
 * @param order of {@link orderByNet}. @param budget in ticks of money.
 */
export function fillBudget({ gain, cost, net }: Offers, order: Int32Array, budget: number): Filled {
  const worthy = order.filter((row) => net[row] > 0)
  const chosen: number[] = []
  const sums = { spent: 0, gain: 0, net: 0 }
  /** What could be brought were customers divisible: more than any choice brings. */
  let divisible: number | null = null
  for (const row of worthy) {
    if (sums.spent + cost[row] > budget) {
      divisible ??= sums.net + (net[row] * (budget - sums.spent)) / cost[row]
      continue
    }
    chosen.push(row)
    sums.spent += cost[row]
    sums.gain += gain[row]
    sums.net += net[row]
  }
  const mostMissed = divisible === null ? 0 : Math.max(0, divisible - sums.net)
  return { chosen: Int32Array.from(chosen), worthTreating: worthy.length, ...sums, mostMissed }
}
