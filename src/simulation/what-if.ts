import type { Day } from '../domain/days.ts'
import type { Program } from '../domain/program.ts'
import type { BehaviourRelations } from '../features/features.ts'
import { lakeRelations } from '../features/relations.ts'
import type { Evidence } from '../impact/measurement.ts'
import type { PredictionDay } from '../lake/commits.ts'
import type { Database } from '../lake/database.ts'
import type { ModelCard } from '../model/model-cards.ts'
import { drawFrames, type Evaluation, evaluateScenario } from './evaluation.ts'
import { type ComparedFigures, compareFigures } from './figures.ts'
import { transportInitiative } from './initiative-effects.ts'
import { evaluateInitiative } from './initiative-evaluation.ts'
import { milderChange, noChange, strengthWords } from './milder.ts'
import { costOf, moneyOf, type ScenarioMoney } from './money.ts'
import { type Asked, dayAsked, refuseUnknown } from './question.ts'
import type { Change, InitiativeEdit, Scenario } from './scenario.ts'
import { findScope, type Scope } from './scope.ts'
import { measureSupport, mostOutside, type Support, shareInside } from './support.ts'
import { type DifferenceVariance, differenceVariances, totalOf } from './uncertainty.ts'

/** What a scenario would bring, and how far that can be trusted. */
export interface ScenarioAnswer {
  readonly scenario: Scenario
  readonly day: PredictionDay
  readonly scope: Scope
  readonly evidence: Evidence
  readonly evidenceWords: string
  readonly support: Support & { readonly refused: boolean; readonly reason: string | null }
  readonly evaluation: Evaluation
  readonly figures: ComparedFigures
  /** In program currency. */
  readonly cost: number
  readonly money: ScenarioMoney | null
  readonly assumptions: readonly string[]
}

export interface ScenarioRequest {
  readonly asked: Asked
  readonly card: ModelCard | null
  readonly scenario: Scenario
  /** Most customers that are looked at; null: the whole population. */
  readonly most: number | null
  readonly seed: number
  readonly onDraw: (done: number, total: number) => void
}

const associational =
  'no experiment and no comparison stands behind it: it is how the forecasts answer to other behaviour, which may go along with what moves customers without being its cause'

/**
 * Answers a scenario on a database of the program: by edited behaviour, or by what an initiative was measured to do.
 *
 * **Errors** `scenario`, `no-predictions`, `empty-population`; for initiatives `no-comparison`, `which-arm`,
 * `nothing-measured`.
 */
export async function answerScenario(database: Database, request: ScenarioRequest): Promise<ScenarioAnswer> {
  const { asked, scenario, card, most, seed } = request
  const day = dayAsked(asked, scenario.date)
  await refuseUnknown(database, asked, scenario)
  const relations = lakeRelations(asked.lake, { excluded: new Set(asked.predictor.parts.excluded) })
  const { population } = scenario
  const scope = await findScope(database, { asked, relations, day, population, most, seed })
  const setting = { ...request, relations, scope, date: day.date }
  const [first] = scenario.changes
  const found = await (first?.kind === 'initiative'
    ? askInitiative(database, setting, first)
    : askBehaviour(database, setting))
  const { evaluation, variances, evidence, treatedCost } = found
  const cost = costOf(scenario, { customers: scope.customers, treatedCost })
  return {
    ...{ scenario, day, scope, evidence, evaluation, cost },
    evidenceWords: found.evidenceWords,
    support: { ...found.support, ...(await judgeSupport(database, setting, found)) },
    figures: compareFigures(evaluation, variances, card),
    money: moneyOf(asked.program, cost, { evaluation, variances, evidence }),
    assumptions: [...sampleWords(scope), ...found.assumptions, ...moneyWords(asked.program, day.date)],
  }
}

interface Setting extends ScenarioRequest {
  readonly relations: BehaviourRelations
  readonly scope: Scope
  readonly date: Day
}

/** What either way of answering gives. */
interface Found {
  readonly evaluation: Evaluation
  readonly variances: readonly DifferenceVariance[]
  readonly evidence: Evidence
  readonly evidenceWords: string
  readonly support: Support
  readonly assumptions: readonly string[]
  /** What a treated customer cost when it was tried; null where not known. */
  readonly treatedCost: number | null
}

async function askBehaviour(database: Database, setting: Setting): Promise<Found> {
  const { asked, relations, card } = setting
  const isEnough = (evaluation: Evaluation) => isDrawnEnough(evaluation, setting)
  const evaluation = await evaluateScenario(database, relations, { ...setting, isEnough })
  return {
    evaluation,
    variances: differenceVariances(evaluation, asked.predictor, card),
    evidence: 'associational',
    evidenceWords: associational,
    support: measureSupport(evaluation.frames),
    assumptions: editWords(setting, evaluation),
    treatedCost: null,
  }
}

async function askInitiative(
  database: Database,
  setting: Setting,
  { initiative, arm }: InitiativeEdit,
): Promise<Found> {
  const { scenario, scope } = setting
  const measured = await transportInitiative(database, { ...setting, initiative, arm })
  const { compared, population } = measured.frames
  const names = population.features.flatMap(({ name, kind }) => (kind === 'number' ? [name] : []))
  const varied = measured.effects.filter(({ isVaried }) => isVaried)
  const words = varied.map(({ metric, horizonDays }) => `${metric} within ${horizonDays} days`)
  return {
    ...(await evaluateInitiative(database, { ...setting, measured, reach: scenario.reach })),
    evidence: measured.arm.evidence,
    evidenceWords: `${initiative} was measured: ${measured.arm.words}`,
    support: { inside: shareInside(compared, population, names), edited: scope.sampled },
    assumptions: [
      `${initiative} would do to this population what it did when it was tried, from ${setting.date} on${words.length > 0 ? `; effects were shown to differ between customers in ${words.join(', ')}, and are carried over by what is known of each` : '; effects were not shown to differ between customers, so that everybody gets the average'}.`,
      ...reachWords(scenario),
      ...measured.warnings,
    ],
    treatedCost: measured.costPerCustomer,
  }
}

/** Whether the random choices of the draws count little beside the rest of the error. */
function isDrawnEnough(evaluation: Evaluation, { asked, card }: ScenarioRequest): boolean {
  return differenceVariances(evaluation, asked.predictor, card).every(
    (variance) => variance.drawing <= (totalOf(variance) - variance.drawing) / 16,
  )
}

/** Bisections to the strongest change that stays inside: to a 32nd of it. */
const bisections = 5

/** Refuses a scenario that leaves what is known, with the change that does and how far it may go. */
async function judgeSupport(
  database: Database,
  setting: Setting,
  { support, evaluation }: Pick<Found, 'support' | 'evaluation'>,
): Promise<{ readonly refused: boolean; readonly reason: string | null }> {
  if (support.inside >= 1 - mostOutside) return { refused: false, reason: null }
  const share = `${Math.round(100 * (1 - support.inside))}% of the edited customers would behave as none that there are`
  const { population, frames } = evaluation
  const { scenario } = setting
  if (population === null) return { refused: true, reason: `${share}: ask of others.` }
  const insideOf = async (changes: readonly Change[]) => {
    const drawn = await drawFrames(database, population, { ...setting, scenario: { ...scenario, changes } })
    return measureSupport({ ...frames, ...drawn }).inside
  }
  const only = (place: number) => scenario.changes.map((own, index) => (index === place ? own : noChange))
  const alone = await inTurn([...scenario.changes.keys()], (place) => insideOf(only(place)))
  const worst = alone.indexOf(Math.min(...alone))
  const cause = scenario.changes[worst]
  const place = `changes[${worst}] (${strengthWords(cause)})`
  if (milderChange(cause, 1) === null) return { refused: true, reason: `${share}, most for ${place}.` }
  let least = 0
  let most = 1
  for (let step = 0; step < bisections; step++) {
    const middle = (least + most) / 2
    const milder = scenario.changes.map((own, index) =>
      index === worst ? (milderChange(own, middle) as Change) : own,
    )
    if ((await insideOf(milder)) >= 1 - mostOutside) least = middle
    else most = middle
  }
  const farthest = milderChange(cause, least) as Change
  const advice =
    least > 0
      ? `At most ${strengthWords(farthest)} stays within what is known`
      : 'No milder one stays within what is known'
  return { refused: true, reason: `${share}, most for ${place}. ${advice}.` }
}

/** One after the other: they share a database. */
async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const done: R[] = []
  for (const item of items) done.push(await work(item))
  return done
}

function sampleWords({ sampled, customers }: Scope): string[] {
  if (sampled === customers) return []
  return [
    `Figures come from ${sampled} of ${customers} customers, drawn evenly over segments and forecasts; the error of that is in the intervals.`,
  ]
}

function reachWords({ reach }: Scenario): string[] {
  return reach < 1
    ? [`The change reaches ${Math.round(100 * reach)}% of the population, drawn at random.`]
    : []
}

function editWords({ asked, scenario, date }: Setting, { replications }: Evaluation): string[] {
  const { parts } = asked.predictor
  const unskilled = [
    ...parts.outcomes.filter(({ hasSkill }) => !hasSkill).map(({ name }) => name),
    ...(parts.answers && !parts.answers.hasSkill ? ['nps'] : []),
  ]
  const days = scenario.inForceDays
  const words = [
    `Behaviour is edited in the ${days} days up to ${date}, as if the change had been in force since; answers given in these days are hidden from baseline and scenario alike.`,
    ...reachWords(scenario),
  ]
  if (unskilled.length > 0)
    words.push(
      `Nothing is known of what moves ${unskilled.join(', ')}: the base rate is served there, and no difference shows.`,
    )
  if (replications.some(({ contactsAvoided }) => contactsAvoided !== 0))
    words.push(`Contacts count as made or not within the ${days} days edited.`)
  return words
}

function moneyWords({ value }: Program, date: Day): string[] {
  if (value.margin === null || value.annualValue === null) return []
  const discount = value.discountRate ? `, discounted by ${100 * value.discountRate}% a year` : ''
  return [
    `Revenue protected is the margin of customers who stay, over a year from ${date}${discount}; behind the longest horizon everybody leaves at the rate of the baseline.`,
  ]
}
