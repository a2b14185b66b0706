import type { Day } from '../domain/days.ts'
import type { Program } from '../domain/program.ts'
import { money } from '../impact/statement.ts'
import { moneyWords } from '../simulation/assumptions.ts'
import type { Filled } from '../simulation/offers.ts'
import type { Treatments } from '../simulation/treatments.ts'
import type { BudgetReport } from './budget-report.ts'

/** What counts as gain. */
export function countedWords({ kind }: Pick<Treatments, 'kind'>, { value }: Program): string {
  if (kind.kind === 'value')
    return 'margin of customers who stay, over a year, and what desired outcomes bring'
  if (kind.kind === 'revenue')
    return `margin (${value.margin}) of revenue within the longest horizon measured`
  return kind.isDesired ? `customers with ${kind.outcome}` : `customers without ${kind.outcome}`
}

type Stated = Omit<BudgetReport, 'statement'>

/** The answer in sentences. */
export function stateBudget(report: Stated): string {
  const { currency, treated, offered, worth_treating, amount, spent, unit, outcome, initiatives } = report
  if (initiatives.length === 0) return 'No initiative can be offered to anybody: left_out says why.'
  const gain = report.money ?? report.if_causal ?? report.outcome_gain
  const worthy =
    unit === 'money'
      ? `${worth_treating} of ${offered} customers are expected to bring more than they cost`
      : `${worth_treating} of ${offered} customers are expected to gain`
  const head = `${worthy}; ${money(amount, currency)} pay for ${treated} of them, at ${exact(spent, currency)}.`
  const orders = [...new Set(initiatives.flatMap(orderWords))]
  if (treated === 0 || !gain) return [head, 'Nobody is treated.', ...orders].join(' ')
  const { value, ci95 } = gain.net ?? gain.expected_gain
  const show = (own: number) => (unit === 'money' ? money(own, currency) : own.toFixed(1))
  const what = unit === 'money' ? 'Net gain' : `Expected difference in ${outcome}, in customers`
  const range = `${what} ${show(value)} (95% CI ${show(ci95[0])} to ${show(ci95[1])})${report.if_causal ? ', if the initiative is the cause' : ''}.`
  const doubt =
    ci95[0] <= 0 && ci95[1] >= 0 ? ' The interval holds 0: that treating pays has not been shown.' : ''
  return [head, `${range}${doubt}`, ...orders].join(' ')
}

function orderWords({ orders, initiative }: Stated['initiatives'][number]): string[] {
  return orders === null ? [] : [`${initiative}: ${orders.statement}`]
}

/** What the answer takes for granted. */
export function budgetAssumptions(
  treatments: Treatments,
  { program, listed, filled, asOf }: { program: Program; listed: number; filled: Filled; asOf: Day | null },
): string[] {
  const { kind, day, risk, withoutValue } = treatments
  const several = new Set(treatments.treatments.map(({ initiative }) => initiative)).size > 1
  const tried = treatments.treatments.filter(({ isOffered }) => isOffered.includes(0))
  return [
    `Each initiative would do to these customers what it did when it was tried, from ${day.date} on; where effects were not shown to differ between customers everybody gets the average.`,
    'Each customer gets at most one initiative, the one with the highest expected net value; the budget is filled by net value per cost, lots drawn by the seed decide between equals, and who no longer fits is passed over. No other choice among these offers brings more than most_missed beyond it.',
    ...(asOf !== null && asOf > day.date
      ? [
          `What initiatives did is known up to ${asOf}, later than the customers are: this is whom to have treated.`,
        ]
      : []),
    ...(several || treatments.treatments.length > 1
      ? [
          'The best of several uncertain gains tends to be overstated: the more initiatives, the more of what is expected of the chosen is luck of the measurement.',
        ]
      : []),
    'Intervals hold the error of the measured effects, which is the same for all customers and does not average out; not the luck of single customers.',
    ...(tried.length > 0
      ? [
          `Customers put into an arm of an initiative within the last ${program.horizonsDays.at(-1)} days are not offered it: ${tried.map(({ initiative, arm, isOffered }) => `${isOffered.filter((own) => own === 0).length} of ${initiative} (${arm})`).join(', ')}.`,
        ]
      : []),
    ...(withoutValue > 0
      ? [`${withoutValue} customers have no known yearly value: nothing is gained by keeping them.`]
      : []),
    ...(kind.kind === 'outcome' ? [] : ['At random: the mean over all orders.']),
    `By risk: those with the ${risk.isDesired ? 'least' : 'highest'} chance of ${risk.outcome} first, each with the same initiative.`,
    ...(listed < filled.chosen.length
      ? [`The first ${listed} of ${filled.chosen.length} chosen customers are listed.`]
      : []),
    ...(kind.kind === 'value' ? moneyWords(program, day.date) : []),
  ]
}

/** Money with its cents. */
export function exact(amount: number, currency: string): string {
  return new Intl.NumberFormat('en-GB', { style: 'currency', currency }).format(amount)
}
