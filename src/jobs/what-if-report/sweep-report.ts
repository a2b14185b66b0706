import type { StrengthReport } from '../answer-report.ts'
import type { QuestionReport } from '../what-if.ts'
import { type CurvePoint, drawCurves } from './curve-chart.ts'
import { plainShort, signedShort } from './difference-charts.ts'
import type { ReportSubject } from './inputs.ts'
import { html, type Markup } from './markup.ts'
import { causalCaveat, worthOf } from './money-section.ts'
import { closingSections, evidenceLine, heading, outsideWords, scenarioSection } from './page.ts'
import { differenceWords, mainFigures } from './tables.ts'
import { figureTitle, figureWords, money, percent, range } from './words.ts'

type Sweep = Extract<QuestionReport, { kind: 'sweep' }>

/** A scenario from nothing to all of it. */
export function sweepReport({ origin, sweep }: Sweep, subject: ReportSubject): (Markup | null)[] {
  const names = headNames(sweep)
  const isConditional = sweep.some((step) => worthOf(step)?.isConditional)
  return [
    html`<header>${heading(origin.name, origin, 'What if, by strength')}${evidenceLine(origin)}</header>`,
    html`<p class="lead" id="headline">${farthestSentence(sweep, names, subject)}</p>`,
    isConditional ? causalCaveat() : null,
    scenarioSection(subject.scenarios[0], subject),
    ...names.map((name) => figureCurve(name, sweep)),
    moneyCurve(sweep, subject),
    html`<section id="sweep" class="keep"><h2>At each strength</h2>${sweepTable(sweep, names, subject)}</section>`,
    closingSections(origin, subject, null),
  ]
}

/** The net promoter score and the first outcome, as far ahead as is forecast. */
function headNames(sweep: readonly StrengthReport[]): string[] {
  const names = mainFigures(sweep[0].difference)
  const [score, outcome] = [true, false].map((isScore) =>
    names.find((name) => name.startsWith('nps_') === isScore),
  )
  return [score, outcome].filter((name) => name !== undefined)
}

function differenceAt({ difference }: Pick<StrengthReport, 'difference'>, name: string) {
  if (name.startsWith('nps_')) return difference.nps[name.slice('nps_'.length)]
  const { rate, ci80, ci95 } = difference.outcomes[name]
  return { value: rate, ci80, ci95 }
}

/** What the strongest that is not refused would bring. */
function farthestSentence(
  sweep: readonly StrengthReport[],
  names: readonly string[],
  { program }: ReportSubject,
): string {
  const farthest = sweep.findLast(({ support }) => !support.refused) ?? sweep[0]
  const parts = names.map((name) => {
    const { value, ci95 } = differenceAt(farthest, name)
    const write = (own: number) => differenceWords(name, own)
    const unit = name.startsWith('nps_') ? 'points' : 'percentage points'
    return `${figureWords(name)} ${write(value)} ${unit} (95% interval ${range(ci95, write)})`
  })
  const amounts = worthOf(farthest)?.amounts
  if (amounts) {
    const write = (own: number) => money(own, program.currency)
    parts.push(`net ${write(amounts.net)} over a year (95% interval ${range(amounts.net_ci95, write)})`)
  }
  const isAll = farthest.strength === 1
  const at = worthOf(farthest)?.isConditional ? 'If the change is the cause, at' : 'At'
  return `${at} ${percent(farthest.strength, 0)} of it${isAll ? '' : ', the most of these that stays within what is known'}: ${parts.join('; ')}.`
}

const key = 'Dark band: 80% interval; light band: 95% interval.'
const hollow = ' Hollow: refused there, since too many customers would behave as none that there are.'

function curveFigure(
  title: string,
  { points, unit, write }: { points: readonly CurvePoint[]; unit: string; write: (value: number) => string },
): Markup {
  const drawn = drawCurves({
    curves: [{ points, isBaseline: false }],
    x: { unit: 'strength of the change', write: (value) => percent(value, 0), interval: 0.2 },
    y: { unit, write },
    hasZero: true,
    words: `${title} by strength of the change, with intervals`,
  })
  return html`<section class="keep"><h2>${title}</h2><figure>${drawn}<figcaption>${key}${points.some(({ isOutside }) => isOutside) ? hollow : ''}</figcaption></figure></section>`
}

function figureCurve(name: string, sweep: readonly StrengthReport[]): Markup {
  const isScore = name.startsWith('nps_')
  const scale = isScore ? 1 : 100
  const points = sweep.map((step): CurvePoint => {
    const { value, ci80, ci95 } = differenceAt(step, name)
    const scaled = ([low, high]: readonly [number, number]) => [scale * low, scale * high] as const
    return {
      ...{ x: step.strength, value: scale * value, ci80: scaled(ci80), ci95: scaled(ci95) },
      isOutside: step.support.refused,
    }
  })
  const unit = isScore ? 'difference, points' : 'difference, percentage points'
  return curveFigure(figureTitle(name), { points, unit, write: signedShort })
}

function moneyCurve(sweep: readonly StrengthReport[], { program }: ReportSubject): Markup | null {
  const points = sweep.flatMap((step): CurvePoint[] => {
    const amounts = worthOf(step)?.amounts
    if (!amounts) return []
    const { net, net_ci80, net_ci95 } = amounts
    return [{ x: step.strength, value: net, ci80: net_ci80, ci95: net_ci95, isOutside: step.support.refused }]
  })
  if (points.length === 0) return null
  const title = worthOf(sweep[0])?.isConditional ? 'Net over a year, if it is the cause' : 'Net over a year'
  return curveFigure(title, { points, unit: program.currency, write: plainShort })
}

function sweepTable(
  sweep: readonly StrengthReport[],
  names: readonly string[],
  { program }: ReportSubject,
): Markup {
  const show = (amount: number) => money(amount, program.currency)
  const hasMoney = sweep.some((step) => worthOf(step) !== null)
  const rows = sweep.map((step) => {
    const outside = outsideWords(step)
    const amounts = worthOf(step)?.amounts
    return html`<tr><th scope="row">${percent(step.strength, 0)}<small>${step.changes.join('; ')}</small>${outside === null ? null : html`<small><b>Refused:</b> ${outside}</small>`}</th>${names.map(
      (name) => {
        const { value, ci95 } = differenceAt(step, name)
        const alone = step.associational && differenceAt(step.associational, name).value
        return html`<td class="number">${differenceWords(name, value)}<small>95%: ${range(ci95, (own) => differenceWords(name, own))}</small>${alone === null ? null : html`<small>By the forecasts alone ${differenceWords(name, alone)}</small>`}</td>`
      },
    )}${hasMoney ? html`<td class="number">${amounts ? show(amounts.net) : '–'}${amounts ? html`<small>95%: ${range(amounts.net_ci95, show)}</small>` : null}</td>` : null}</tr>\n`
  })
  return html`<div class="wide"><table id="sweep-table">
<caption>Differences: NPS in points, outcomes in percentage points, with 95% intervals.</caption>
<thead><tr><th scope="col">Strength</th>${names.map((name) => html`<th scope="col" class="number">${figureTitle(name)}</th>`)}${hasMoney ? html`<th scope="col" class="number">Net over a year</th>` : null}</tr></thead>
<tbody>${rows}</tbody></table></div>`
}
