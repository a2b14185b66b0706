import type { Matrix } from '../model/matrix.ts'
import { type Effect, effectOf } from './doubly-robust.ts'
import { crossFitRidge, fitRidge, type RidgeFit } from './ridge.ts'
import { type Comparison, foldsWithinArms, type OutcomeScores } from './treatment-effects.ts'

/** What an arm does to customers by what is known of them, per customer and in the unit of the outcome. */
export interface CustomerEffects {
  /** Over those who were compared. */
  readonly average: Effect
  /** How much of the fitted differences is kept: 0 where none was shown, and everybody gets the average. */
  readonly slope: number
  readonly fit: RidgeFit
}

/** What is needed of one-sided 95% bounds. */
const quantile = 1.645
/** A penalty draws differences towards nothing; a slope above 1 undoes it, so far. */
const mostSlope = 1.5
/** Where no differences were shown they are still fitted, this heavily, to know how large they might be. */
const heavyPenalty = 2

/**
 * Learns the effect on each customer from doubly robust scores, whose mean given what is known is that effect: of several
 * outcomes that are known of the same customers.
 *
 * How far effects differ is judged on customers that the fit did not see: scores are set against what was foretold of
 * them. Without a slope above 0 beyond chance everybody gets the average; another slope than 1 draws effects towards it,
 * or undoes what the penalty drew.
 * Source: Kennedy (2023), DR-learner; Chernozhukov, Demirer, Duflo & Fernández-Val (2018), best linear predictor.
 */
export function fitCustomerEffects(
  scores: readonly OutcomeScores[],
  { features, isTreated, cluster }: Comparison,
  seed: number,
): CustomerEffects[] {
  if (scores.length === 0) return []
  const { rows } = scores[0]
  const { foldOf, folds } = foldsWithinArms(isTreated, cluster, seed + 1)
  const targets = scores.map(({ treated, control }) => {
    const target = new Float64Array(features.rows)
    for (const [place, row] of rows.entries()) target[row] = treated[place] - control[place]
    return target
  })
  const { predictions, penalties, learned } = crossFitRidge({ features, rows, foldOf, folds, targets })
  const slopes = targets.map((target, index) =>
    penalties[index] === null ? 0 : slopeOf(rows, { target, foretold: predictions[index] }),
  )
  const chosen = slopes.map((slope, index) => (slope > 0 ? penalties[index] : heavyPenalty))
  const fits = fitRidge({ features, rows, targets }, { learned, penalties: chosen, cluster })
  const own = rows.map((row) => cluster[row])
  return scores.map((score, index) => ({
    average: effectOf(score, own),
    slope: slopes[index],
    fit: fits[index],
  }))
}

/** Slope of scores on what was foretold of them, 0 to 1.5; 0 where it might be chance. */
export function slopeOf(
  rows: Int32Array,
  { target, foretold }: { target: Float64Array; foretold: Float64Array },
): number {
  const mean = (values: Float64Array) => rows.reduce((sum, row) => sum + values[row], 0) / rows.length
  const [targetMean, foretoldMean] = [mean(target), mean(foretold)]
  let products = 0
  let squares = 0
  for (const row of rows) {
    products += (target[row] - targetMean) * (foretold[row] - foretoldMean)
    squares += (foretold[row] - foretoldMean) ** 2
  }
  if (squares === 0) return 0
  const slope = products / squares
  let errors = 0
  for (const row of rows) {
    const off = foretold[row] - foretoldMean
    errors += (off * (target[row] - targetMean - slope * off)) ** 2
  }
  return slope - (quantile * Math.sqrt(errors)) / squares > 0 ? Math.min(mostSlope, slope) : 0
}

/** Effect on each of some customers. **Shape** [customers]; features as those of the comparison were encoded */
export function effectsAt({ average, slope, fit }: CustomerEffects, features: Matrix): Float64Array {
  return fittedAt(fit, features).map((own) => average.effect + slope * (own - average.effect))
}

/** What a fit foretells of each row. [rows] */
export function fittedAt(fit: RidgeFit, { rows, columns, values }: Matrix): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) =>
    fittedOf(fit, values.subarray(row * columns, (row + 1) * columns)),
  )
}

function fittedOf({ intercept, weights }: RidgeFit, row: ArrayLike<number>): number {
  let own = intercept
  for (let c = 0; c < weights.length; c++) own += weights[c] * row[c]
  return own
}

/**
 * Mean effect on other customers than those compared, with its standard error. The part of the fitted difference to
 * those compared that was drawn towards the average counts as error: it may be real.
 */
export function meanEffectAt(effects: CustomerEffects, population: Matrix): EffectFigure {
  const { rows, columns, values } = population
  const middle = new Float64Array(columns)
  for (let at = 0; at < values.length; at++) middle[at % columns] += values[at] / rows
  return effectAtRow(effects, middle)
}

/** An effect with its standard error. */
export interface EffectFigure {
  readonly effect: number
  readonly standardError: number
}

/**
 * The effect on a customer, or the mean one on a group, by its features or the mean of theirs: effects are linear in
 * them. [columns]
 */
export function effectAtRow(effects: CustomerEffects, row: ArrayLike<number>): EffectFigure {
  const { slope, fit } = effects
  return figureAt(effects, fittedOf(fit, row), slope > 0 ? fit.varianceAt(row) : 0)
}

/** The effect on each of many customers with its standard error. [customers] each */
export function effectFiguresAt(
  effects: CustomerEffects,
  features: Matrix,
): { readonly effect: Float64Array; readonly standardError: Float64Array } {
  const fitted = fittedAt(effects.fit, features)
  const variances = effects.slope > 0 ? effects.fit.variancesAt(features) : new Float64Array(features.rows)
  const figures = Array.from(fitted, (own, row) => figureAt(effects, own, variances[row]))
  return {
    effect: Float64Array.from(figures, ({ effect }) => effect),
    standardError: Float64Array.from(figures, ({ standardError }) => standardError),
  }
}

function figureAt({ average, slope }: CustomerEffects, fitted: number, ownVariance: number): EffectFigure {
  const difference = fitted - average.effect
  const kept = Math.min(1, slope)
  const variance =
    kept ** 2 * ownVariance + (1 - kept ** 2) * average.standardError ** 2 + ((1 - kept) * difference) ** 2
  return { effect: average.effect + slope * difference, standardError: Math.sqrt(variance) }
}
