import { netScore } from '../src/model/answer-metrics.ts'
import { clusterBootstrap, type Interval } from '../src/model/bootstrap.ts'
import type { Fitter } from '../src/model/fitter.ts'
import { forecastGroup, type GroupError, type GroupForecast } from '../src/model/group-forecast.ts'
import type { AnswerLevel, AnswerModel, PredictorParts } from '../src/model/predictor.ts'
import { answeringDays } from '../src/outcomes/answering.ts'
import { measureLevels } from './answer-levels.ts'
import { feelingsBeyondBehaviour } from './beyond-behaviour.ts'
import type { Dataset } from './dataset.ts'
import { type ForecastPanel, forecastPanel, panelRows, panelScores } from './forecast-panel.ts'
import type { HeldOut } from './held-out.ts'
import type { Labelled } from './labelled.ts'
import type { ResponseObservations } from './response-observations.ts'
import type { ResponsePropensity } from './response-propensity.ts'
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
   * How much higher, in points of NPS, is what those who answer said at other times than what those said who behave
   * alike and stay silent: {@link feelingsBeyondBehaviour}. Null with too few answers to tell.
   */
  readonly beyondBehaviour: Interval | null
  /** True only where who answers was found to be known in part, and what is not known was seen to be small beside it. */
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
    beyondBehaviour: propensity && (await feelingsBeyondBehaviour(responding, { ...inputs, propensity })),
  }
  const { plainNps, everybodyNps } = figures
  const corrected = Math.abs((everybodyNps?.value ?? plainNps.mean) - plainNps.mean)
  const feelings = weighFeelings(figures.beyondBehaviour, corrected)
  const isTold = propensity?.hasSkill ?? false
  const words = [wordsOfPropensity(propensity), limit, ...(isTold ? [feelings.words] : [])]
  return { ...figures, claimsCorrection: isTold && feelings.areSmall, words }
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

function wordsOfPropensity(propensity: NonResponse['propensity']): string {
  if (propensity === null)
    return 'Too little is known of who answers and who does not: every answer counts as the survey weighs it.'
  return propensity.hasSkill
    ? 'Who answers can be told in part from what is known of customers. Answers of customers like those who seldom answer count for more, so that the answers stand for everybody in what is known of them.'
    : 'Who answers could not be told from what is known of customers: every answer counts as the survey weighs it, and no correction is claimed.'
}

const limit =
  'This can mend only what shows in what customers do. If those who answer feel otherwise than those who behave alike and stay silent, both figures are off, and no interval here holds that error.'

/** Of a correction that is claimed feelings may undo so much at most; those of the moment may tell more than is seen. */
const mostUndone = 1 / 4

/** What feelings that no behaviour shows may do to the answers. @param corrected in points of NPS. */
function weighFeelings(beyond: Interval | null, corrected: number): { areSmall: boolean; words: string } {
  const no = (words: string) => ({ areSmall: false, words: `${words} No correction is claimed.` })
  if (beyond === null)
    return no('Whether that is so here cannot be seen, as too few customers answered more than once.')
  const { mean, low, high } = beyond
  const compared = `What those who answer said at other times differs by ${mean.toFixed(1)} points of NPS (95% ${low.toFixed(1)} to ${high.toFixed(1)}) from what those said who behave alike and stay silent`
  if (low > 0 || high < 0)
    return no(
      `There is a sign of it here. ${compared}: who answers depends on feelings, and the figure of everybody is likely still too ${mean > 0 ? 'high' : 'low'}.`,
    )
  const most = Math.max(-low, high)
  const moved = `the ${corrected.toFixed(1)} points by which the figure of everybody differs from the plain mean`
  return most > mostUndone * corrected
    ? no(`It cannot be ruled out here. ${compared}, and that may be much of ${moved}.`)
    : { areSmall: true, words: `There is no sign of it here. ${compared}, little beside ${moved}.` }
}
