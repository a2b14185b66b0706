import { card, element, table } from './elements.js'
import { effect, money, percent, title } from './words.js'

/** The customers with most at stake, and the behaviours behind it. */
export function customersSection({ customers, program }) {
  const longest = program.horizons_days.at(-1)
  const byValue = customers.sort === '-value_at_risk'
  const heading = byValue ? 'Most value at risk' : 'Most likely to churn'
  const rows = customers.predictions
  if (rows.length === 0) return card('customers', heading, element('p', { class: 'hint' }, 'Nobody.'))
  const columns = [{ label: 'Customer', cell: customerCell }]
  if (byValue) {
    columns.push({
      label: 'Value at risk',
      number: true,
      cell: (row) => money(row.value_at_risk, program.currency),
    })
  }
  columns.push(
    {
      label: `Churn, ${longest} days`,
      number: true,
      cell: (row) => percent(row[`churn_${longest}`] ?? null),
    },
    { label: 'Expected answer', number: true, cell: answerCell },
    { label: 'What moves it', cell: (row) => driversOf(row) },
  )
  return card('customers', heading, table(columns, rows))
}

function customerCell({ customer_id, segment }) {
  return [customer_id, segment === null ? null : element('small', {}, title(segment))]
}

function answerCell({ nps_score, nps_class }) {
  if (nps_score === null) return '–'
  const score = nps_score.toLocaleString(undefined, { minimumFractionDigits: 1, maximumFractionDigits: 1 })
  return [score, element('small', {}, nps_class)]
}

/** What raises churn; where nothing does, what lowers the expected answer. */
function driversOf({ top_drivers }) {
  const behaviours = top_drivers.filter(({ feature }) => feature !== 'remainder')
  const raising = behaviours.filter(({ outcome, effect }) => outcome === 'churn' && effect > 0)
  const lowering = behaviours.filter(({ outcome, effect }) => outcome === 'nps' && effect < 0)
  const drivers = (raising.length > 0 ? raising : lowering).slice(0, 2)
  if (drivers.length === 0) return element('span', { class: 'hint' }, 'Nothing stands out')
  return element('ul', { class: 'drivers' }, ...drivers.map(driverLine))
}

function driverLine(driver) {
  const { value } = driver
  const shown =
    value === null
      ? 'not known'
      : typeof value === 'number'
        ? value.toLocaleString(undefined, { maximumFractionDigits: 2 })
        : value
  const of = driver.outcome === 'nps' ? 'NPS answer' : title(driver.outcome)
  return element('li', {}, `${driver.words}: ${shown} `, element('span', {}, `${of} ${effect(driver)}`))
}

/** Which version made the forecast and how good it was on later data. */
export function modelSection({ model, summary, program }) {
  const heading = 'The model'
  if (model === null) {
    return card(
      'model',
      heading,
      element('p', {}, `Version ${summary.model_version}; its card cannot be read.`),
    )
  }
  const { customers } = model.learned_from
  const words = `Version ${model.version} knows everything up to ${model.as_of} and learned from ${customers.toLocaleString()} customers. It was then judged on data that it had not seen.`
  const rows = skillRows(model, program)
  return card(
    'model',
    heading,
    element('p', { class: 'hint' }, words),
    rows.length === 0 ? null : table(skillColumns(program), rows),
    limitsOf(model),
  )
}

function skillRows({ outcomes, nps, not_predicted }, program) {
  const tasks = [['nps', nps], ...program.outcomes.map(({ name }) => [name, outcomes[name] ?? null])]
  return tasks
    .map(([name, judged]) => ({ name, judged, reason: not_predicted[name] }))
    .filter(({ judged, reason }) => judged || reason)
}

function skillColumns(program) {
  const longest = String(program.horizons_days.at(-1))
  return [
    { label: 'Predicts', cell: ({ name }) => (name === 'nps' ? 'NPS' : title(name)) },
    { label: 'Skill', cell: skillCell },
    { label: 'Measured', cell: ({ name, judged }) => measuredCell(name, judged, longest) },
  ]
}

function skillCell({ judged, reason }) {
  if (judged === null)
    return [element('span', { class: 'badge none' }, 'Not predicted'), element('small', {}, reason)]
  if (judged.has_skill) return element('span', { class: 'badge' }, 'Better than the base rate')
  return [
    element('span', { class: 'badge none' }, 'None found'),
    element('small', {}, 'the base rate is shown'),
  ]
}

function measuredCell(name, judged, longest) {
  if (judged === null) return '–'
  if (name === 'nps') {
    const { mae, rps, base_rate_rps } = judged
    return `answers missed by ${mae.toFixed(2)} points on average, ranked probability score ${rps.toFixed(3)} against ${base_rate_rps.toFixed(3)}`
  }
  const horizon = judged.horizons[longest]
  if (!horizon) return '–'
  const ranking = horizon.auc === null ? '' : `AUC ${horizon.auc.toFixed(2)}, `
  return `${ranking}log loss ${horizon.log_loss.toFixed(3)} against ${horizon.base_rate_log_loss.toFixed(3)} (${longest} days)`
}

function limitsOf({ limits, judged }) {
  const lines = [judged.words, ...limits].map((limit) => element('li', {}, limit))
  return element(
    'details',
    {},
    element('summary', {}, 'How it was judged, and its limits'),
    element('ul', {}, ...lines),
  )
}
