import type { Day } from '../domain/days.ts'
import { type BehaviourRelations, readFeatures } from '../features/features.ts'
import { lakeRelations } from '../features/relations.ts'
import type { Evidence } from '../impact/measurement.ts'
import type { PredictionDay } from '../lake/commits.ts'
import type { Database } from '../lake/database.ts'
import type { ModelCard } from '../model/model-cards.ts'
import { type Evaluation, evaluateScenario } from './evaluation.ts'
import { type ComparedFigures, compareFigures } from './figures.ts'
import { costOf, moneyOf, type ScenarioMoney } from './money.ts'
import { type Asked, dayAsked, refuseUnknown } from './question.ts'
import type { Change, Scenario } from './scenario.ts'
import { findScope, type Scope } from './scope.ts'
import { measureSupport, mostOutside, type Support } from './support.ts'
import { average, differenceVariances } from './uncertainty.ts'

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

/** Answers a scenario of edited behaviour on a database of the program. **Errors** `scenario`, `no-predictions`, `empty-population`. */
export async function answerScenario(database: Database, request: ScenarioRequest): Promise<ScenarioAnswer> {
  const { asked, scenario, card, most, seed } = request
  const day = dayAsked(asked, scenario.date)
  await refuseUnknown(database, asked, scenario)
  const relations = lakeRelations(asked.lake, { excluded: new Set(asked.predictor.parts.excluded) })
  const { population } = scenario
  const scope = await findScope(database, { asked, relations, day, population, most, seed })
  const isEnough = (evaluation: Evaluation) => isDrawnEnough(evaluation, request)
  const evaluation = await evaluateScenario(database, relations, {
    ...request,
    scope,
    date: day.date,
    isEnough,
  })
  const support = measureSupport(await readReference(database, relations, { asked, seed }), evaluation)
  const variances = differenceVariances(evaluation, asked.predictor, card)
  const evidence: Evidence = 'associational'
  return {
    ...{ scenario, day, scope, evidence, evaluation },
    evidenceWords: associational,
    support: { ...support, ...judgeSupport(support, scenario.changes) },
    figures: compareFigures(evaluation, variances, card),
    cost: costOf(scenario, scope.customers),
    money: moneyOf(asked.program, scenario, { evaluation, variances, evidence }),
    assumptions: assumptionsOf(request, { scope, date: day.date, evaluation }),
  }
}

/** Whether the random choices of the draws count little beside the rest of the error. */
function isDrawnEnough(evaluation: Evaluation, { asked, card }: ScenarioRequest): boolean {
  return differenceVariances(evaluation, asked.predictor, card).every(
    ({ drawing, sampling, members, calibration }) => drawing <= (sampling + members + calibration) / 16,
  )
}

/** Customers that support is judged by. */
const referenceCustomers = 2000

async function readReference(
  database: Database,
  relations: BehaviourRelations,
  { asked, seed }: { asked: Asked; seed: number },
) {
  const { program, lake, predictor } = asked
  await database.run(`
    create or replace temp table reference_spine as
    select (row_number() over (order by draw) - 1)::integer as row, customer_id, cutoff, joined
    from (
      select *, md5_number_upper(customer_id || ' reference ${seed}') as draw
      from day_spine
      order by draw
      limit ${referenceCustomers}
    )`)
  return readFeatures(database, {
    ...{ program, lake, catalogue: predictor.catalogue, relations, spine: 'reference_spine' },
  })
}

function judgeSupport(
  { inside }: Support,
  changes: readonly Change[],
): { readonly refused: boolean; readonly reason: string | null } {
  if (inside >= 1 - mostOutside) return { refused: false, reason: null }
  const share = `${Math.round(100 * (1 - inside))}%`
  return {
    refused: true,
    reason: `${share} of the edited customers would behave as none that there are (${changes.length > 1 ? 'the changes together' : 'the change'} left what is known): ask for less.`,
  }
}

function assumptionsOf(
  { asked, scenario }: ScenarioRequest,
  { scope, date, evaluation }: { scope: Scope; date: Day; evaluation: Evaluation },
): string[] {
  const { program, predictor } = asked
  const { parts } = predictor
  const isUnskilled = [
    ...parts.outcomes.filter(({ hasSkill }) => !hasSkill).map(({ name }) => name),
    ...(parts.answers && !parts.answers.hasSkill ? ['nps'] : []),
  ]
  const contacts = average(evaluation.replications.map(({ contactsAvoided }) => contactsAvoided))
  return [
    `Behaviour is edited in the ${scenario.inForceDays} days up to ${date}, as if the change had been in force since; answers given in these days are hidden from baseline and scenario alike.`,
    scenario.reach < 1
      ? `The change reaches ${Math.round(100 * scenario.reach)}% of the population, drawn at random.`
      : null,
    scope.sampled < scope.customers
      ? `Figures come from ${scope.sampled} of ${scope.customers} customers, drawn evenly over segments and forecasts; the error of that is in the intervals.`
      : null,
    isUnskilled.length > 0
      ? `Nothing is known of what moves ${isUnskilled.join(', ')}: the base rate is served there, and no difference shows.`
      : null,
    program.value.margin !== null && program.value.annualValue !== null
      ? `Revenue protected is the margin of customers who stay, over a year from ${date}${program.value.discountRate ? `, discounted by ${100 * program.value.discountRate}% a year` : ''}; behind the longest horizon everybody leaves at the rate of the baseline.`
      : null,
    contacts !== 0 && program.value.contactCost !== null
      ? `Contacts count as made or not within the ${scenario.inForceDays} days edited.`
      : null,
  ].filter((words) => words !== null)
}
