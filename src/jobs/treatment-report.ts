import type { Evidence } from '../impact/measurement.ts'
import type { Ranking } from '../impact/targeting.ts'
import type { BudgetAnswer } from '../simulation/budget.ts'
import { moneyTicks } from '../simulation/offers.ts'
import type { LeftOut, Treatment } from '../simulation/treatment.ts'
import type { Treatments } from '../simulation/treatments.ts'

/** How much more an order brings than chance, per customer of the comparison. */
export interface OrderReport {
  readonly qini: number
  readonly ci95: readonly [number, number]
  /** Gain per customer where so many tenths are treated. [11] */
  readonly gains: readonly number[]
}

/** Orders of treating, judged on the customers whom the initiative was measured on. */
export interface OrderCheckReport {
  readonly customers: number
  readonly everybody: number
  readonly by_net: OrderReport
  readonly by_effect: OrderReport
  readonly by_risk: OrderReport | null
  /** `better`, `worse` or `not_shown`: whether the interval of by_net lies above 0, below it, or holds it. */
  readonly by_net_than_chance: 'better' | 'worse' | 'not_shown'
  readonly statement: string
}

/** An initiative's arm that is offered, and to how many. */
export interface TreatmentReport {
  readonly initiative: string
  readonly arm: string
  readonly evidence: Evidence
  readonly evidence_reason: string
  readonly cost_per_customer: number
  readonly cost_origin: 'question' | 'as tried'
  /** Share of the population that looks like those compared. */
  readonly inside: number
  readonly offered: number
  readonly chosen: number
  readonly spent: number
  /** Sum over those chosen for it, in the unit of the answer. */
  readonly expected_gain: number
  /** Mean over those it is offered to, in the unit of the answer. */
  readonly mean_gain: number
  /** What gains come from, such as `churn within 90 days`. */
  readonly counts: readonly string[]
  /** Of these, those whose effects were shown to differ between customers. */
  readonly differs: readonly string[]
  readonly orders: OrderCheckReport | null
  readonly warnings: readonly string[]
}

/** An initiative or arm that nobody is offered. */
export interface LeftOutReport {
  readonly initiative: string
  readonly arm: string | null
  readonly evidence: Evidence | null
  readonly reason: string
}

export function listLeftOut(leftOut: readonly LeftOut[]): LeftOutReport[] {
  return leftOut.map(({ initiative, arm, evidence, reason }) => ({ initiative, arm, evidence, reason }))
}

/** All treatments of an answer. */
export function listTreatments({ treatments }: Treatments, answer: BudgetAnswer): TreatmentReport[] {
  return treatments.map((treatment, place) => reportTreatment(treatment, place, answer))
}

function reportTreatment(
  treatment: Treatment,
  place: number,
  { offers, filled }: BudgetAnswer,
): TreatmentReport {
  const { gain, isOffered, check } = treatment
  const offered = isOffered.reduce((sum, own) => sum + own, 0)
  const own = filled.chosen.filter((row) => offers.treatment[row] === place)
  const sumOf = (amounts: Float64Array) => own.reduce((sum, row) => sum + amounts[row], 0)
  const names = gain.parts.map(({ effect }) => `${effect.metric} within ${effect.horizonDays} days`)
  const mean = gain.byCustomer.reduce((sum, value, row) => sum + value * isOffered[row], 0)
  return {
    initiative: treatment.initiative,
    arm: treatment.arm,
    evidence: treatment.evidence,
    evidence_reason: treatment.evidenceWords,
    cost_per_customer: treatment.costPerCustomer,
    cost_origin: treatment.isCostAsked ? 'question' : 'as tried',
    inside: treatment.inside,
    offered,
    chosen: own.length,
    spent: sumOf(offers.cost) / moneyTicks,
    expected_gain: sumOf(offers.gain) / offers.gainTicks,
    mean_gain: offered === 0 ? 0 : mean / offered,
    counts: names,
    differs: names.filter((_, part) => gain.parts[part].effect.isVaried),
    orders: check && reportOrders(check),
    warnings: treatment.warnings,
  }
}

function reportOrders(check: NonNullable<Treatment['check']>): OrderCheckReport {
  const { byGain, byEffect, byRisk, customers, everybody } = check
  const judged = judge(byGain)
  const words = {
    better: 'The order is better than chance on the customers whom it was measured on',
    worse: 'The order is worse than chance on the customers whom it was measured on: do not treat by it',
    not_shown:
      'No order has been shown to be better than chance: what the curve gains over treating at random rests on the forecasts and on what customers are worth',
  }[judged]
  const risk =
    byRisk === null
      ? ''
      : ` Treating by risk is ${{ better: 'better than', worse: 'worse than', not_shown: 'not shown to be better than' }[judge(byRisk)]} chance there.`
  return {
    ...{ customers, everybody, by_net: byGain, by_effect: byEffect, by_risk: byRisk },
    by_net_than_chance: judged,
    statement: `${words}.${risk}`,
  }
}

function judge({ ci95: [low, high] }: Ranking): OrderCheckReport['by_net_than_chance'] {
  if (low > 0) return 'better'
  return high < 0 ? 'worse' : 'not_shown'
}
