import { codeVersion } from '../../domain/version.ts'
import type { Scenario } from '../../simulation/scenario.ts'
import type { AnswerOrigin, StrengthReport, WhatIfReport } from '../answer-report.ts'
import { changeWords } from './change-words.ts'
import type { ReportSubject } from './inputs.ts'
import { html, type Markup } from './markup.ts'
import { stylesheet } from './style.ts'
import { count, dayWords, percent, plain, populationWords, sentence } from './words.ts'

/** A page of its own: it asks for nothing, runs nothing, and a browser that reads it may not either. */
export function page(name: string, sections: readonly Markup[]): string {
  const policy = "default-src 'none'; style-src 'unsafe-inline'"
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${name} · Loyalcast</title>
<style>${{ markup: stylesheet }}</style>
</head>
<body>
<main>
${sections}
</main>
</body>
</html>
`.markup
}

/** Heading: what was asked, of which program and day. */
export function heading(
  name: string,
  { program, date }: { readonly program: string; readonly date: string | null },
  form = 'What if',
): Markup {
  return html`<p class="eyebrow">${form} · ${program}${date === null ? '' : ` · ${dayWords(date)}`}</p>
<h1>${name}</h1>`
}

/** What the differences rest on, with the reason. */
export function evidenceLine({
  evidence,
  evidence_reason,
}: Pick<AnswerOrigin, 'evidence' | 'evidence_reason'>): Markup {
  const words = { experiment: 'Experiment', adjusted: 'Adjusted comparison', associational: 'Associational' }
  return html`<p class="evidence"><span class="badge ${evidence}">${words[evidence]}</span> ${sentence(evidence_reason)}.</p>`
}

/** Large, where there is no answer. */
export function refusedBox(words: string): Markup {
  return html`<div class="refused" role="note"><strong>Refused</strong>
<p>${words}</p>
<p class="note">No difference and no money is shown: the forecasts would have to speak of customers unlike any they have seen.</p></div>`
}

/** What is changed, for whom, at what cost. */
export function scenarioSection(scenario: Scenario, { program }: ReportSubject, id = 'scenario'): Markup {
  const { changes, population, reach, inForceDays, cost } = scenario
  const amount = (value: number) => `${plain(value, Number.isInteger(value) ? 0 : 2)} ${program.currency}`
  const costs = [
    cost.fixed > 0 ? amount(cost.fixed) : null,
    cost.perCustomer > 0 ? `${amount(cost.perCustomer)} a customer reached` : null,
  ].filter((words) => words !== null)
  const edited = changes.some(({ kind }) => kind !== 'initiative')
  return html`<section id="${id}" class="keep">
<h2>What is changed</h2>
<ul class="list">${changes.length === 0 ? html`<li>Nothing</li>` : changes.map((change) => html`<li>${sentence(changeWords(change))}</li>`)}</ul>
<p class="note">For ${populationWords(population)}, reaching ${percent(reach, Number.isInteger(100 * reach) ? 0 : 1)} of them${edited ? `, as if in force for the last ${inForceDays} days` : ''}. ${costs.length > 0 ? `Cost: ${costs.join(' and ')}.` : edited ? 'No cost is given.' : 'No cost is given: each costs what a treated customer cost when it was tried.'}</p>
</section>`
}

/** How far edited customers look like customers that there are. */
export function supportWords({ support, edited }: Pick<WhatIfReport, 'support' | 'edited'>): string {
  if (edited === 0) return 'Nobody is edited.'
  return `${percent(support.inside, 0)} of the ${count(edited)} edited customers look like customers that there are; below 80% a scenario is refused.`
}

/** Why a strength is outside what is known; null where it is not. */
export function outsideWords({ support }: Pick<StrengthReport, 'support'>): string | null {
  return support.refused ? (support.reason ?? 'Outside what is known.') : null
}

/** What is taken for granted, and how to repeat it. */
export function closingSections(
  origin: AnswerOrigin,
  subject: ReportSubject,
  support: string | null,
): Markup {
  const { asked, seed, isFull } = subject
  const sample =
    origin.sampled === origin.customers
      ? `all ${count(origin.customers)} customers`
      : `${count(origin.sampled)} of ${count(origin.customers)} customers; the error of that is in the intervals`
  return html`<section id="assumptions">
<h2>What it rests on</h2>
<ul class="list">${support === null ? null : html`<li>${support}</li>`}${origin.assumptions.map((words) => html`<li>${words}</li>`)}
<li>Intervals cover the error of forecasts, draws, samples and measurements, not whether these assumptions hold.</li></ul>
</section>
<section id="origin">
<h2>Where the numbers come from</h2>
<dl class="origin keep">
<dt>Program</dt><dd>${origin.program}</dd>
<dt>Day of the forecasts</dt><dd>${origin.date}</dd>
<dt>Model version</dt><dd>${origin.model_version}</dd>
<dt>Looked at</dt><dd>${sample}</dd>
<dt>Seed</dt><dd>${seed}</dd>
<dt>Loyalcast</dt><dd>${codeVersion}</dd>
</dl>
<p class="note">The same question, day, version and seed give the same numbers. The command and its question:</p>
<pre>loyalcast what-if PROGRAM QUESTION.json --seed ${seed}${isFull ? ' --full' : ''}

${jsonWords(asked)}</pre>
</section>`
}

/** Longest line of JSON, characters. */
const longestLine = 90

/** JSON with each value on one line where it fits. */
function jsonWords(value: unknown, indent = ''): string {
  const whole = JSON.stringify(value, null, 1).replace(/\n */g, ' ')
  if (typeof value !== 'object' || value === null || whole.length + indent.length <= longestLine) return whole
  const deeper = `${indent}  `
  const inner = Array.isArray(value)
    ? value.map((own) => deeper + jsonWords(own, deeper))
    : Object.entries(value).map(([key, own]) => `${deeper}${JSON.stringify(key)}: ${jsonWords(own, deeper)}`)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  return `${open}\n${inner.join(',\n')}\n${indent}${close}`
}
