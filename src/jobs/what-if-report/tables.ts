import type { MovedCustomer, SegmentDifference } from '../../simulation/breakdown.ts'
import type { GroupFigures } from '../../simulation/figures.ts'
import type { WhatIfReport } from '../answer-report.ts'
import type { ReportSubject } from './inputs.ts'
import { html, type Markup, type Part } from './markup.ts'
import { count, figureTitle, money, percent, plain, points, range, signed, title } from './words.ts'

/** What an answer gives that was not refused. */
export type Given = {
  readonly baseline: GroupFigures
  readonly scenario: GroupFigures
  readonly difference: GroupFigures
}

/** The figures of an answer; null where it was refused. */
export function givenFigures({ baseline, scenario, difference }: WhatIfReport): Given | null {
  return baseline && scenario && difference ? { baseline, scenario, difference } : null
}

interface Cell {
  readonly value: string
  readonly ci80: string
  readonly ci95: string
  readonly more?: string
}

/** Net promoter score and outcomes as they are, as they would be, and the difference, with their intervals. */
export function figuresTable(given: Given, { program }: ReportSubject, id = 'figures-table'): Markup {
  const desired = new Map(program.outcomes.map(({ name, isDesired }) => [name, isDesired]))
  const score = (part: keyof Given, days: string): Cell => {
    const { value, ci80, ci95 } = given[part].nps[days]
    const write = (own: number) => (part === 'difference' ? signed(own, 2) : plain(own, 1))
    return { value: write(value), ci80: range(ci80, write), ci95: range(ci95, write) }
  }
  const outcome = (part: keyof Given, task: string): Cell => {
    const { rate, customers, ci80, ci95 } = given[part].outcomes[task]
    const isDifference = part === 'difference'
    const write = (own: number) => (isDifference ? points(own) : percent(own, 2))
    const more = `${isDifference ? signed(customers, 1) : plain(customers, 1)} customers`
    return { value: write(rate), ci80: range(ci80, write), ci95: range(ci95, write), more }
  }
  const rows = [
    ...Object.keys(given.difference.nps).map((days) =>
      figureRow([figureTitle(`nps_${days}`), null], (part) => score(part, days)),
    ),
    ...Object.keys(given.difference.outcomes).map((task) => {
      const isDesired = desired.get(task.slice(0, task.lastIndexOf('_')))
      const hint = isDesired === undefined ? null : isDesired ? 'more is better' : 'less is better'
      return figureRow([figureTitle(task), hint], (part) => outcome(part, task))
    }),
  ]
  return html`<div class="wide"><table id="${id}">
<caption>Differences of NPS in points, those of outcomes in percentage points. Below each figure its 80% and 95% interval.</caption>
<thead><tr><th scope="col">Figure</th><th scope="col" class="number">As it is</th><th scope="col" class="number">With the change</th><th scope="col" class="number">Difference</th></tr></thead>
<tbody>${rows}</tbody></table></div>`
}

function figureRow(
  [name, hint]: readonly [string, string | null],
  cellOf: (part: keyof Given) => Cell,
): Markup {
  const cells = (['baseline', 'scenario', 'difference'] as const).map((part) => {
    const { value, ci80, ci95, more } = cellOf(part)
    const main = part === 'difference' ? html`<b>${value}</b>` : value
    return html`<td class="number">${main}${more === undefined ? null : html`<small>${more}</small>`}<small>80%: ${ci80}</small><small>95%: ${ci95}</small></td>`
  })
  return html`<tr><th scope="row">${name}${hint === null ? null : html`<small>${hint}</small>`}</th>${cells}</tr>\n`
}

/** Longest lead of NPS and longest horizon of each outcome: what a short table shows. */
export function mainFigures(difference: GroupFigures | Readonly<Record<string, number>>): string[] {
  const names =
    'nps' in difference && typeof difference.nps === 'object'
      ? figureNames(difference as GroupFigures)
      : Object.keys(difference)
  const last = new Map<string, string>()
  for (const name of names) last.set(name.slice(0, name.lastIndexOf('_')), name)
  return [...last.values()]
}

/** `nps_<days>` and `<outcome>_<horizon>` of a group. */
export function figureNames({ nps, outcomes }: GroupFigures): string[] {
  return [...Object.keys(nps).map((days) => `nps_${days}`), ...Object.keys(outcomes)]
}

/** A difference in the unit of its figure. */
export function differenceWords(name: string, value: number): string {
  return name.startsWith('nps_') ? signed(value, 2) : points(value)
}

const unitOf = (name: string) => (name.startsWith('nps_') ? 'points' : 'percentage points')

/** Differences by segment. */
export function segmentsTable(
  segments: readonly SegmentDifference[],
  { program }: ReportSubject,
): Markup | null {
  if (segments.length < 2) return null
  const lead = {
    heads: [html`<th scope="col">Segment</th>`, html`<th scope="col" class="number">Customers</th>`],
    cells: ({ segment, customers }: SegmentDifference) =>
      html`<th scope="row">${segment === null ? 'No segment' : title(segment)}</th><td class="number">${count(customers)}</td>`,
  }
  return html`<section id="segments" class="keep"><h2>By segment</h2>${breakdown(segments, lead, program.currency)}</section>`
}

/** The customers who would change most. */
export function movedTable(moved: readonly MovedCustomer[], { program }: ReportSubject): Markup | null {
  if (moved.length === 0) return null
  const lead = {
    heads: [html`<th scope="col">Customer</th>`, html`<th scope="col">Segment</th>`],
    cells: ({ customer_id, segment }: MovedCustomer) =>
      html`<th scope="row"><bdi>${customer_id}</bdi></th><td>${segment === null ? '' : title(segment)}</td>`,
  }
  return html`<section id="most-moved" class="keep"><h2>Customers who move most</h2>${breakdown(moved, lead, program.currency)}</section>`
}

function breakdown<
  T extends { readonly difference: Readonly<Record<string, number>>; readonly value: number | null },
>(
  rows: readonly T[],
  lead: { readonly heads: readonly Markup[]; readonly cells: (row: T) => Markup },
  currency: string,
): Markup {
  const names = mainFigures(rows[0].difference)
  const hasMoney = rows.some(({ value }) => value !== null)
  const worth = (value: number | null): Part => (value === null ? '–' : money(value, currency))
  return html`<div class="wide"><table>
<thead><tr>${lead.heads}${names.map((name) => html`<th scope="col" class="number">${figureTitle(name)}<small>${unitOf(name)}</small></th>`)}${hasMoney ? html`<th scope="col" class="number">Value<small>over a year</small></th>` : null}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${lead.cells(row)}${names.map((name) => html`<td class="number">${differenceWords(name, row.difference[name])}</td>`)}${hasMoney ? html`<td class="number">${worth(row.value)}</td>` : null}</tr>\n`)}</tbody></table></div>`
}
