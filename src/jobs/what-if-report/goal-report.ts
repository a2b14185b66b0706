import type { QuestionReport } from '../what-if.ts'
import { differenceForests, plainShort, shownOf } from './difference-charts.ts'
import { drawForest, type ForestRow } from './forest-chart.ts'
import type { ReportSubject } from './inputs.ts'
import { html, type Markup } from './markup.ts'
import { causalCaveat, worthOf } from './money-section.ts'
import { closingSections, evidenceLine, heading, scenarioSection } from './page.ts'
import { figureTitle, money, percent, plain, range } from './words.ts'

type Goal = Extract<QuestionReport, { kind: 'goal' }>

/** How strong a scenario must be to reach a figure. */
export function goalReport({ origin, goal }: Goal, subject: ReportSubject): (Markup | null)[] {
  const { nearest } = goal
  const worth = worthOf(nearest)
  const show = (amount: number) => money(amount, subject.program.currency)
  return [
    html`<header>${heading(origin.name, origin, 'What it takes')}${evidenceLine(origin)}</header>`,
    html`<p class="lead" id="statement"><b>${goal.reached ? 'Reached.' : 'Out of reach.'}</b> ${goalSentence(goal)}</p>
<p class="note">${goal.statement}</p>`,
    html`<section class="keep"><h2>${figureTitle(goal.figure)}</h2>${goalFigure(goal)}</section>`,
    html`<section class="keep"><h2>At ${percent(nearest.strength, 0)} of its strength</h2>
<p>${nearest.changes.join('; ')}.</p>${differenceForests(nearest.difference)}</section>`,
    worth === null
      ? null
      : html`<section id="money" class="keep"><h2>What that is worth${worth.isConditional ? ', if it is the cause' : ''}</h2>
${worth.isConditional ? causalCaveat() : null}
<p>Net over a year ${show(worth.amounts.net)} (80% interval ${range(worth.amounts.net_ci80, show)}; 95% interval ${range(worth.amounts.net_ci95, show)}), after a cost of ${show(worth.amounts.cost)}.</p></section>`,
    scenarioSection(subject.scenarios[0], subject),
    closingSections(
      origin,
      subject,
      `${percent(nearest.support.inside, 0)} of the customers edited at this strength look like customers that there are; below 80% a strength is out of reach.`,
    ),
  ]
}

function goalSentence({ figure, target, reached, baseline, value, nearest }: Goal['goal']): string {
  const write = writerOf(figure)
  const goes = `${figureTitle(figure)} goes from ${write(baseline)} to ${write(value)}; the target is ${write(target)}`
  const strength = percent(nearest.strength, 0)
  return reached
    ? `${goes}. The mildest that reaches it is ${strength} of the change.`
    : `${goes}. No more than ${strength} of the change stays within what is known.`
}

function writerOf(figure: string): (value: number) => string {
  return (value) => (figure.startsWith('nps_') ? plain(value, 1) : percent(value, 2))
}

/** The figure as it is, as it would be, and the target. */
function goalFigure({ figure, target, baseline, nearest }: Goal['goal']): Markup {
  const isScore = figure.startsWith('nps_')
  const scale = isScore ? 1 : 100
  const write = writerOf(figure)
  const { scenario } = nearest
  const found = isScore ? scenario.nps[figure.slice('nps_'.length)] : outcomeAt(scenario.outcomes[figure])
  const scaled = ([low, high]: readonly [number, number]) => [scale * low, scale * high] as const
  const rows: ForestRow[] = [
    {
      label: 'As it is',
      value: scale * baseline,
      ci80: null,
      ci95: null,
      shown: write(baseline),
      isBaseline: true,
    },
    {
      ...{ label: 'With the change', value: scale * found.value },
      ...{
        ci80: scaled(found.ci80),
        ci95: scaled(found.ci95),
        shown: shownOf(found.value, found.ci95, write),
      },
    },
  ]
  const drawn = drawForest({
    rows,
    unit: isScore ? 'net promoter score' : '% of customers',
    write: plainShort,
    target: { value: scale * target, words: `target ${write(target)}` },
    words: `${figureTitle(figure)} as it is, with the change, and the target`,
  })
  return html`<figure id="goal">${drawn}<figcaption>Thick line: 80% interval; thin line: 95% interval of the level, most of which it shares with the level as it is.</figcaption></figure>`
}

function outcomeAt({
  rate,
  ci80,
  ci95,
}: {
  rate: number
  ci80: readonly [number, number]
  ci95: readonly [number, number]
}) {
  return { value: rate, ci80, ci95 }
}
