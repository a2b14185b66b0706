import { card, element, table } from './elements.js'
import { count, day, interval, money, percent, signed, title } from './words.js'

/** Heading: whose forecast of which day. */
export function titleSection({ summary, program }) {
  const { customers, abstained } = summary
  const people = customers === 1 ? program.population : `${program.population}s`
  const left = abstained > 0 ? `, ${count(abstained)} of them without a prediction` : ''
  return element(
    'div',
    { class: 'title' },
    element('h1', {}, program.program),
    element('p', {}, `Forecast of ${day(summary.date)} for ${count(customers)} ${people}${left}`),
  )
}

/** The net promoter score now and ahead, with room for its chart. */
export function npsSection({ summary, program }, chart) {
  const now = summary.nps['0']
  const heading = 'Net promoter score'
  if (now === null) return card('nps', heading, element('p', { class: 'hint' }, whyNot(summary, 'nps')))
  const lines = program.horizons_days.map((days) => aheadLine(days, summary.nps[String(days)], now))
  return card(
    'nps',
    heading,
    element(
      'div',
      { class: 'score' },
      element(
        'div',
        {},
        element('p', { class: 'figure', id: 'nps-now' }, signed(now.value)),
        element(
          'p',
          { class: 'hint', id: 'nps-now-interval' },
          likely(now.ci95, signed, 'if everybody were asked today'),
        ),
        element('dl', { class: 'ahead' }, ...lines.filter((line) => line !== null)),
      ),
      chart,
    ),
    historyTable(summary.history),
  )
}

function aheadLine(days, ahead, now) {
  if (ahead === null) return null
  const change = ahead.value - now.value
  const words = Math.abs(change) < 0.05 ? 'no change' : `${signed(change, 1)} from now`
  const range = interval(ahead.ci95, signed)
  return element(
    'div',
    {},
    element('dt', {}, `in ${days} days`),
    element('dd', {}, signed(ahead.value)),
    element('dd', { class: 'hint' }, [words, range].filter(Boolean).join(' · ')),
  )
}

function historyTable(history) {
  const shown = history.filter(({ nps }) => nps !== null).toReversed()
  return element(
    'details',
    {},
    element('summary', {}, 'The figures of the chart'),
    table(
      [
        { label: 'Day', cell: ({ date }) => day(date, 'medium') },
        { label: 'NPS', number: true, cell: ({ nps }) => signed(nps.value, 1) },
        { label: '95% interval', number: true, cell: ({ nps }) => interval(nps.ci95, signed) || '–' },
        { label: 'Customers', number: true, cell: ({ customers }) => count(customers) },
      ],
      shown,
    ),
  )
}

/** How many customers are expected to do what within which horizon. */
export function outcomesSection({ summary, program }) {
  if (program.outcomes.length === 0) return null
  const horizons = program.horizons_days.map((days) => ({
    label: `Within ${days} days`,
    number: true,
    cell: ({ name }) => expectedCell(summary.outcomes[`${name}_${days}`]),
  }))
  const named = {
    label: 'Outcome',
    cell: ({ name, is_desired }) => [
      title(name),
      element('small', {}, is_desired ? 'more is better' : 'less is better'),
    ],
  }
  return card(
    'outcomes',
    'What is expected',
    element('p', { class: 'hint' }, 'Number of customers, their share, and the 95% interval of both.'),
    table([named, ...horizons], program.outcomes),
  )
}

function expectedCell(expected) {
  if (expected === null) return ['–', element('small', {}, 'not predicted')]
  const { customers, customers_ci95, rate, ci95 } = expected
  const range = interval(customers_ci95, count)
  return [
    element('b', {}, count(customers)),
    ` (${percent(rate)})`,
    range === '' ? null : element('small', {}, `${range} (${interval(ci95, percent)})`),
  ]
}

/** What is at stake, in money; nothing where no value is configured. */
export function moneySection({ summary, program }) {
  const longest = program.horizons_days.at(-1)
  const amounts = [
    ['value-at-risk', 'Value at risk', summary.value_at_risk, `annual margin × churn within ${longest} days`],
    ['expected-gain', 'Expected gain', summary.expected_gain, `from desired outcomes within ${longest} days`],
    [
      'expected-value',
      'Expected in 12 months',
      summary.expected_value_12m,
      'discounted margin of customers who stay',
    ],
    ['annual-value', 'Annual value', summary.annual_value, 'of all customers in the forecast'],
  ]
  const known = amounts.filter(([, , amount]) => amount !== null)
  if (known.length === 0) return null
  const cards = known.map(([id, heading, amount, words]) =>
    card(
      id,
      heading,
      element('p', { class: 'amount' }, money(amount, summary.currency)),
      element('p', { class: 'hint' }, words),
    ),
  )
  return element('div', { class: 'pair' }, ...cards)
}

/** The segments that have customers. */
export function segmentsSection({ summary, program }) {
  const longest = program.horizons_days.at(-1)
  const churn = `churn_${longest}`
  const heading = 'Segments'
  if (summary.segments.length === 0) {
    return card(
      'segments',
      heading,
      element('p', { class: 'hint' }, 'Nobody fits one of the segments on this day.'),
    )
  }
  const columns = [
    { label: 'Segment', cell: ({ segment }) => title(segment) },
    { label: 'Customers', number: true, cell: ({ customers }) => count(customers) },
    { label: 'NPS', number: true, cell: ({ nps }) => npsCell(nps['0']) },
  ]
  if (churn in summary.outcomes) {
    columns.push({
      label: `Churn, ${longest} days`,
      number: true,
      cell: ({ outcomes }) => percent(outcomes[churn]?.rate ?? null),
    })
  }
  if (summary.value_at_risk !== null) {
    columns.push({
      label: 'Value at risk',
      number: true,
      cell: ({ value_at_risk }) => money(value_at_risk, summary.currency),
    })
  }
  return card('segments', heading, table(columns, summary.segments))
}

function npsCell(nps) {
  if (nps === null) return '–'
  const range = interval(nps.ci95, signed)
  return [signed(nps.value), range === '' ? null : element('small', {}, range)]
}

function likely(ci95, write, words) {
  return ci95 === null ? words : `95% likely ${interval(ci95, write)}, ${words}`
}

function whyNot({ model }, task) {
  return model?.not_predicted[task] ?? `${title(task)} is not predicted.`
}
