import { type Matrix, selectRows } from '../model/matrix.ts'
import { meanOf } from '../model/metrics.ts'
import { type Effect, effectOf } from './doubly-robust.ts'
import { crossFitRidge, fitRidge, type LinearFit, linearAt, type RidgeFit, variancesAt } from './ridge.ts'
import { type Comparison, foldsWithinArms, type OutcomeScores } from './treatment-effects.ts'

/** What an arm does to customers by what is known of them, per customer and in the unit of the outcome. */
export interface CustomerEffects {
  /** Over those who were compared. */
  readonly average: Effect
  /** How much of the fitted differences is kept: 0 where none was shown, and everybody gets the average. */
  readonly slope: number
  readonly fit: RidgeFit
}

/** A penalty draws differences towards nothing; a slope above 1 undoes it, so far. */
const mostSlope = 1.5
/** Where no differences were shown they are still fitted, this heavily, to know how large they might be. */
const heavyPenalty = 2

/**
 * Learns the effect on each customer from doubly robust scores, whose mean given what is known is that effect: of several
 * outcomes that are known of the same customers.
 *
 * Two ways in which effects may differ are tried: with all that is known, and with what would happen without treatment
 * alone, which takes less to be shown. See {@link showDifferences}.
 * Source: Kennedy (2023), DR-learner; Kent et al. (2020), effects by risk.
 */
export function fitCustomerEffects(
  scores: readonly OutcomeScores[],
  { features, isTreated, cluster }: Comparison,
  seed: number,
): CustomerEffects[] {
  if (scores.length === 0) return []
  const { rows } = scores[0]
  const { foldOf, folds } = foldsWithinArms(isTreated, cluster, seed + 1)
  const spread = (values: (place: number) => number) => {
    const all = new Float64Array(features.rows)
    for (const [place, row] of rows.entries()) all[row] = values(place)
    return all
  }
  const targets = scores.map(({ treated, control }) => spread((place) => treated[place] - control[place]))
  const { predictions, penalties, learned } = crossFitRidge({ features, rows, foldOf, folds, targets })
  const shown = scores.map(({ risk }, index) =>
    showDifferences(rows, {
      target: targets[index],
      foretold: penalties[index] === null ? null : predictions[index],
      risk: spread((place) => risk[place]),
    }),
  )
  const chosen = shown.map(({ by }, index) => (by === 'features' ? penalties[index] : heavyPenalty))
  const isSpread = shown.map(({ by }) => by === 'features')
  const fits = fitRidge({ features, rows, targets }, { learned, penalties: chosen, cluster, isSpread })
  const own = rows.map((row) => cluster[row])
  return scores.map((score, index) => {
    const average = effectOf(score, own)
    const differences = shown[index]
    return differences.by === 'risk'
      ? {
          average,
          slope: 1,
          fit: fitOnRisk(average, differences, { features, rows, risk: score.riskFit }),
        }
      : { average, slope: differences.slope, fit: fits[index] }
  })
}

/** What effects were shown to go with; null: nothing, and everybody gets the average. */
export interface Differences {
  readonly by: 'features' | 'risk' | null
  /** Of effects on what they go with; 0 where nothing was shown. */
  readonly slope: number
  readonly standardError: number
  /** Of what they go with. */
  readonly mean: number
}

const nothingShown: Differences = { by: null, slope: 0, standardError: 0, mean: 0 }
/** How sure a slope must be, so that by either way differences are shown by chance five times in a hundred: 97.5% each. */
const oneSided = 1.96
const twoSided = 2.241

/**
 * How far effects differ, judged on customers that the fits did not see: scores are set against what was foretold of the
 * effect (null: nothing), and against the risk. Without a slope beyond chance nothing is shown; of two, the surer counts.
 * Source: Chernozhukov, Demirer, Duflo & Fernández-Val (2018), best linear predictor.
 */
export function showDifferences(
  rows: Int32Array,
  { target, foretold, risk }: { target: Float64Array; foretold: Float64Array | null; risk: Float64Array },
): Differences {
  const byFeatures = foretold && regress(rows, target, foretold)
  const byRisk = regress(rows, target, risk)
  const sureness = ({ slope, standardError }: Slope) => (standardError > 0 ? slope / standardError : 0)
  const features = byFeatures === null ? 0 : sureness(byFeatures)
  const ofRisk = Math.abs(sureness(byRisk))
  if (byFeatures !== null && features > oneSided && features >= ofRisk)
    return { by: 'features', ...byFeatures, slope: Math.min(mostSlope, byFeatures.slope) }
  return ofRisk > twoSided ? { by: 'risk', ...byRisk } : nothingShown
}

type Slope = Pick<Differences, 'slope' | 'standardError' | 'mean'>

/** Slope of scores on a number, robust against unequal spread and single customers that pull it (HC3). */
function regress(rows: Int32Array, target: Float64Array, on: Float64Array): Slope {
  const meanAt = (values: Float64Array) => rows.reduce((sum, row) => sum + values[row], 0) / rows.length
  const [targetMean, mean] = [meanAt(target), meanAt(on)]
  let products = 0
  let squares = 0
  for (const row of rows) {
    products += (target[row] - targetMean) * (on[row] - mean)
    squares += (on[row] - mean) ** 2
  }
  if (squares === 0) return { slope: 0, standardError: 0, mean }
  const slope = products / squares
  let errors = 0
  for (const row of rows) {
    const off = on[row] - mean
    const pull = 1 / rows.length + off ** 2 / squares
    errors += ((off * (target[row] - targetMean - slope * off)) / (1 - pull)) ** 2
  }
  return { slope, standardError: Math.sqrt(errors) / squares, mean }
}

/** An effect that is larger or smaller the higher the risk. */
function fitOnRisk(
  average: Effect,
  { slope, standardError }: Differences,
  { features, rows, risk }: { features: Matrix; rows: Int32Array; risk: LinearFit },
): RidgeFit {
  const off = risk.intercept - meanOf(linearAt(risk, selectRows(features, rows)))
  return {
    intercept: average.effect + slope * off,
    weights: risk.weights.map((weight) => slope * weight),
    spread: {
      kind: 'slope',
      level: average.standardError ** 2,
      slope: standardError ** 2,
      along: { intercept: off, weights: risk.weights },
    },
  }
}

/** Effect on each of some customers. **Shape** [customers]; features as those of the comparison were encoded */
export function effectsAt({ average, slope, fit }: CustomerEffects, features: Matrix): Float64Array {
  return linearAt(fit, features).map((own) => average.effect + slope * (own - average.effect))
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
  const only = { rows: 1, columns: row.length, values: Float32Array.from(row) }
  const { effect, standardError } = effectFiguresAt(effects, only)
  return { effect: effect[0], standardError: standardError[0] }
}

/** The effect on each of many customers with its standard error. [customers] each */
export function effectFiguresAt(
  effects: CustomerEffects,
  features: Matrix,
): { readonly effect: Float64Array; readonly standardError: Float64Array } {
  const { slope, fit } = effects
  const fitted = linearAt(fit, features)
  const variances =
    slope > 0 && fit.spread ? variancesAt(fit.spread, features) : new Float64Array(features.rows)
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
