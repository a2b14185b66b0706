import type { BudgetGain, BudgetReport, OrderPoint } from '../jobs/budget-report.ts'
import { exact } from '../jobs/budget-words.ts'
import type { OrderReport, TreatmentReport } from '../jobs/treatment-report.ts'

/** Chosen customers named in words. */
const mostNamed = 20

/** The answer to a budget as lines. */
export function budgetInWords(report: BudgetReport): string {
  const { initiatives, left_out, chosen, treated } = report
  const named = chosen.slice(0, mostNamed)
  return [
    `${report.name}: ${report.customers} customers on ${report.date} (${report.model_version}), by the ${report.counted}.`,
    `Evidence: ${report.evidence}: ${report.evidence_reason}.`,
    report.statement,
    ...gainLines(report),
    ...initiatives.flatMap((own) => initiativeLines(own, report)),
    ...left_out.map(
      ({ initiative, arm, reason }) => `Left out: ${initiative}${arm === null ? '' : ` (${arm})`}: ${reason}`,
    ),
    ...curveLines(report),
    ...(named.length > 0 ? [`Chosen first, ${named.length} of ${treated}:`] : []),
    ...named.map((own) => customerLine(own, report)),
    ...report.assumptions.map((assumption) => `Assumed: ${assumption}`),
  ].join('\n')
}

function amountWords({ unit, currency }: BudgetReport): (value: number) => string {
  return (value) => (unit === 'money' ? exact(value, currency) : value.toFixed(1))
}

function gainLines(report: BudgetReport): string[] {
  const gain: BudgetGain | undefined = report.money ?? report.if_causal ?? report.outcome_gain
  if (!gain || report.treated === 0) return []
  const show = amountWords(report)
  const range = ({ value, ci95: [low, high] }: BudgetGain['expected_gain']) =>
    `${show(value)} (95% CI ${show(low)} to ${show(high)})`
  const net = gain.net === null ? '' : `, net ${range(gain.net)}`
  const chance =
    gain.p_net_positive === null
      ? `no probability that it pays: ${gain.p_net_positive_reason}`
      : `probability of a gain: ${(100 * gain.p_net_positive).toFixed(1)}% (${gain.p_net_positive_reason})`
  const end =
    report.break_even && report.break_even.customers < report.offered
      ? [
          `  all of it would be lost again beyond ${report.break_even.customers} customers treated in this order`,
        ]
      : []
  return [
    report.if_causal ? 'Brings, if it is the cause:' : 'Brings:',
    `  ${range(gain.expected_gain)} for ${exact(gain.cost, report.currency)}${net}; ${chance}`,
    ...end,
  ]
}

function initiativeLines(own: TreatmentReport, report: BudgetReport): string[] {
  const show = (value: number) =>
    report.unit === 'money' ? exact(value, report.currency) : `${(100 * value).toFixed(2)} points`
  const head = `${own.initiative} (${own.arm}), ${own.evidence}: ${own.offered} offered, ${own.chosen} chosen at ${exact(own.cost_per_customer, report.currency)} each (${own.cost_origin === 'question' ? 'as asked' : 'as it cost when tried'}); ${show(own.mean_gain)} a customer on average`
  if (own.orders === null) return [head]
  const line = (words: string, order: OrderReport | null) =>
    order === null
      ? []
      : [
          `  Qini ${words} ${show(order.qini)} a customer (95% CI ${show(order.ci95[0])} to ${show(order.ci95[1])})`,
        ]
  return [
    head,
    ...line('by net value', own.orders.by_net),
    ...line('by the effect as fitted', own.orders.by_effect),
    ...line('by risk', own.orders.by_risk),
  ]
}

function curveLines(report: BudgetReport): string[] {
  const { curve, unit } = report
  if (curve.length < 2) return []
  const show = amountWords(report)
  const cell = (point: OrderPoint | null) =>
    point === null ? '' : `${show(point.value)} (${show(point.ci95[0])} to ${show(point.ci95[1])})`
  const rows = curve
    .filter((_, place) => place % 2 === 0)
    .map(({ customers, by_net, by_risk, at_random }) => [
      String(customers),
      cell(by_net),
      cell(by_risk),
      cell(at_random),
    ])
  const table = [['treated', 'by net value', 'by risk', 'at random'], ...rows]
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)))
  return [
    `${unit === 'money' ? 'Net gain' : 'Gain'} by order (95% CI):`,
    ...table.map((row) => `  ${row.map((text, column) => text.padStart(widths[column])).join('  ')}`),
  ]
}

function customerLine(own: BudgetReport['chosen'][number], { unit, currency, risk }: BudgetReport): string {
  const gain =
    unit === 'money' ? exact(own.expected_gain, currency) : `${(100 * own.expected_gain).toFixed(2)} points`
  const net = own.net === null ? '' : `, net ${exact(own.net, currency)}`
  const chance = own.risk === null ? '' : `; ${risk.outcome} ${(100 * own.risk).toFixed(1)}%`
  return `  ${own.customer_id}: ${own.initiative} (${own.arm}), ${gain} for ${exact(own.cost, currency)}${net}${chance}`
}
