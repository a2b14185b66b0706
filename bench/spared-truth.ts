import { bornCustomer, type Customer, copyOf, type Run } from '../training/synthetic/customer.ts'
import { priceDays, type Sparing } from '../training/synthetic/feelings.ts'
import {
  blankForecast,
  forecastCustomer,
  makeFutures,
  truthHorizons,
} from '../training/synthetic/forecast.ts'
import { liveThrough } from '../training/synthetic/life.ts'
import { makeOutages } from '../training/synthetic/outages.ts'
import type { Recorder } from '../training/synthetic/records.ts'
import { trueOutcomes } from '../training/synthetic/truth.ts'

/** Futures that the chances of each customer are averaged over; the same with and without what is spared. */
const replications = 40

const nothing: Recorder = {
  begin() {},
  event() {},
  response() {},
  attributes() {},
  assignment() {},
  endAt() {},
}

/**
 * By how much outcomes would differ on average over those there at the end, had customers been spared an experience:
 * everybody lives again with all other luck the same. By `<outcome>_<horizon>`, in probability.
 */
export function trueDifferences(
  run: Run,
  { customers, spared }: { customers: number; spared: Sparing },
): Record<string, number> {
  const { seed, days } = run
  const prices = priceDays(days)
  const world = { outages: makeOutages(seed, { firstDay: 0, days }), priceDays: prices }
  const futures = makeFutures(seed, { from: days - 1, replications, priceDays: prices })
  const atTheEnd = (index: number, own: typeof world & { spared?: Sparing }): Customer | null => {
    let found: Customer | null = null
    const watcher = {
      assigned() {},
      evening(customer: Customer, day: number) {
        if (day === days - 1) found = copyOf(customer)
      },
    }
    const life = { days, world: own, answering: 'observed', records: nothing, watcher } as const
    liveThrough(bornCustomer(run, index), life)
    return found
  }
  const sums: Record<string, number> = {}
  const [asItIs, otherwise] = [blankForecast(), blankForecast()]
  let there = 0
  for (let index = 0; index < customers; index++) {
    const customer = atTheEnd(index, world)
    if (customer === null) continue
    there++
    const other = atTheEnd(index, { ...world, spared })
    if (other === null) continue
    forecastCustomer(customer, futures, asItIs)
    forecastCustomer(other, futures, otherwise)
    for (const outcome of trueOutcomes)
      for (const [place, horizon] of truthHorizons.entries()) {
        const task = `${outcome}_${horizon}`
        sums[task] = (sums[task] ?? 0) + otherwise[outcome][place] - asItIs[outcome][place]
      }
  }
  return Object.fromEntries(Object.entries(sums).map(([task, sum]) => [task, sum / there]))
}
