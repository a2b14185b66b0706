import type { WhatIfReport } from '../answer-report.ts'
import { html, type Markup } from './markup.ts'
import { worthOf } from './money-section.ts'
import { differenceWords, type Given, mainFigures } from './tables.ts'
import { figureTitle, figureWords, money, percent, plain, range, sentence } from './words.ts'

type Interval = readonly [number, number]

const holdsZero = ([low, high]: Interval) => low <= 0 && high >= 0

/** A figure of an answer, whatever its kind. */
function figureOf(given: Given, name: string) {
  const isScore = name.startsWith('nps_')
  const cell = (part: keyof Given) => {
    if (isScore) return given[part].nps[name.slice('nps_'.length)]
    const { rate, ...more } = given[part].outcomes[name]
    return { value: rate, ...more }
  }
  const write = (value: number) => (isScore ? plain(value, 1) : percent(value))
  return {
    is: write(cell('baseline').value),
    would: write(cell('scenario').value),
    difference: cell('difference'),
  }
}

/** The net promoter score and the first outcome, as far ahead as is forecast. */
export function headFigures(given: Given): string[] {
  const names = mainFigures(given.difference)
  return [
    names.find((name) => name.startsWith('nps_')),
    names.find((name) => !name.startsWith('nps_')),
  ].filter((name) => name !== undefined)
}

/** One sentence that says what it brings, and what cannot be told from nothing. */
export function headlineSentence(report: WhatIfReport, given: Given): string {
  const worth = worthOf(report)
  const names = headFigures(given)
  const goes = names.map((name) => {
    const { is, would, difference } = figureOf(given, name)
    const isNothing = holdsZero(difference.ci95) ? ', which cannot be told from no change' : ''
    const range95 = range(difference.ci95, (value) => differenceWords(name, value))
    const unit = name.startsWith('nps_') ? '' : ' percentage points'
    return `${figureWords(name)} goes from ${is} to ${would} (${differenceWords(name, difference.value)}${unit}, 95% interval ${range95})${isNothing}`
  })
  if (worth) {
    const { net, net_ci95, cost } = worth.amounts
    const range95 = range(net_ci95, (value) => money(value, report.currency))
    goes.push(
      `over a year it ${net < 0 ? 'loses' : 'brings'} ${money(Math.abs(net), report.currency)}${cost > 0 ? ' after its cost' : ''} (95% interval ${range95})`,
    )
  }
  if (goes.length === 0) return 'No difference could be told.'
  const whole = goes.length === 1 ? goes[0] : `${goes.slice(0, -1).join('; ')}; and ${goes.at(-1)}`
  return report.evidence === 'associational' ? `If the change is the cause: ${whole}.` : `${sentence(whole)}.`
}

/** The same as figures to be seen from afar. */
export function headTiles(report: WhatIfReport, given: Given): Markup {
  const tile = (name: string, value: string, small: readonly string[]) =>
    html`<div><dt>${name}</dt><dd>${value}${small.map((words) => html`<small>${words}</small>`)}</dd></div>`
  const tiles = headFigures(given).map((name) => {
    const { is, would, difference } = figureOf(given, name)
    const unit = name.startsWith('nps_') ? 'points' : 'percentage points'
    return tile(figureTitle(name), differenceWords(name, difference.value), [
      `${unit}, ${is} to ${would}`,
      `95%: ${range(difference.ci95, (value) => differenceWords(name, value))}`,
    ])
  })
  const worth = worthOf(report)
  if (worth) {
    const show = (value: number) => money(value, report.currency)
    tiles.push(
      tile(worth.isConditional ? 'Net, if it is the cause' : 'Net', show(worth.amounts.net), [
        'over a year, after the cost',
        `95%: ${range(worth.amounts.net_ci95, show)}`,
      ]),
    )
  }
  return html`<dl class="figures">${tiles}</dl>`
}
