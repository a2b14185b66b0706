/** Days over which money is discounted and carried on. */
export const yearDays = 365

/** How long a customer stays: chance of having left by each horizon, and the risk carried on behind the last. */
export interface Stay {
  /** Ascending. */
  readonly horizonsDays: readonly number[]
  /** Chance of having left by the end of each horizon. [horizons] */
  readonly left: ArrayLike<number>
  /** Risk of leaving a day behind the last horizon; null: that of the last interval goes on. */
  readonly laterRisk: number | null
}

/** Risk of leaving a day within an interval that begins and ends with these chances of still being there. */
function riskOf(before: number, after: number, days: number): number {
  return Math.log(Math.max(before, 1e-12) / Math.max(after, 1e-12)) / days
}

/** Risk a day in the last interval: what is carried on behind the last horizon. */
export function lastRisk({ horizonsDays, left }: Pick<Stay, 'horizonsDays' | 'left'>): number {
  const last = horizonsDays.length - 1
  const before = last === 0 ? 1 : 1 - left[last - 1]
  const days = horizonsDays[last] - (last === 0 ? 0 : horizonsDays[last - 1])
  return riskOf(before, 1 - left[last], days)
}

/**
 * What a customer is expected to bring within `untilDays`, discounted to today, for each unit of yearly value.
 *
 * Within an interval the risk of leaving is even; behind the last horizon it goes on as told. **Unit** years of value:
 * 1 for a year of somebody who surely stays, without discount.
 *
 * @param discountRate yearly rate, 0.08 for 8%.
 */
export function expectedYears(stay: Stay, untilDays: number, discountRate: number): number {
  const { horizonsDays, left, laterRisk } = stay
  const discount = Math.log1p(discountRate) / yearDays
  let total = 0
  let there = 1
  let from = 0
  for (const [index, horizon] of horizonsDays.entries()) {
    if (from >= untilDays) break
    const risk = riskOf(index === 0 ? 1 : 1 - left[index - 1], 1 - left[index], horizon - from)
    const to = Math.min(horizon, untilDays)
    total += there * piece(from, to, { risk, discount })
    there = 1 - left[index]
    from = horizon
  }
  if (from < untilDays)
    total += there * piece(from, untilDays, { risk: laterRisk ?? lastRisk(stay), discount })
  return total / yearDays
}

/** What is forecast of a customer's leaving, and how it goes on. */
export interface ChurnForecast extends Stay {
  /** Whether leaving means that nothing happened within a horizon: no leaving for good, so that its chance falls. */
  readonly isAbsence: boolean
}

/**
 * What a customer is expected to bring within `untilDays`, discounted to today, for each unit of yearly value: one
 * definition for predictions and scenarios. Where churn is an absence, the year is at stake as a whole, by the chance of
 * the longest horizon. **Unit** years of value.
 */
export function keptYears(churn: ChurnForecast, untilDays: number, discountRate: number): number {
  if (!churn.isAbsence) return expectedYears(churn, untilDays, discountRate)
  const discount = Math.log1p(discountRate) / yearDays
  const staying = 1 - churn.left[churn.horizonsDays.length - 1]
  return (staying * piece(0, Math.min(untilDays, yearDays), { risk: 0, discount })) / yearDays
}

/** Days between two days, each weighed by the chance of still being there since the first and by the discount. */
function piece(from: number, to: number, { risk, discount }: { risk: number; discount: number }): number {
  const rate = risk + discount
  const start = Math.exp(-discount * from)
  return rate < 1e-12 ? start * (to - from) : (start * -Math.expm1(-rate * (to - from))) / rate
}
