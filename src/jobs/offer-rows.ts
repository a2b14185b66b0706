import { moneyTicks, type Offers } from '../simulation/offers.ts'
import type { Treatments } from '../simulation/treatments.ts'

/** A customer who is to be treated. Money in program currency; an outcome's gain as a chance. */
export interface ChosenCustomer {
  readonly customer_id: string
  readonly initiative: string
  readonly arm: string
  readonly expected_gain: number
  readonly cost: number
  /** Null where the gain is no money. */
  readonly net: number | null
  /** Chance of the outcome by which customers count as at risk; null where it is not foretold. */
  readonly risk: number | null
}

/** The offers of some rows, in their order. Amounts are rounded so that they add up to the totals. */
export function listOffers(
  { scope, treatments, risks }: Treatments,
  offers: Offers,
  rows: Int32Array,
): ChosenCustomer[] {
  return Array.from(rows, (row) => {
    const { initiative, arm } = treatments[offers.treatment[row]]
    return {
      customer_id: scope.customerId[row],
      initiative,
      arm,
      expected_gain: offers.gain[row] / offers.gainTicks,
      cost: offers.cost[row] / moneyTicks,
      net: offers.isMoney ? offers.net[row] / offers.gainTicks : null,
      risk: risks && Math.round(risks[row] * 1e6) / 1e6,
    }
  })
}
