import jStat from 'jstat'
import type { Program } from '../domain/program.ts'
import type { Evidence } from '../impact/measurement.ts'
import type { Evaluation } from './evaluation.ts'
import type { Scenario } from './scenario.ts'
import { average, type DifferenceVariance, type Figure, figureOf, totalOf } from './uncertainty.ts'

/** What a scenario is worth, in program currency. Null where it is not configured. */
export interface ScenarioMoney {
  readonly revenue_protected: number | null
  /** The same within the longest horizon alone. */
  readonly revenue_protected_horizon: number | null
  readonly revenue_gained: number | null
  readonly cost_avoided: number | null
  readonly cost: number
  readonly net: number
  readonly net_ci80: readonly [number, number]
  readonly net_ci95: readonly [number, number]
  /** Net over cost; null without cost. */
  readonly roi: number | null
  readonly roi_ci95: readonly [number, number] | null
  /** Null where the evidence does not allow it. */
  readonly p_net_positive: number | null
  readonly p_net_positive_reason: string
  /** The change pays up to this cost. */
  readonly break_even_cost: number
}

/** What a probability that money is gained takes for granted, or why there is none. */
export const priors: Readonly<Record<Evidence, string>> = {
  experiment: 'before the data, every size of the effect counted as equally likely',
  adjusted: 'before the data, every size of the effect counted as equally likely',
  associational:
    'an associational difference may not be caused by the change, so that no probability can be given',
}

/**
 * The cost of a scenario: what is fixed, and what each customer reached costs; where nothing is said, what a treated one
 * cost when it was tried.
 */
export function costOf(
  { cost, reach }: Scenario,
  { customers, treatedCost }: { customers: number; treatedCost: number | null },
): number {
  const isSaid = cost.fixed > 0 || cost.perCustomer > 0
  return cost.fixed + (isSaid ? cost.perCustomer : (treatedCost ?? 0)) * reach * customers
}

/** Adds up the money of a population. Null where none is configured. */
export function moneyOf(
  program: Program,
  cost: number,
  {
    evaluation,
    variances,
    evidence,
  }: { evaluation: Evaluation; variances: readonly DifferenceVariance[]; evidence: Evidence },
): ScenarioMoney | null {
  const { scope, replications } = evaluation
  const line = (matches: (name: string) => boolean) => sumOfLines(evaluation, variances, matches)
  const year = line((name) => name === 'kept_year')
  const horizon = line((name) => name === 'kept_horizon')
  const gained = line((name) => name.startsWith('gain_'))
  const { contactCost } = program.value
  const avoided =
    contactCost === null || program.meaning.contact.length === 0
      ? null
      : contactCost * scope.customers * average(replications.map(({ contactsAvoided }) => contactsAvoided))
  if (year === null && gained === null && avoided === null) return null
  const brought = (year?.value ?? 0) + (gained?.value ?? 0) + (avoided ?? 0)
  const errorVariance = (Math.sqrt(year?.variance ?? 0) + Math.sqrt(gained?.variance ?? 0)) ** 2
  const net: Figure = figureOf(brought - cost, errorVariance)
  const isKnown = evidence !== 'associational'
  return {
    revenue_protected: year?.value ?? null,
    revenue_protected_horizon: horizon?.value ?? null,
    revenue_gained: gained?.value ?? null,
    cost_avoided: avoided,
    cost,
    net: net.value,
    net_ci80: net.ci80,
    net_ci95: net.ci95,
    roi: cost > 0 ? net.value / cost : null,
    roi_ci95: cost > 0 ? [net.ci95[0] / cost, net.ci95[1] / cost] : null,
    p_net_positive: isKnown ? probabilityAboveZero(net.value, errorVariance) : null,
    p_net_positive_reason: priors[evidence],
    break_even_cost: brought,
  }
}

/** Lines of money over the whole population. Their errors hang together, so their standard errors add up. */
function sumOfLines(
  { list, difference, scope }: Evaluation,
  variances: readonly DifferenceVariance[],
  matches: (name: string) => boolean,
): { readonly value: number; readonly variance: number } | null {
  const indices = list.flatMap(({ name }, index) => (matches(name) ? [index] : []))
  if (indices.length === 0) return null
  const error = indices.reduce((sum, index) => sum + Math.sqrt(totalOf(variances[index])), 0)
  return {
    value: scope.customers * indices.reduce((sum, index) => sum + average(difference[index]), 0),
    variance: (scope.customers * error) ** 2,
  }
}

function probabilityAboveZero(value: number, errorVariance: number): number {
  if (errorVariance === 0) return value > 0 ? 1 : 0
  return jStat.normal.cdf(value / Math.sqrt(errorVariance), 0, 1)
}
