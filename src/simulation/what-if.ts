import { usageError } from '../domain/errors.ts'
import type { Evidence } from '../impact/measurement.ts'
import type { PredictionDay } from '../lake/commits.ts'
import type { Database } from '../lake/database.ts'
import { editWords, moneyWords, reachWords, sampleWords } from './assumptions.ts'
import { adjustBehaviour } from './behaviour-effects.ts'
import { evaluateAdjusted } from './behaviour-evaluation.ts'
import { type Evaluation, evaluateChanges, type OpenedPopulation } from './evaluation.ts'
import { type ComparedFigures, compareFigures } from './figures.ts'
import { transportInitiative } from './initiative-effects.ts'
import { evaluateInitiative } from './initiative-evaluation.ts'
import { costOf, moneyOf, type ScenarioMoney } from './money.ts'
import { explainRefusal } from './refusal.ts'
import type { InitiativeEdit, Scenario } from './scenario.ts'
import type { Scope } from './scope.ts'
import { measureSupport, mostOutside } from './support.ts'
import { type DifferenceVariance, differenceVariances, totalOf } from './uncertainty.ts'
import type { ScenarioRequest, Setting, Workplace } from './workplace.ts'

/** How far edited customers look like customers that there are, and whether that is too few for an answer. */
export interface Support {
  /** Share of the edited customers who do. 1 where nobody is edited. */
  readonly inside: number
  readonly refused: boolean
  readonly reason: string | null
}

/** What a scenario would bring, and how far that can be trusted. */
export interface ScenarioAnswer {
  readonly scenario: Scenario
  readonly day: PredictionDay
  readonly scope: Scope
  readonly evidence: Evidence
  readonly evidenceWords: string
  readonly support: Support
  readonly evaluation: Evaluation
  readonly figures: ComparedFigures
  /** In program currency. */
  readonly cost: number
  readonly money: ScenarioMoney | null
  readonly assumptions: readonly string[]
  /** How forecasts answer to the edited behaviour, beside what an adjusted comparison says; null: it is the answer. */
  readonly associational: Pick<ScenarioAnswer, 'figures' | 'money'> | null
}

/**
 * Answers a scenario: by edited behaviour, or by what an initiative was measured to do.
 *
 * **Errors** those of {@link Workplace.find}; for initiatives `no-comparison`, `which-arm`, `nothing-measured`.
 */
export async function answerScenario(
  workplace: Workplace,
  request: ScenarioRequest,
): Promise<ScenarioAnswer> {
  const { database } = workplace
  const [first] = request.scenario.changes
  if (first?.kind === 'initiative') {
    const setting = await workplace.find(request)
    return answerOf(setting, await askInitiative(database, setting, first), 'are unlike any who were in it')
  }
  const { setting, opened } = await workplace.open(request)
  const answer = await answerChanges(database, setting, opened)
  if (answer.evaluation.edited.length === 0) return answer
  if (!answer.support.refused) return besideComparison(database, setting, { opened, answer })
  const { inside } = answer.support
  const reason = await explainRefusal(database, opened, { edit: request.scenario, inside })
  return { ...answer, support: { ...answer.support, reason } }
}

/** Answers by the forecasts alone what a scenario would bring to its population, which is open already. */
export async function answerChanges(
  database: Database,
  setting: Setting,
  opened: OpenedPopulation,
): Promise<ScenarioAnswer> {
  const { asked, card, onDraw, scenario: edit } = setting
  const isEnough = (evaluation: Evaluation) => isDrawnEnough(evaluation, setting)
  const evaluation = await evaluateChanges(database, opened, { edit, isEnough, onDraw })
  const found: Found = {
    evaluation,
    variances: differenceVariances(evaluation, asked.predictor, card),
    evidence: 'associational',
    evidenceWords: associational,
    inside: measureSupport(evaluation.frames),
    assumptions: editWords(setting, evaluation),
    treatedCost: null,
  }
  return answerOf(setting, found, unlikeAny)
}

const unlikeAny = 'would behave as none that there are'

/** Sets an adjusted comparison of the days with such events beside the answer; or says why there is none. */
export async function besideComparison(
  database: Database,
  setting: Setting,
  { opened, answer }: { opened: OpenedPopulation; answer: ScenarioAnswer },
): Promise<ScenarioAnswer> {
  const adjusted = await adjustBehaviour(database, { opened, edit: setting.scenario })
  const notCompared = (reason: string): ScenarioAnswer => ({
    ...answer,
    evidenceWords: `${answer.evidenceWords}. Days with and without were not compared: ${reason}`,
  })
  if ('reason' in adjusted) return notCompared(adjusted.reason)
  const evaluated = evaluateAdjusted(opened, answer.evaluation, adjusted.effects)
  if (evaluated.evaluation.list.length === 0)
    return notCompared('nothing that is predicted is known of enough of them')
  const days = adjusted.compared.map(({ types, exposed }) => `${exposed} days with ${types.join(' or ')}`)
  const found: Found = {
    ...evaluated,
    evidence: 'adjusted',
    evidenceWords: `${days.join(' and ')} were compared with days of others, after all that was known the evening before; what nobody recorded may still tell them apart`,
    inside: answer.support.inside,
    assumptions: [
      ...editWords(setting, answer.evaluation),
      'Every event counts as much as those compared did on average, on top of one another.',
    ],
    treatedCost: null,
  }
  const own = answerOf(setting, found, unlikeAny)
  const { figures, money } = answer
  return {
    ...own,
    figures: { ...own.figures, baseline: figures.baseline },
    associational: { figures, money },
  }
}

const associational =
  'no experiment and no comparison stands behind it: it is how the forecasts answer to other behaviour, which may go along with what moves customers without being its cause'

/** What either way of answering gives. */
interface Found {
  readonly evaluation: Evaluation
  readonly variances: readonly DifferenceVariance[]
  readonly evidence: Evidence
  readonly evidenceWords: string
  /** Share of the edited customers who look like some that there are. */
  readonly inside: number
  readonly assumptions: readonly string[]
  /** What a treated customer cost when it was tried; null where not known. */
  readonly treatedCost: number | null
}

/** @param unlike what is the matter with edited customers who look like none. */
function answerOf(
  { asked, card, scenario, scope, day }: Setting,
  found: Found,
  unlike: string,
): ScenarioAnswer {
  const { inside } = found
  const refused = inside < 1 - mostOutside
  const reason = refused ? `${Math.round(100 * (1 - inside))}% of the edited customers ${unlike}.` : null
  const { evaluation, variances, evidence, evidenceWords } = found
  if (evaluation.list.length === 0)
    throw usageError(
      'nothing-predicted',
      `The version that serves ${asked.program.name} predicts nothing: no difference can be told. loyalcast models show says why.`,
    )
  const cost = costOf(scenario, { customers: scope.customers, treatedCost: found.treatedCost })
  return {
    ...{ scenario, day, scope, evidence, evidenceWords, evaluation, cost },
    support: { inside, refused, reason },
    figures: compareFigures(evaluation, variances, card),
    money: moneyOf(asked.program, cost, { evaluation, variances, evidence }),
    assumptions: [...sampleWords(scope), ...found.assumptions, ...moneyWords(asked.program, day.date)],
    associational: null,
  }
}

async function askInitiative(
  database: Database,
  setting: Setting,
  { initiative, arm }: InitiativeEdit,
): Promise<Found> {
  const { scenario } = setting
  const measured = await transportInitiative(database, {
    ...{ ...setting, relations: setting.scope.relations },
    ...{ initiative, arm },
  })
  const varied = measured.effects.filter(({ isVaried }) => isVaried)
  const words = varied.map(({ metric, horizonDays }) => `${metric} within ${horizonDays} days`)
  return {
    ...(await evaluateInitiative(database, {
      ...{ ...setting, relations: setting.scope.relations },
      ...{ measured, reach: scenario.reach },
    })),
    evidence: measured.arm.evidence,
    evidenceWords: `${initiative} was measured: ${measured.arm.words}`,
    inside: measured.inside,
    assumptions: [
      `${initiative} would do to this population what it did when it was tried, from ${setting.date} on${words.length > 0 ? `; effects were shown to differ between customers in ${words.join(', ')}, and are carried over by what is known of each` : '; effects were not shown to differ between customers, so that everybody gets the average'}.`,
      ...reachWords(scenario),
      ...measured.warnings,
    ],
    treatedCost: measured.costPerCustomer,
  }
}

/** Of the rest of an error's variance: then the draws make an interval wider by a 16th at most. */
const mostDrawing = 1 / 8

/** Whether the random choices of the draws count little beside the rest of the error. */
function isDrawnEnough(evaluation: Evaluation, { asked, card }: ScenarioRequest): boolean {
  return differenceVariances(evaluation, asked.predictor, card).every(
    (variance) => variance.drawing <= mostDrawing * (totalOf(variance) - variance.drawing),
  )
}
