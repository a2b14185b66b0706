import type { AnswerOrigin } from '../answer-report.ts'
import type { BudgetGain, BudgetReport, OrderPoint } from '../budget-report.ts'
import { drawCurves } from './curve-chart.ts'
import { plainShort } from './difference-charts.ts'
import type { ReportSubject } from './inputs.ts'
import { html, type Markup } from './markup.ts'
import { causalCaveat } from './money-section.ts'
import { closingSections, evidenceLine, heading } from './page.ts'
import { count, money, percent, plain, range, signed } from './words.ts'

/** Customers named on the page; the list of all is a file of its own. */
const mostNamed = 20

/** Whom to treat with a budget. */
export function budgetReport(budget: BudgetReport, subject: ReportSubject): (Markup | null)[] {
  const origin: AnswerOrigin = { ...budget, sampled: budget.customers }
  const gain = budget.money ?? budget.if_causal ?? budget.outcome_gain ?? null
  return [
    html`<header>${heading(budget.name, origin, 'Whom to treat')}${evidenceLine(budget)}</header>`,
    html`<p class="lead" id="headline">${budget.statement}</p>`,
    budget.if_causal ? causalCaveat() : null,
    gain && gainSection(budget, gain),
    ...ordersOf(budget).map((order) => curveSection(budget, order)),
    checkTable(budget),
    chosenTable(budget),
    closingSections(origin, subject, null),
  ]
}

/** Gains as the budget counts them: money, or customers of an outcome. */
function shownGain({ unit, currency }: BudgetReport): (value: number) => string {
  return (value) => (unit === 'money' ? money(value, currency) : plain(value, 1))
}

function gainSection(budget: BudgetReport, { expected_gain, net, p_net_positive, cost }: BudgetGain): Markup {
  const show = shownGain(budget)
  const row = (name: string, value: string, interval: readonly [number, number] | null) =>
    html`<tr><th scope="row">${name}</th><td class="number">${value}${interval === null ? null : html`<small>95%: ${range(interval, show)}</small>`}</td></tr>\n`
  return html`<section id="money" class="keep"><h2>What it brings</h2>
<table><tbody>${[
    row('Customers who may be offered it', count(budget.offered), null),
    row('Expected to bring more than they cost', count(budget.worth_treating), null),
    row('Treated', count(budget.treated), null),
    row('Spent', `${money(cost, budget.currency)} of ${money(budget.amount, budget.currency)}`, null),
    row('Expected gain', show(expected_gain.value), expected_gain.ci95),
    net === null ? null : row('Net', show(net.value), net.ci95),
    p_net_positive === null ? null : row('Probability that it pays', percent(p_net_positive, 0), null),
  ]}</tbody></table>
<p class="note">Counted: ${budget.counted}.</p></section>`
}

interface Order {
  readonly name: string
  readonly at: (point: BudgetReport['curve'][number]) => OrderPoint | null
}

function ordersOf({ curve }: BudgetReport): Order[] {
  const orders: Order[] = [
    { name: 'By expected net value', at: ({ by_net }) => by_net },
    { name: 'By risk', at: ({ by_risk }) => by_risk },
  ]
  return orders.filter(({ at }) => curve.length > 1 && curve.every((point) => at(point) !== null))
}

/** What an order brings from nobody to everybody, against treating at random. */
function curveSection(budget: BudgetReport, { name, at }: Order): Markup {
  const pointsOf = (own: Order['at']) =>
    budget.curve.map((point) => ({ x: point.customers, ...(own(point) as OrderPoint) }))
  const unit = budget.unit === 'money' ? `net, ${budget.currency}` : `${budget.outcome} customers`
  const drawn = drawCurves({
    curves: [
      { points: pointsOf(({ at_random }) => at_random), isBaseline: true },
      { points: pointsOf(at), isBaseline: false },
    ],
    x: { unit: 'customers treated', write: (value) => count(value), interval: null },
    y: { unit, write: plainShort },
    hasZero: true,
    words: `${name}, against treating at random`,
  })
  return html`<section class="keep"><h2>${name}, against treating at random</h2><figure>${drawn}
<figcaption><span class="key"></span>${name}, 80% and 95% interval. <span class="key baseline"></span>At random, 95% interval between thin dashes.</figcaption></figure></section>`
}

/** How much more the orders bring than chance, on the customers whom the initiatives were measured on. */
function checkTable({ initiatives }: BudgetReport): Markup | null {
  const rows = initiatives.flatMap(({ initiative, arm, orders }) =>
    orders === null
      ? []
      : [
          { name: 'by expected net value', order: orders.by_net },
          { name: 'by risk', order: orders.by_risk },
        ].flatMap(({ name, order }) => (order === null ? [] : [{ initiative, arm, name, order }])),
  )
  if (rows.length === 0) return null
  const show = (value: number) => signed(value, 4)
  return html`<section id="orders" class="keep"><h2>Is the order better than chance?</h2><table>
<thead><tr><th scope="col">Order</th><th scope="col" class="number">Qini, per customer</th><th scope="col" class="number">95% interval</th></tr></thead>
<tbody>${rows.map(({ initiative, arm, name, order }) => html`<tr><th scope="row">${initiative}, ${arm}, ${name}</th><td class="number">${show(order.qini)}</td><td class="number">${range(order.ci95, show)}</td></tr>\n`)}</tbody></table>
<p class="note">What each order brings over treating at random, on the customers of the comparison itself, by fits that did not see them.</p></section>`
}

function chosenTable(budget: BudgetReport): Markup | null {
  const { chosen, currency } = budget
  const exact = (value: number) => plain(value, 2)
  if (chosen.length === 0) return null
  const rows = chosen
    .slice(0, mostNamed)
    .map(
      (own) =>
        html`<tr><th scope="row"><bdi>${own.customer_id}</bdi></th><td>${own.initiative}, ${own.arm}</td><td class="number">${exact(own.expected_gain)}</td><td class="number">${exact(own.cost)}</td></tr>\n`,
    )
  const more = chosen.length > mostNamed ? ` The first ${mostNamed} of ${count(budget.treated)}.` : ''
  return html`<section id="chosen" class="keep"><h2>Who is treated first</h2><div class="wide"><table>
<thead><tr><th scope="col">Customer</th><th scope="col">Initiative</th><th scope="col" class="number">Expected gain<small>${budget.unit === 'money' ? currency : budget.outcome}</small></th><th scope="col" class="number">Cost<small>${currency}</small></th></tr></thead>
<tbody>${rows}</tbody></table></div><p class="note">The most net value per cost first.${more}</p></section>`
}
