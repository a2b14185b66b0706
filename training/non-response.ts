import { netScore } from '../src/model/answer-metrics.ts'
import { clusterBootstrap, type Interval } from '../src/model/bootstrap.ts'
import { crossFitChances } from '../src/model/cross-fitted-chances.ts'
import type { Fitter } from '../src/model/fitter.ts'
import { forecastGroup, type GroupError, type GroupForecast } from '../src/model/group-forecast.ts'
import type { AnswerLevel, AnswerModel, PredictorParts } from '../src/model/predictor.ts'
import { answeringDays } from '../src/outcomes/answering.ts'
import { measureLevels } from './answer-levels.ts'
import type { Dataset } from './dataset.ts'
import { type ForecastPanel, forecastPanel, panelRows, panelScores } from './forecast-panel.ts'
import type { HeldOut } from './held-out.ts'
import type { Labelled } from './labelled.ts'
import type { ResponseObservations } from './response-observations.ts'
import { answeringTask, type FitOptions, type ResponsePropensity } from './response-propensity.ts'
import type { Split } from './splits.ts'

/** What a version knows of those who did not answer, and what it does about them. Net scores: -100 to 100. */
export interface NonResponse {
  readonly kind: ResponseObservations['kind']
  /** Invitations, or customers at cutoffs, and how many of them an answer followed within so many days. */
  readonly asked: number
  readonly answered: number
  readonly withinDays: number
  /** How well one can tell who answers; null where too few did, or did not, to learn it from. */
  readonly propensity: Pick<ResponsePropensity, 'observations' | 'auc' | 'gain' | 'hasSkill'> | null
  /** The two figures below are of the same days: those that the version was judged on. */
  readonly answers: number
  /** As many answers of equal weight would tell as much. */
  readonly effectiveAnswers: number
  /** Plain mean of these answers. */
  readonly plainNps: Interval
  /** Of everybody, corrected for what is known of customers; null where nobody is followed over time. */
  readonly everybodyNps: GroupForecast | null
  /**
   * How much more often the promoters among those who had answered before answered again than the detractors, beyond
   * what their behaviour explains; a share. Null with too few of either.
   */
  readonly returning: Interval | null
  /** True only where the known part of who answers was found, and nothing hints at feelings beyond it. */
  readonly claimsCorrection: boolean
  readonly words: readonly string[]
}

export interface EverybodyInputs {
  readonly dataset: Dataset
  readonly split: Split
  readonly horizonsDays: readonly number[]
  /** Members that have not learned from the test block. */
  readonly taught: Pick<PredictorParts, 'encoder' | 'members'>
  /** Members that have, and will serve. */
  readonly refitted: Pick<PredictorParts, 'encoder' | 'members'>
  /** Held-out predictions by block, earlier ones first. */
  readonly held: readonly HeldOut[]
  readonly test: Labelled
  readonly propensity: ResponsePropensity | null
  /** In days since 1970-01-01. */
  readonly asOf: number
  readonly seed: number
  readonly fitter: Fitter
}

/** Brings the level of answers to that of everybody, and says how well it is known. */
export async function judgeEverybody(
  answers: AnswerModel,
  inputs: EverybodyInputs,
): Promise<{ answers: AnswerModel; errors: Record<string, GroupError>; nonResponse: NonResponse | null }> {
  const { dataset, split, horizonsDays, taught, refitted, held, seed } = inputs
  const leadsDays = [0, ...horizonsDays]
  const rows = panelRows(dataset)
  const isTest = new Set(split.test.rows)
  const later = rows.filter((row) => isTest.has(row))
  const served = forecastPanel(answers, refitted, { dataset, rows, leadsDays })
  const judged = forecastPanel(answers, taught, { dataset, rows: later, leadsDays })
  const measured = later.length === 0 ? [] : measureLevels(answers, held, { judged, served, seed })
  const levels = measured.map(({ leadDays, intercept }) => ({ leadDays, intercept }))
  const error = measured[0]?.error ?? null
  return {
    answers: { ...answers, levels },
    errors: Object.fromEntries(measured.map(({ leadDays, error }) => [`nps_${leadDays}`, error])),
    nonResponse: await describeNonResponse({ ...inputs, panel: served, levels, error }),
  }
}

interface NonResponseInputs extends EverybodyInputs {
  readonly panel: ForecastPanel
  readonly levels: readonly AnswerLevel[]
  /** Of the level today. */
  readonly error: GroupError | null
}

/** Null where there is nobody who could have answered, or no answer to judge by. */
async function describeNonResponse(inputs: NonResponseInputs): Promise<NonResponse | null> {
  const { dataset, propensity, test, seed } = inputs
  const { responding } = dataset
  const given = test.answers
    ? Array.from(test.answers.row.keys()).filter((i) => test.answers?.leadDays[i] === 0)
    : []
  if (responding === null || test.answers === null || given.length === 0) return null
  const { row, score, answerWeight } = test.answers
  const weights = given.map((i) => answerWeight[i])
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const figures = {
    kind: responding.kind,
    ...countAnswered(responding),
    withinDays: answeringDays[responding.kind],
    propensity: propensity && {
      observations: propensity.observations,
      auc: propensity.auc,
      gain: propensity.gain,
      hasSkill: propensity.hasSkill,
    },
    answers: given.length,
    effectiveAnswers: total ** 2 / weights.reduce((sum, weight) => sum + weight ** 2, 0),
    plainNps: clusterBootstrap({
      values: given.map((i) => netScore(score[i])),
      cluster: given.map((i) => test.customer[row[i]]),
      seed,
    }),
    everybodyNps: forecastEverybody(inputs),
    returning: propensity && (await compareReturning(responding, { ...inputs, propensity })),
  }
  const isSign = figures.returning !== null && (figures.returning.low > 0 || figures.returning.high < 0)
  const claimsCorrection = (propensity?.hasSkill ?? false) && !isSign
  return { ...figures, claimsCorrection, words: wordsOf(figures, isSign ? figures.returning : null) }
}

function countAnswered({ hasAnswered, weight }: ResponseObservations): { asked: number; answered: number } {
  let asked = 0
  let answered = 0
  weight.forEach((one, i) => {
    asked += one
    answered += one * hasAnswered[i]
  })
  return { asked: Math.round(asked), answered: Math.round(answered) }
}

function forecastEverybody({
  dataset,
  split,
  panel,
  levels,
  error,
}: NonResponseInputs): GroupForecast | null {
  const judged = new Set(split.test.rows)
  const scores = panelScores(panel, 0, levels).filter((_, place) => judged.has(panel.rows[place]))
  if (scores.length === 0) return null
  const mean = scores.reduce((sum, value) => sum + value, 0) / scores.length
  const everybody = split.test.rows.filter((row) => dataset.isPopulation[row] === 1)
  const customers = new Set(everybody.map((row) => dataset.customer[row])).size
  return forecastGroup(mean, customers, { error, range: [-100, 100] })
}

const fewestReturning = 50
/** Features that hold what was answered, not when or how often. */
const scoreFeature = /^(nps|csat|ces)_(last|mean|mean_90|lowest|trend)$/

/**
 * Does answering depend on what customers feel beyond what they do? Only the answers of before can show it: those who
 * answer again are compared, by the class of their last answer, with how many were expected by everything but answers.
 */
async function compareReturning(
  observed: ResponseObservations,
  { propensity, asOf, ...options }: FitOptions & { propensity: ResponsePropensity; asOf: number },
): Promise<Interval | null> {
  const { frame, knownOn, hasAnswered, weight } = observed
  const index = frame.features.findIndex(({ name }) => name === 'nps_last')
  if (index < 0) return null
  const last = frame.columns[index] as Float64Array
  const rows = Int32Array.from(Array.from(knownOn.keys()).filter((i) => knownOn[i] <= asOf))
  const isScore = frame.features.map(({ name }) => scoreFeature.test(name))
  const behaviour = {
    rows: frame.rows,
    features: frame.features.filter((_, column) => !isScore[column]),
    columns: frame.columns.filter((_, column) => !isScore[column]),
  }
  const { task } = answeringTask({ ...observed, frame: behaviour }, rows)
  const expected = await crossFitChances(task, { ...options, penalties: propensity.member.penalties })
  const class_ = Array.from(rows, (row) => netScore(last[row]) * (Number.isNaN(last[row]) ? 0 : 1))
  const sides = [100, -100].map((side) => {
    const places = class_.flatMap((own, place) => (own === side ? place : []))
    return { places, weight: places.reduce((sum, place) => sum + weight[rows[place]], 0) }
  })
  if (sides.some(({ places }) => places.length < fewestReturning)) return null
  const all = sides[0].weight + sides[1].weight
  const picked = sides.flatMap(({ places, weight: own }, side) =>
    places.map((place) => ({ place, factor: ((side === 0 ? 1 : -1) * all) / own })),
  )
  return clusterBootstrap({
    values: picked.map(({ place, factor }) => factor * (hasAnswered[rows[place]] - expected[place])),
    weights: picked.map(({ place }) => weight[rows[place]]),
    cluster: picked.map(({ place }) => task.customer[place]),
    seed: options.seed,
  })
}

/** @param sign that answering depends on feelings, where there is one. */
function wordsOf({ propensity }: Pick<NonResponse, 'propensity'>, sign: Interval | null): string[] {
  const told = !propensity
    ? 'Too little is known of who answers and who does not: every answer counts as the survey weighs it.'
    : propensity.hasSkill
      ? 'Who answers can be told in part from what is known of customers. Answers of customers like those who seldom answer count for more, so that the answers stand for everybody in what is known of them.'
      : 'Who answers could not be told from what is known of customers: every answer counts as the survey weighs it, and no correction is claimed.'
  const limit =
    'This can mend only what shows in what customers do. If those who answer feel otherwise than those who behave alike and stay silent, both figures are off, and no interval here holds that error.'
  return [told, limit, ...(sign ? [wordsOfSign(sign)] : [])]
}

function wordsOfSign({ mean, low, high }: Interval): string {
  const points = (share: number) => (100 * share).toFixed(1)
  const [who, direction] = mean > 0 ? ['promoters', 'high'] : ['detractors', 'low']
  return `There is a sign of it here: of those who had answered before, the ${who} answered again more often than their behaviour explains (promoters less detractors ${points(mean)} percentage points, 95% ${points(low)} to ${points(high)}). Who answers depends on feelings, and the figure of everybody is likely still too ${direction}: it is not corrected for that.`
}
