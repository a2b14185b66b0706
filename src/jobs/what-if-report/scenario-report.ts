import type { WhatIfReport } from '../answer-report.ts'
import { differenceForests, npsCurves } from './difference-charts.ts'
import { headlineSentence, headTiles } from './headline.ts'
import type { ReportSubject } from './inputs.ts'
import { html, type Markup } from './markup.ts'
import { moneySection } from './money-section.ts'
import { closingSections, evidenceLine, heading, refusedBox, scenarioSection, supportWords } from './page.ts'
import { figuresTable, givenFigures, movedTable, segmentsTable } from './tables.ts'

/** The answer to one scenario. */
export function scenarioReport(report: WhatIfReport, subject: ReportSubject): (Markup | null)[] {
  const [scenario] = subject.scenarios
  const given = givenFigures(report)
  const head = html`<header>${heading(report.name, report)}${evidenceLine(report)}</header>`
  const closing = closingSections(report, subject, supportWords(report))
  if (given === null)
    return [
      head,
      refusedBox(report.support.reason ?? 'It leaves what is known.'),
      scenarioSection(scenario, subject),
      closing,
    ]
  const curves = npsCurves(given.baseline, given.scenario)
  return [
    head,
    html`<p class="lead" id="headline">${headlineSentence(report, given)}</p>`,
    headTiles(report, given),
    scenarioSection(scenario, subject),
    moneySection(report),
    html`<section class="keep"><h2>The difference</h2>${differenceForests(given.difference)}</section>`,
    curves && html`<section class="keep"><h2>Net promoter score ahead</h2>${curves}</section>`,
    html`<section><h2>All figures</h2>${figuresTable(given, subject)}</section>`,
    besideSection(report, subject),
    segmentsTable(report.segments, subject),
    movedTable(report.most_moved, subject),
    closing,
  ]
}

/** What the forecasts alone say, where days with and without were compared. */
function besideSection({ associational, baseline }: WhatIfReport, subject: ReportSubject): Markup | null {
  if (associational === null || baseline === null) return null
  const table = figuresTable({ ...associational, baseline }, subject, 'associational-table')
  return html`<section id="associational"><h2>By the forecasts alone</h2>
<p>Associational: how the forecasts answer to the edited behaviour, which may go along with what moves customers without being its cause. It stands here to be set beside the comparison above.</p>${table}</section>`
}
