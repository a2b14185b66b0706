import jStat from 'jstat'
import { type CurvePoint, drawCurve } from './budget-curve.ts'
import { GainErrors } from './gain-errors.ts'
import {
  bestOffers,
  type Filled,
  fillBudget,
  moneyTicks,
  type Offers,
  orderByNet,
  orderByRisk,
} from './offers.ts'
import type { Treatments } from './treatments.ts'
import { type Figure, figureOf } from './uncertainty.ts'

/** Whom to treat for a budget and what that brings. Amounts in program currency, or of the outcome that is moved. */
export interface BudgetAnswer {
  readonly offers: Offers
  readonly filled: Filled
  /** Customers who may be offered anything. */
  readonly offered: number
  /** What treating the chosen brings. */
  readonly gain: Figure
  /** The same less what it costs; null where the gain is no money. */
  readonly net: Figure | null
  /** Chance that the net is above 0; where the gain is no money, that the gain is. */
  readonly pPositive: number
  readonly curve: readonly CurvePoint[]
  /** Most customers who can be treated in order of net value before all of it is lost again; null without money. */
  readonly breakEven: { readonly customers: number; readonly spent: number } | null
}

/** Answers whom to treat with a budget in program currency. The seed decides between equals. */
export function answerBudget(
  treatments: Treatments,
  { amount, seed }: { readonly amount: number; readonly seed: number },
): BudgetAnswer {
  const offers = bestOffers(treatments, seed)
  const order = orderByNet(offers)
  const filled = fillBudget(offers, order, Math.floor(amount * moneyTicks + 1e-6))
  const errors = new GainErrors(treatments.treatments)
  for (const row of filled.chosen) errors.add(offers.treatment[row], row)
  const error = errors.standardError()
  const { risks, risk } = treatments
  const value = (offers.isMoney ? filled.net : filled.gain) / offers.gainTicks
  return {
    offers,
    filled,
    offered: order.length,
    gain: figureOf(filled.gain / offers.gainTicks, error ** 2),
    net: offers.isMoney ? figureOf(value, error ** 2) : null,
    pPositive: error === 0 ? Number(value > 0) : jStat.normal.cdf(value / error, 0, 1),
    curve: drawCurve(treatments, offers, {
      byNet: order,
      byRisk: risks && orderByRisk(offers, risks, risk.isDesired),
    }),
    breakEven: offers.isMoney ? breakEvenOf(offers, order) : null,
  }
}

function breakEvenOf({ net, cost }: Offers, order: Int32Array): { customers: number; spent: number } {
  let [total, spent] = [0, 0]
  let found = { customers: 0, spent: 0 }
  for (const [place, row] of order.entries()) {
    total += net[row]
    spent += cost[row]
    if (total >= 0) found = { customers: place + 1, spent: spent / moneyTicks }
  }
  return found
}
