import { type Customer, feeling } from './customer.ts'
import { stepOf, tableOf } from './feelings.ts'
import { decisionLaw, plans, shocks } from './laws.ts'
import { purpose, uniform } from './randomness.ts'

/** Chances of a day by {@link decision}. All but leaving exclude each other; leaving comes after them. */
export type Chances = Float64Array

export const decision = { upgrade: 0, downgrade: 1, referral: 2, review: 3, churn: 4 } as const

/** A blank to be filled day by day. */
export function blankChances(): Chances {
  return new Float64Array(5)
}

// Taken out of their maps once: engines fold them into the code that runs every day.
const { upgrade, downgrade, referral, review, churn } = decision
const { satisfaction, experience } = feeling
const { decide: deciding, cancel } = purpose

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))
const rising = ({ perDay, above, steepness }: { perDay: number; above: number; steepness: number }) =>
  tableOf((s) => perDay * sigmoid(steepness * (s - above)))

const churnChance = tableOf((s) => decisionLaw.churn.perDay * Math.exp(decisionLaw.churn.bySatisfaction * s))
const upgradeChance = rising(decisionLaw.upgrade)
const downgradeChance = tableOf(
  (s) =>
    decisionLaw.downgrade.perDay *
    sigmoid(-decisionLaw.downgrade.steepness * (s - decisionLaw.downgrade.below)),
)
const referralChance = rising(decisionLaw.referral)
const reviewChance = rising(decisionLaw.review)

const topPlan = plans.length - 1
const upgradeRest = decisionLaw.upgrade.restDays
const downgradeRest = decisionLaw.downgrade.restDays
const mostHazard = decisionLaw.churn.mostPerDay

const tenures = 720
const tenureFactor = Float64Array.from({ length: tenures + 1 }, (_, days) => {
  const { newcomers, newcomerDays } = decisionLaw.churn
  return 1 + (newcomers - 1) * Math.exp(-days / newcomerDays) - 0.3 * (days / tenures)
})

/** Fills in the chances of a customer on a day, given the satisfaction of its evening. */
export function weighDecisions(customer: Customer, day: number, chances: Chances): void {
  const step = stepOf(customer.mood[satisfaction])
  const tenure = day - customer.joinDay
  const rested = day - customer.planSince
  chances[upgrade] =
    customer.plan < topPlan && rested >= upgradeRest ? upgradeChance[step] * customer.upgradeFactor : 0
  chances[downgrade] = customer.plan > 0 && rested >= downgradeRest ? downgradeChance[step] : 0
  chances[referral] = referralChance[step]
  chances[review] = reviewChance[step]
  const hazard = churnChance[step] * tenureFactor[tenure < tenures ? tenure : tenures]
  const leaving = customer.contract === 0 ? hazard : hazard * contractFactor(tenure)
  chances[churn] = leaving < mostHazard ? leaving : mostHazard
}

/** Annual contracts bind, but for some days around each renewal. */
function contractFactor(tenure: number): number {
  const { annualContract, renewalFactor, renewalDays } = decisionLaw.churn
  const year = tenure % 365
  const isRenewal = tenure > renewalDays && (year < renewalDays || year >= 365 - renewalDays)
  return isRenewal ? annualContract * renewalFactor : annualContract
}

export type Decision = 'upgrade' | 'downgrade' | 'referral' | 'review' | null

/** Draws what a customer decides today other than leaving, and changes the plan where that is it. */
export function decide(customer: Customer, day: number, chances: Chances): Decision {
  let rest = uniform(customer.luck, day, deciding) - chances[upgrade]
  if (rest < 0) {
    customer.plan++
    customer.planSince = day
    customer.mood[experience] += shocks.upgrade
    return 'upgrade'
  }
  rest -= chances[downgrade]
  if (rest < 0) {
    customer.plan--
    customer.planSince = day
    return 'downgrade'
  }
  rest -= chances[referral]
  if (rest < 0) return 'referral'
  return rest < chances[review] ? 'review' : null
}

/** Draws whether a customer leaves tonight. */
export function leaves(customer: Customer, day: number, chances: Chances): boolean {
  return uniform(customer.luck, day, cancel) < chances[churn]
}
