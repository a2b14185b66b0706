import { bornCustomer } from '../training/synthetic/customer.ts'
import { priceDays } from '../training/synthetic/feelings.ts'
import { makeFutures, type TrueForecast } from '../training/synthetic/forecast.ts'
import { liveThrough } from '../training/synthetic/life.ts'
import { Observer } from '../training/synthetic/observer.ts'
import { makeOutages } from '../training/synthetic/outages.ts'

/** Enough for means over a thousand customers; twice as many change AUCs in the third decimal. */
const particles = 300
const replications = 100

/** What the best informed observer would forecast of a simulated company at the end of day `until`, by customer_id. */
export function observeCompany(company: {
  readonly seed: number
  readonly customers: number
  readonly days: number
  readonly until: number
}): ReadonlyMap<string, TrueForecast> {
  const { seed, customers, days, until } = company
  const run = { seed, days }
  const risen = priceDays(days)
  const futures = makeFutures(seed, { from: until, replications, priceDays: risen })
  const observer = new Observer(run, { until, futures, particles })
  const world = { outages: makeOutages(seed, { firstDay: 0, days }), priceDays: risen }
  for (let index = 0; index < customers; index++) {
    const options = {
      days: until + 1,
      world,
      answering: 'observed',
      records: observer,
      watcher: observer,
    } as const
    liveThrough(bornCustomer(run, index), options)
  }
  return new Map(
    [...observer.forecasts].map(([index, forecast]) => [`C${String(index + 1).padStart(7, '0')}`, forecast]),
  )
}
