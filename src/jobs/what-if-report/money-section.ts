import type { ScenarioMoney } from '../../simulation/money.ts'
import type { WhatIfReport } from '../answer-report.ts'
import { html, type Markup } from './markup.ts'
import { money, percent, range } from './words.ts'

/** Money, and whether it holds only if the change is the cause. */
export interface Worth {
  readonly amounts: ScenarioMoney
  readonly isConditional: boolean
}

/** The money of an answer; null where none is configured or it was refused. */
export function worthOf({
  money: known,
  if_causal,
}: Pick<WhatIfReport, 'money' | 'if_causal'>): Worth | null {
  const amounts = known ?? if_causal
  return amounts ? { amounts, isConditional: known === undefined } : null
}

/** The caveat of associational money, which must not be missed. @param whose where it is not that of all amounts. */
export function causalCaveat(whose: string | null = null): Markup {
  return html`<div class="caveat" role="note"><b>Only if the change is the cause.</b> ${whose ?? 'The amounts'} are how forecasts answer to other behaviour. That behaviour may go along with what moves customers without moving them; then the change brings nothing of it. No probability that it pays can be given. An experiment would tell.</div>`
}

/** What it is worth, line by line. */
export function moneySection({ currency, cost, ...report }: WhatIfReport): Markup {
  const worth = worthOf(report)
  const title = html`<h2>What it is worth${worth?.isConditional ? ', if it is the cause' : ''}</h2>`
  if (worth === null) {
    const words = cost > 0 ? `It costs ${money(cost, currency)}; no` : 'No'
    return html`<section id="money" class="keep">${title}<p class="note">${words} value is configured to set against a cost.</p></section>`
  }
  const { amounts, isConditional } = worth
  return html`<section id="money" class="keep">
${title}
${isConditional ? causalCaveat() : null}
<table>
<thead><tr><th scope="col">Amount</th><th scope="col" class="number">${currency}</th></tr></thead>
<tbody>${moneyRows(amounts, currency)}</tbody></table>
<p class="note">${
    amounts.p_net_positive === null
      ? `No probability that it pays: ${amounts.p_net_positive_reason}.`
      : `Probability that it pays: ${amounts.p_net_positive_reason}.`
  }</p>
</section>`
}

function moneyRows(amounts: ScenarioMoney, currency: string): Markup[] {
  const show = (amount: number | null) => (amount === null ? 'not configured' : money(amount, currency))
  const around = (ci: readonly [number, number]) => range(ci, (end) => money(end, currency))
  const row = (name: string, value: string, more: readonly string[] = [], kind = '') =>
    html`<tr class="${kind}"><th scope="row">${name}</th><td class="number">${value}${more.map((words) => html`<small>${words}</small>`)}</td></tr>\n`
  const horizon = amounts.revenue_protected_horizon
  return [
    row(
      'Revenue protected over a year',
      show(amounts.revenue_protected),
      horizon === null ? [] : [`${money(horizon, currency)} of it within the longest horizon`],
    ),
    row('Revenue gained', show(amounts.revenue_gained)),
    row('Contacts avoided', show(amounts.cost_avoided)),
    row('Cost', money(-amounts.cost, currency)),
    row(
      'Net',
      money(amounts.net, currency),
      [`80%: ${around(amounts.net_ci80)}`, `95%: ${around(amounts.net_ci95)}`],
      'total',
    ),
    row(
      'Return on the cost',
      amounts.roi === null ? 'no cost' : percent(amounts.roi, 0),
      amounts.roi_ci95 === null ? [] : [`95%: ${range(amounts.roi_ci95, (end) => percent(end, 0))}`],
    ),
    row(
      'It pays up to a cost of',
      amounts.break_even_cost > 0 ? money(amounts.break_even_cost, currency) : 'no cost',
    ),
    row(
      'Probability that it pays',
      amounts.p_net_positive === null ? 'not known' : percent(amounts.p_net_positive, 0),
    ),
  ]
}
