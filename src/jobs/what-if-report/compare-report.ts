import type { Scenario } from '../../simulation/scenario.ts'
import type { WhatIfReport } from '../answer-report.ts'
import { changeWords } from './change-words.ts'
import { forestKey, rateRow, shownOf, signedShort } from './difference-charts.ts'
import { drawForest, type ForestChart, type ForestRow } from './forest-chart.ts'
import type { ReportSubject } from './inputs.ts'
import { html, type Markup } from './markup.ts'
import { causalCaveat, worthOf } from './money-section.ts'
import { closingSections, evidenceLine, heading } from './page.ts'
import { differenceWords, givenFigures, mainFigures } from './tables.ts'
import {
  count,
  dayWords,
  figureTitle,
  money,
  percent,
  populationWords,
  range,
  sentence,
  signed,
} from './words.ts'

/** Several scenarios side by side. */
export function compareReport(reports: readonly WhatIfReport[], subject: ReportSubject): (Markup | null)[] {
  const [{ program }] = reports
  const dates = [...new Set(reports.map(({ date }) => date))]
  const isConditional = reports.some((report) => worthOf(report)?.isConditional)
  const assumptions = [...new Set(reports.flatMap((report) => report.assumptions))]
  const most = reports.reduce((best, own) => (own.customers > best.customers ? own : best))
  return [
    html`<header>${heading(`${reports.length} scenarios side by side`, { program, date: dates.length === 1 ? dates[0] : null })}</header>`,
    isConditional ? causalCaveat('The amounts of scenarios marked associational') : null,
    html`<section id="compare"><h2>What each would bring</h2>${compareTable(reports, subject)}</section>`,
    html`<section><h2>The differences</h2>${compareForests(reports, subject)}</section>`,
    html`<section id="scenarios"><h2>The scenarios</h2>${reports.map((report, place) => asked(report, subject.scenarios[place]))}</section>`,
    closingSections({ ...most, date: dates.join(', '), assumptions }, subject, null),
  ]
}

function namesOf(reports: readonly WhatIfReport[]): string[] {
  return [
    ...new Set(
      reports.flatMap((report) => mainFigures(givenFigures(report)?.difference ?? { nps: {}, outcomes: {} })),
    ),
  ]
}

/** The difference of one figure of an answer; null where it has none. */
function differenceAt(report: WhatIfReport, name: string) {
  const difference = givenFigures(report)?.difference
  if (name.startsWith('nps_')) return difference?.nps[name.slice('nps_'.length)] ?? null
  const outcome = difference?.outcomes[name]
  return outcome ? { ...outcome, value: outcome.rate } : null
}

function compareTable(reports: readonly WhatIfReport[], { program }: ReportSubject): Markup {
  const names = namesOf(reports)
  const hasMoney = reports.some((report) => worthOf(report) !== null)
  const show = (amount: number) => money(amount, program.currency)
  const figure = (report: WhatIfReport, name: string) => {
    const found = differenceAt(report, name)
    if (found === null) return html`<td class="number">–</td>`
    return html`<td class="number"><b>${differenceWords(name, found.value)}</b><small>${range(found.ci95, (value) => differenceWords(name, value))}</small></td>`
  }
  const worth = (report: WhatIfReport) => {
    const found = worthOf(report)
    if (found === null) return html`<td class="number">–</td>`
    const { net, net_ci95, roi } = found.amounts
    return html`<td class="number"><b>${show(net)}</b><small>${range(net_ci95, show)}</small>${roi === null ? null : html`<small>ROI ${percent(roi, 0)}</small>`}</td>`
  }
  return html`<div class="wide"><table id="compare-table">
<caption>Differences with their 95% intervals: NPS in points, outcomes in percentage points${hasMoney ? ', money over a year after the cost' : ''}.</caption>
<thead><tr><th scope="col">Scenario</th>${names.map((name) => html`<th scope="col" class="number">${figureTitle(name)}</th>`)}${hasMoney ? html`<th scope="col" class="number">Net</th>` : null}</tr></thead>
<tbody>${reports.map(
    (report) =>
      html`<tr><th scope="row">${report.name}<small>${report.support.refused ? 'Refused' : report.evidence}, ${count(report.customers)} customers</small></th>${names.map((name) => figure(report, name))}${hasMoney ? worth(report) : null}</tr>\n`,
  )}</tbody></table></div>`
}

function compareForests(reports: readonly WhatIfReport[], { program }: ReportSubject): Markup {
  const charts = namesOf(reports).map((name) => {
    const isScore = name.startsWith('nps_')
    const rows = reports.flatMap((report): ForestRow[] => {
      const found = differenceAt(report, name)
      if (found === null) return []
      const { value, ci80, ci95 } = found
      if (!isScore) return [rateRow(report.name, { rate: value, ci80, ci95 })]
      const shown = shownOf(value, ci95, (own) => signed(own, 2))
      return [{ label: report.name, value, ci80, ci95, shown }]
    })
    const unit = `${figureTitle(name)}, ${isScore ? 'points' : 'percentage points'}`
    return forestFigure({ rows, unit, write: signedShort })
  })
  const show = (amount: number) => money(amount, program.currency)
  const worth = reports.flatMap((report): ForestRow[] => {
    const amounts = worthOf(report)?.amounts
    if (!amounts) return []
    const { net, net_ci80, net_ci95 } = amounts
    return [
      { label: report.name, value: net, ci80: net_ci80, ci95: net_ci95, shown: shownOf(net, net_ci95, show) },
    ]
  })
  return html`${charts}${forestFigure({ rows: worth, unit: `Net over a year, ${program.currency}`, write: show })}<p class="note">${forestKey}</p>`
}

function forestFigure(chart: Pick<ForestChart, 'rows' | 'unit' | 'write'>): Markup | null {
  if (chart.rows.length === 0) return null
  return html`<figure>${drawForest({ ...chart, target: null, words: `Differences with their intervals: ${chart.unit}` })}</figure>`
}

/** What was asked, of which day, and what the answer rests on. */
function asked(report: WhatIfReport, { changes, population }: Scenario): Markup {
  const { support } = report
  return html`<div class="keep"><h3>${report.name}</h3>
<p>${changes.length === 0 ? 'Nothing is changed' : sentence(changes.map(changeWords).join('; '))}, for ${populationWords(population)}, on ${dayWords(report.date)}.</p>
${support.refused ? html`<div class="caveat"><b>Refused.</b> ${support.reason}</div>` : null}
${evidenceLine(report)}</div>`
}
