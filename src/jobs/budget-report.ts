import type { Evidence } from '../impact/measurement.ts'
import type { BudgetAnswer } from '../simulation/budget.ts'
import type { Figure } from '../simulation/uncertainty.ts'
import type { ChosenCustomer } from './offer-rows.ts'
import type { LeftOutReport, TreatmentReport } from './treatment-report.ts'

/** What treating the chosen brings; money in program currency, an outcome's gain in customers. */
export interface BudgetGain {
  readonly expected_gain: Figure
  readonly cost: number
  /** Null where the gain is no money. */
  readonly net: Figure | null
  /** That the net is above 0, or the gain where it is no money; null where the evidence does not allow it. */
  readonly p_net_positive: number | null
  readonly p_net_positive_reason: string
}

/** What an order brings at a depth: net in program currency, or the outcome's gain in customers. */
export interface OrderPoint extends Figure {
  readonly spent: number
}

/** The answer to a budget, as `--json` prints it. Names are a contract: see the README. */
export interface BudgetReport {
  readonly name: string
  readonly program: string
  readonly date: string
  readonly model_version: string
  readonly currency: string
  readonly unit: 'money' | 'outcome'
  /** What counts as gain, in words. */
  readonly counted: string
  /** The outcome that is moved; null where money is. */
  readonly outcome: string | null
  /** By which outcome customers count as at risk, and whether those with the highest or the least chance of it do. */
  readonly risk: { readonly outcome: string; readonly first: 'highest' | 'least' }
  /** The weakest among the initiatives that are best for anybody. */
  readonly evidence: Evidence
  readonly evidence_reason: string
  readonly customers: number
  /** Customers who may be offered anything. */
  readonly offered: number
  /** Of them, those who are expected to bring more than they cost. */
  readonly worth_treating: number
  readonly amount: number
  /** Those whom the budget pays for. */
  readonly treated: number
  readonly spent: number
  readonly money?: BudgetGain
  readonly if_causal?: BudgetGain
  readonly outcome_gain?: BudgetGain
  /** No other choice among these offers brings so much more. */
  readonly most_missed: number
  readonly break_even: BudgetAnswer['breakEven']
  readonly curve: readonly {
    readonly customers: number
    readonly by_net: OrderPoint
    readonly by_risk: OrderPoint | null
    readonly at_random: OrderPoint
  }[]
  readonly initiatives: readonly TreatmentReport[]
  readonly left_out: readonly LeftOutReport[]
  /** Those chosen, the most net value per cost first; at most {@link mostListed} unless all were asked for. */
  readonly chosen: readonly ChosenCustomer[]
  readonly statement: string
  readonly assumptions: readonly string[]
}

/** Most customers that a report lists. */
export const mostListed = 10_000
