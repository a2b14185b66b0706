import { GainErrors } from './gain-errors.ts'
import { moneyTicks, type Offers } from './offers.ts'
import type { Treatments } from './treatments.ts'
import { type Figure, figureOf } from './uncertainty.ts'

/** What an order brings at a depth: gain less cost in program currency, or the outcome's gain alone. */
export interface OrderFigure extends Figure {
  /** In program currency. */
  readonly spent: number
}

/** So many customers treated, by three orders of the same customers, each of whom gets the same treatment in all. */
export interface CurvePoint {
  readonly customers: number
  readonly byNet: OrderFigure
  /** Null where no risk is foretold. */
  readonly byRisk: OrderFigure | null
  /** Mean over all orders. */
  readonly atRandom: OrderFigure
}

/** Steps from nobody to everybody. */
const steps = 20

/** What orders bring from nobody to everybody, in twenty steps. Both orders hold the same customers. */
export function drawCurve(
  treatments: Treatments,
  offers: Offers,
  { byNet, byRisk }: { readonly byNet: Int32Array; readonly byRisk: Int32Array | null },
): CurvePoint[] {
  const depths = [
    ...new Set(Array.from({ length: steps + 1 }, (_, step) => Math.round((step * byNet.length) / steps))),
  ]
  const along = (order: Int32Array) => walk(order, depths, { treatments, offers })
  const best = along(byNet)
  const risky = byRisk && along(byRisk)
  const all = best[best.length - 1]
  return depths.map((customers, place) => {
    const share = byNet.length === 0 ? 0 : customers / byNet.length
    return {
      customers,
      byNet: figure(best[place], 1),
      byRisk: risky && figure(risky[place], 1),
      atRandom: figure(all, share),
    }
  })
}

/** Sums over the first customers of an order, in units. */
interface Depth {
  readonly value: number
  readonly spent: number
  readonly error: number
}

function walk(
  order: Int32Array,
  depths: readonly number[],
  { treatments, offers }: { treatments: Treatments; offers: Offers },
): Depth[] {
  const errors = new GainErrors(treatments.treatments)
  let [value, spent, done] = [0, 0, 0]
  return depths.map((depth) => {
    for (; done < depth; done++) {
      const row = order[done]
      value += offers.net[row]
      spent += offers.cost[row]
      errors.add(offers.treatment[row], row)
    }
    const error = errors.standardError()
    return { value: value / offers.gainTicks, spent: spent / moneyTicks, error }
  })
}

function figure({ value, spent, error }: Depth, share: number): OrderFigure {
  return { spent: share * spent, ...figureOf(share * value, (share * error) ** 2) }
}
