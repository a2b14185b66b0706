import type { GroupFigures } from '../../simulation/figures.ts'
import { drawCurves } from './curve-chart.ts'
import { drawForest, type ForestRow } from './forest-chart.ts'
import { html, type Markup } from './markup.ts'
import { figureTitle, plain, points, range, signed } from './words.ts'

/** How forests are read. */
export const forestKey = 'Dot: the difference; thick line: 80% interval; thin line: 95% interval.'

/** Differences with their intervals: points of NPS and percentage points of outcomes do not share an axis. */
export function differenceForests({ nps, outcomes }: GroupFigures): Markup {
  const scores = Object.entries(nps).map(([days, figure]): ForestRow => {
    const write = (value: number) => signed(value, 2)
    return { label: figureTitle(`nps_${days}`), ...figure, shown: shownOf(figure.value, figure.ci95, write) }
  })
  const rates = Object.entries(outcomes).map(([task, { rate, ci80, ci95 }]) =>
    rateRow(figureTitle(task), { rate, ci80, ci95 }),
  )
  const forest = (rows: readonly ForestRow[], unit: string, words: string) =>
    rows.length === 0
      ? null
      : drawForest({ rows, unit, words, write: (value) => signedShort(value), target: null })
  return html`<figure id="differences">${forest(scores, 'NPS, points', 'Differences of the net promoter score with their intervals')}
${forest(rates, 'Outcomes, percentage points', 'Differences of the outcomes with their intervals')}
<figcaption>${forestKey}</figcaption></figure>`
}

type Interval = readonly [number, number]

/** A row of a forest of outcomes, in percentage points. */
export function rateRow(
  label: string,
  { rate, ci80, ci95 }: { rate: number; ci80: Interval; ci95: Interval },
): ForestRow {
  const hundredfold = ([low, high]: Interval): Interval => [100 * low, 100 * high]
  return {
    label,
    value: 100 * rate,
    ci80: hundredfold(ci80),
    ci95: hundredfold(ci95),
    shown: shownOf(rate, ci95, points),
  }
}

/** A value and its 95% interval at the end of a row. */
export function shownOf(value: number, ci95: Interval, write: (value: number) => string): string {
  return `${write(value)} (${range(ci95, write)})`
}

/** Ticks: as few decimals as they need. */
export function signedShort(value: number): string {
  return signed(value, decimalsOf(value))
}

/** Ticks without a plus. */
export function plainShort(value: number): string {
  return plain(value, decimalsOf(value))
}

function decimalsOf(value: number): number {
  return (
    [0, 1, 2].find((digits) => Math.abs(value * 10 ** digits - Math.round(value * 10 ** digits)) < 1e-6) ?? 3
  )
}

/** The net promoter score as it is and as it would be, over the days ahead. Null where there is none. */
export function npsCurves(baseline: GroupFigures, scenario: GroupFigures): Markup | null {
  const pointsOf = ({ nps }: GroupFigures) =>
    Object.entries(nps).map(([days, figure]) => ({ x: Number(days), ...figure }))
  if (Object.keys(scenario.nps).length < 2) return null
  const days = pointsOf(baseline).map(({ x }) => x)
  const drawn = drawCurves({
    curves: [
      { points: pointsOf(baseline), isBaseline: true },
      { points: pointsOf(scenario), isBaseline: false },
    ],
    x: { unit: 'days ahead', write: (value) => plain(value, 0), interval: stepOf(days) },
    y: { unit: 'NPS', write: plainShort },
    hasZero: false,
    words: 'Net promoter score as it is and with the change, today and ahead, with intervals',
  })
  return html`<figure id="nps-curve">${drawn}
<figcaption><span class="key"></span>With the change, 80% and 95% interval. <span class="key baseline"></span>As it is, 95% interval between thin dashes. Both levels share most of their error, so that the difference is known much better than either.</figcaption></figure>`
}

/** The step between even days; null where they are not. */
function stepOf(days: readonly number[]): number | null {
  const step = days[1] - days[0]
  return days.every((day, place) => day === days[0] + place * step) ? step : null
}
