import { detractorChance, expectedScore, promoterChance } from './answers.ts'
import { type Customer, copyOf, feeling, restoreState } from './customer.ts'
import { blankChances, decide, decision, weighDecisions } from './decisions.ts'
import { blankToday, feelDay } from './feelings.ts'
import { type Outages, possibleOutages } from './outages.ts'
import { luckOfWorld } from './randomness.ts'

/** Days ahead that truths are given for. */
export const truthHorizons = [30, 60, 90] as const
const longest = 90

/** What is true of one customer's future, an entry for each of {@link truthHorizons}. */
export interface TrueForecast {
  readonly churn: Float64Array
  readonly upsell: Float64Array
  readonly advocacy: Float64Array
  /** Chance of still being a customer. */
  readonly stays: Float64Array
  /** Expected answer and its classes then, if still a customer. */
  readonly score: Float64Array
  readonly detractor: Float64Array
  readonly promoter: Float64Array
}

/** A blank to be filled customer by customer. */
export function blankForecast(): TrueForecast {
  const blank = () => new Float64Array(truthHorizons.length)
  return {
    ...{ churn: blank(), upsell: blank(), advocacy: blank(), stays: blank() },
    ...{ score: blank(), detractor: blank(), promoter: blank() },
  }
}

/** Possible futures of the company from the day after `from` on. */
export interface Futures {
  readonly from: number
  readonly outages: readonly Outages[]
  readonly priceDays: readonly number[]
}

/** So many futures, fresh outages in each; all customers share them. */
export function makeFutures(
  seed: number,
  { from, replications, priceDays }: { from: number; replications: number; priceDays: readonly number[] },
): Futures {
  const outages = possibleOutages(seed, { firstDay: from + 1, days: longest, worlds: replications })
  return { from, outages, priceDays }
}

const { upgrade, referral, review, churn } = decision
const { satisfaction } = feeling
const today = blankToday()
const chances = blankChances()

/**
 * True chances of a customer given everything hidden at the end of day `from`, by Monte Carlo over the futures.
 *
 * In each future the customer lives on as if staying, and every day adds its chance of the outcome weighed by that of
 * still being there, instead of a draw of yes or no: the same expectation with far less noise.
 */
export function forecastCustomer(customer: Customer, futures: Futures, into: TrueForecast): void {
  const double = copyOf(customer)
  forecastStates(
    () => {
      restoreState(double, customer)
      return double
    },
    futures,
    into,
  )
}

/** The same where what is hidden is not known for sure: each future starts from a state of its own. */
export function forecastStates(
  stateOf: (world: number) => Customer,
  { from, outages, priceDays }: Futures,
  into: TrueForecast,
): void {
  for (const values of Object.values(into) as Float64Array[]) values.fill(0)
  for (let world = 0; world < outages.length; world++) {
    const customer = stateOf(world)
    const { luck } = customer
    customer.luck = luckOfWorld(luck, world)
    liveOn(customer, { from, world: { outages: outages[world], priceDays }, into })
    customer.luck = luck
  }
  for (let horizon = 0; horizon < truthHorizons.length; horizon++) {
    for (const values of [into.score, into.detractor, into.promoter]) values[horizon] /= into.stays[horizon]
    for (const values of [into.churn, into.upsell, into.advocacy, into.stays])
      values[horizon] /= outages.length
  }
}

/** One future; adds its sums to the forecast. */
function liveOn(
  customer: Customer,
  { from, world, into }: { from: number; world: Parameters<typeof feelDay>[2]; into: TrueForecast },
): void {
  let stays = 1
  let noAdvocacy = 1
  let isUpgraded = false
  let upsell = 0
  let advocacy = 0
  let horizon = 0
  for (let ahead = 1; ahead <= longest; ahead++) {
    const day = from + ahead
    feelDay(customer, day, world, today)
    weighDecisions(customer, day, chances)
    const advocates = chances[referral] + chances[review]
    if (!isUpgraded) upsell += stays * chances[upgrade]
    advocacy += stays * noAdvocacy * advocates
    noAdvocacy *= 1 - advocates
    if (decide(customer, day, chances) === 'upgrade') isUpgraded = true
    stays *= 1 - chances[churn]
    if (ahead !== truthHorizons[horizon]) continue
    into.churn[horizon] += 1 - stays
    into.upsell[horizon] += upsell
    into.advocacy[horizon] += advocacy
    into.stays[horizon] += stays
    into.score[horizon] += stays * expectedScore(customer.mood[satisfaction])
    into.detractor[horizon] += stays * detractorChance(customer.mood[satisfaction])
    into.promoter[horizon] += stays * promoterChance(customer.mood[satisfaction])
    horizon++
  }
}
