import { createClient, result } from './client.js'
import { customersSection, modelSection } from './customer-sections.js'
import { element } from './elements.js'
import { moneySection, npsSection, outcomesSection, segmentsSection, titleSection } from './group-sections.js'
import { drawNpsChart } from './nps-chart.js'
import { day, interval, signed } from './words.js'

const oneDay = 24 * 3600 * 1000
const storedKey = 'loyalcast-key'
const byId = (id) => document.getElementById(id)
const panels = ['status', 'failure', 'door', 'forecast']

/** Shows one of the panels and hides the others. */
function showPanel(wanted) {
  for (const id of panels) byId(id).hidden = id !== wanted
  byId('choices').hidden = wanted !== 'forecast' && byId('program').options.length === 0
}

/** The key of this tab: from the fragment of the address, from where it is then removed, or given before. */
function takeKey() {
  const given = new URLSearchParams(location.hash.slice(1)).get('key')
  if (given !== null) {
    sessionStorage.setItem(storedKey, given)
    history.replaceState(null, '', location.pathname + location.search)
  }
  return sessionStorage.getItem(storedKey)
}

function askForKey(problem = '') {
  sessionStorage.removeItem(storedKey)
  byId('program').replaceChildren()
  showPanel('door')
  byId('key-problem').textContent = problem
  byId('key').value = ''
  byId('key').focus()
}

function showFailure({ title, message }) {
  byId('failure-title').textContent = title ?? 'Something went wrong on this page'
  byId('failure-words').textContent = message
  showPanel('failure')
}

/** Calls of the API, which lies where this page does. */
function clientOf(key) {
  return createClient({ url: new URL('.', location.href).href, key, retries: 1 })
}

/** Everything that the page shows of one program and day. */
async function readForecast(client, program, wantedDate) {
  const read = (name, query = {}) =>
    result(
      client.GET(`/v1/programs/{program}/${name}`, { params: { path: { program: program.program }, query } }),
    )
  const summary = await read('summary', wantedDate === null ? {} : { date: wantedDate })
  const sort = summary.value_at_risk !== null ? '-value_at_risk' : '-churn'
  const hasChurn = program.outcomes.some(({ name }) => name === 'churn')
  const [models, customers] = await Promise.all([
    read('models'),
    hasChurn ? read('predictions', { date: summary.date, sort, limit: 10 }) : null,
  ])
  const model = models.versions.find(({ version }) => version === summary.model_version) ?? null
  return { program, summary: { ...summary, model }, model, customers }
}

async function show() {
  const key = takeKey()
  if (key === null) return askForKey()
  byId('status').textContent = 'Loading the forecast …'
  showPanel('status')
  try {
    const client = clientOf(key)
    const { programs } = await result(client.GET('/v1/programs'))
    const wanted = new URLSearchParams(location.search)
    const program = programs.find((one) => one.program === wanted.get('program')) ?? programs[0]
    fillPrograms(programs, program)
    const forecast = await readForecast(client, program, wanted.get('date'))
    fillDays(forecast)
    drawForecast(forecast)
  } catch (problem) {
    if (problem.status === 401) askForKey('This key is not known to the server.')
    else showFailure(problem)
    if (problem.code === 'no-predictions')
      history.replaceState(null, '', `${location.pathname}?${withoutDate()}`)
  }
}

function drawForecast(forecast) {
  const { summary, program, customers } = forecast
  const chart = element('div', { class: 'chart', role: 'img', 'aria-label': chartInWords(forecast) })
  const sections = [
    titleSection(forecast),
    npsSection(forecast, chart),
    moneySection(forecast),
    outcomesSection(forecast),
    segmentsSection(forecast),
    customers && customersSection(forecast),
    modelSection(forecast),
  ]
  document.title = `${program.program}, ${summary.date} · Loyalcast`
  byId('forecast').replaceChildren(...sections.filter((section) => section !== null))
  showPanel('forecast')
  if (chart.isConnected) drawNpsChart(chart, { history: summary.history, ahead: daysAhead(summary) })
}

/** From the day of the forecast on. */
function daysAhead({ date, nps }) {
  return Object.entries(nps).map(([days, forecast]) => ({
    date: new Date(Date.parse(date) + Number(days) * oneDay).toISOString().slice(0, 10),
    nps: forecast,
  }))
}

function chartInWords({ summary, program }) {
  const now = summary.nps['0']
  if (now === null) return ''
  const last = program.horizons_days.at(-1)
  const ahead = summary.nps[String(last)]
  const first = summary.history.find(({ nps }) => nps !== null)
  const range = interval(now.ci95, signed)
  return [
    `Net promoter score from ${day(first.date)}, ${signed(first.nps.value)}, to ${day(summary.date)}, ${signed(now.value)}`,
    range && ` with a 95% interval of ${range}`,
    ahead && `, and forecast to be ${signed(ahead.value)} in ${last} days`,
    '.',
  ].join('')
}

function fillPrograms(programs, chosen) {
  byId('program-choice').hidden = programs.length < 2
  byId('program').replaceChildren(
    ...programs.map(({ program }) => optionOf(program, program, chosen.program)),
  )
}

function fillDays({ summary, program }) {
  const known = summary.history.map(({ date }) => date)
  const all = known.includes(program.days.last) ? known : [...known, program.days.last]
  byId('day').replaceChildren(
    ...all.toReversed().map((date) => optionOf(date, day(date, 'medium'), summary.date)),
  )
}

function optionOf(value, label, chosen) {
  const option = element('option', { value }, label)
  option.selected = value === chosen
  return option
}

/** A day that has no predictions is not asked for again. */
function withoutDate() {
  const wanted = new URLSearchParams(location.search)
  wanted.delete('date')
  return wanted
}

/** Another program starts at its latest day. */
function choose(change) {
  const wanted = new URLSearchParams({ program: byId('program').value, ...change })
  history.replaceState(null, '', `${location.pathname}?${wanted}`)
  show()
}

byId('program').addEventListener('change', () => choose({}))
byId('day').addEventListener('change', () => choose({ date: byId('day').value }))
byId('forget').addEventListener('click', () => askForKey())
byId('again').addEventListener('click', show)
window.addEventListener('hashchange', show)
byId('key-form').addEventListener('submit', (event) => {
  event.preventDefault()
  sessionStorage.setItem(storedKey, byId('key').value.trim())
  show()
})

show()
