import { expectedNetScores, netScore } from '../src/model/answer-metrics.ts'
import { clusterBootstrap } from '../src/model/bootstrap.ts'
import type { GroupError } from '../src/model/group-forecast.ts'
import { answerCount } from '../src/model/member.ts'
import { meanOf } from '../src/model/metrics.ts'
import {
  type AnswerLevel,
  type AnswerModel,
  answerDistributions,
  distributionOf,
  moveLevel,
} from '../src/model/predictor.ts'
import { answerCustomers } from './blended.ts'
import { type ForecastPanel, meansByCutoff, panelScores } from './forecast-panel.ts'
import type { HeldOut } from './held-out.ts'

/** The level of everybody at one lead: how it is moved, and how well it is then known. Points of a net score. */
export interface MeasuredLevel extends AnswerLevel {
  /** Mean of answered less predicted, each answer counting for those it stands for. */
  readonly shift: number
  readonly error: GroupError
}

/** Fewer answers say too little about a lead of its own: all leads are taken together. */
const fewestAnswers = 50
/** Pairs of cutoffs from which it can be told how far a level moves by itself. */
const fewestPairs = 3

/**
 * Today's level is doubly robust: mean prediction over everybody + mean residual of those who answered, each counting
 * for those it stands for. It is right where either the predictions or the weights are. Instead of being added to
 * group figures the mean residual moves every customer's prediction, so that all figures agree.
 *
 * Ahead the level is held: over the cutoffs of the panel the mean forecast is that of today. Single customers and
 * groups move as forecast, but a drift of all of them, learned from what two or three seasons happened to bring, is
 * no forecast. How far the level then moved in as many days is part of the error.
 *
 * What is measured is the level of the members that had not learned from later data; members that have are moved to
 * the same level, not by the same distance: they know already a part of what the others were off by.
 *
 * Source: Robins, Rotnitzky & Zhao (1994); as a step after the fit: van der Laan & Rubin (2006), targeting.
 *
 * @param held held-out predictions by block, earlier ones first.
 */
export function measureLevels(
  model: AnswerModel,
  held: readonly HeldOut[],
  { judged, served, seed }: LevelPanels & { seed: number },
): MeasuredLevel[] {
  const { leadsDays } = served
  const judgedAt = (isWanted: (leadDays: number) => boolean) =>
    held.map((block) => judge(model, block, isWanted)).filter(({ residuals }) => residuals.length > 0)
  const all = judgedAt(() => true)
  if (all.length === 0) return []
  const [today, ...later] = leadsDays.map((leadDays, lead) => {
    const own = judgedAt((days) => nearest(leadsDays, days) === leadDays)
    const answers = own.reduce((sum, { residuals }) => sum + residuals.length, 0)
    const { shift, error } = errorOf(answers < fewestAnswers ? all : own, seed)
    const rows = new Set(judged.rows)
    const wanted = meanOf(panelScores(judged, lead)) + shift
    return { leadDays, intercept: interceptFor(pickPanel(served, lead, rows), wanted), shift, error }
  })
  return [today, ...later.map((level, index) => holdLevel(level, { today, panel: served, lead: index + 1 }))]
}

/** Forecasts of the same leads, the first of which is 0. */
interface LevelPanels {
  /** By members that have not learned from its rows. */
  readonly judged: ForecastPanel
  /** By the members that will serve, at these rows and others. */
  readonly served: ForecastPanel
}

/** Distributions at a lead of some dataset rows. */
function pickPanel(panel: ForecastPanel, lead: number, rows: ReadonlySet<number>): Float64Array {
  const places = Array.from(panel.rows.keys()).filter((place) => rows.has(panel.rows[place]))
  const picked = new Float64Array(places.length * answerCount)
  places.forEach((place, at) => {
    picked.set(distributionOf(panel.distributions[lead], place), at * answerCount)
  })
  return picked
}

/** Answers with what was predicted of them without having learned from them. */
interface Judged {
  /** Answered less predicted, in points. [answers] */
  readonly residuals: Float64Array
  readonly weights: Float32Array
  readonly customer: Int32Array
}

function judge(model: AnswerModel, block: HeldOut, isWanted: (leadDays: number) => boolean): Judged {
  const { answers } = block.labelled
  const picks = Array.from(answers?.leadDays.keys() ?? []).filter((i) => isWanted(answers?.leadDays[i] ?? 0))
  const distributions = new Float64Array(picks.length * answerCount)
  const everything = answerDistributions(model, answers?.row.length ?? 0, block.answers)
  picks.forEach((i, place) => {
    distributions.set(distributionOf(everything, i), place * answerCount)
  })
  const expected = expectedNetScores(distributions)
  const customers = answerCustomers(block.labelled)
  return {
    residuals: expected.map((value, place) => netScore(answers?.score[picks[place]] ?? 0) - value),
    weights: Float32Array.from(picks, (i) => answers?.answerWeight[i] ?? 0),
    customer: Int32Array.from(picks, (i) => customers[i]),
  }
}

function errorOf(blocks: readonly Judged[], seed: number): Pick<MeasuredLevel, 'shift' | 'error'> {
  const means = blocks.map(({ residuals, weights, customer }) => {
    const { mean, low, high } = clusterBootstrap({ values: residuals, weights, cluster: customer, seed })
    return { mean, standardError: Math.max((high - low) / (2 * 1.96), leastError(residuals)) }
  })
  const { mean: shift, standardError } = means.reduce(carryForward)
  const total = blocks.reduce((sum, { weights }) => sum + weights.reduce((a, b) => a + b, 0), 0)
  const squares = blocks.reduce(
    (sum, { residuals, weights }) =>
      sum + residuals.reduce((own, residual, i) => own + weights[i] * (residual - shift) ** 2, 0),
    0,
  )
  return { shift, error: { standardError, spread: Math.sqrt(squares / total) } }
}

/** Of a handful of equal residuals the bootstrap would say that nothing is in doubt. */
function leastError(residuals: Float64Array): number {
  return 100 / residuals.length
}

interface Estimate {
  readonly mean: number
  readonly standardError: number
}

/**
 * What a level will be at the end of two blocks. Where their squared distance is more than twice what chance explains,
 * the rest is drift: the later one counts for more, and half of it is still to come, as the end lies half as far from
 * the later block as that from the earlier one. Taking all that exceeds chance for drift would make every second
 * interval too wide for nothing.
 */
export function carryForward(earlier: Estimate, later: Estimate): Estimate {
  const [before, after] = [earlier.standardError ** 2, later.standardError ** 2]
  const drift = Math.max(0, (later.mean - earlier.mean) ** 2 - 2 * (before + after))
  const share = (before + drift) / (before + drift + after)
  return {
    mean: share * later.mean + (1 - share) * earlier.mean,
    standardError: Math.sqrt(share ** 2 * after + (1 - share) ** 2 * (before + drift) + drift / 2),
  }
}

/** As it is where too few pairs of cutoffs lie so far apart. */
function holdLevel(
  level: MeasuredLevel,
  { today, panel, lead }: { today: MeasuredLevel; panel: ForecastPanel; lead: number },
): MeasuredLevel {
  const { leadDays } = level
  const now = panelScores(panel, 0, [today])
  const intercept = interceptFor(panel.distributions[lead], meanOf(now))
  const ahead = meansByCutoff(panel, panelScores(panel, lead, [{ leadDays, intercept }]))
  const later = meansByCutoff(panel, now)
  const misses = [...ahead].flatMap(([cutoff, forecast]) => {
    const found = later.get(cutoff + leadDays)
    return found === undefined ? [] : found - forecast
  })
  if (misses.length < fewestPairs) return level
  const drift = meanOf(misses.map((miss) => miss ** 2))
  return {
    leadDays,
    intercept,
    shift: level.shift,
    error: { ...level.error, standardError: Math.sqrt(today.error.standardError ** 2 + drift) },
  }
}

const mostIntercept = 6

/** The intercept that brings the mean net score of some distributions to a level, by bisection. */
function interceptFor(distributions: Float64Array, wanted: number): number {
  const meanAt = (intercept: number) =>
    meanOf(expectedNetScores(moveLevel([{ leadDays: 0, intercept }], 0, distributions)))
  let [low, high] = [-mostIntercept, mostIntercept]
  while (high - low > 1e-3) {
    const middle = (low + high) / 2
    if (meanAt(middle) > wanted) low = middle
    else high = middle
  }
  return (low + high) / 2
}

function nearest(candidates: readonly number[], value: number): number {
  return candidates.reduce((best, other) => (Math.abs(other - value) < Math.abs(best - value) ? other : best))
}
