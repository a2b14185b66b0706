import jStat from 'jstat'
import type { Program } from '../domain/program.ts'
import { densePositions } from '../model/folds.ts'
import type { MeasuredMetric } from './measured-metrics.ts'
import { type ArmPair, scoreByRows } from './measurement.ts'
import { crossFitRidge } from './ridge.ts'
import { type Comparison, foldsWithinArms, type OutcomeScores, rowsWhere } from './treatment-effects.ts'

/** How much more an order of treating brings than treating as many at random. */
export interface Ranking {
  /**
   * Area between the gain curve and that of treating at random, in the outcome's unit per customer: the mean over all
   * shares treated. 0: no better than at random.
   */
  readonly qini: number
  readonly ci95: readonly [number, number]
  /** Gain per customer of the whole population when so many of them are treated, by tenths from 0 to 1. [11] */
  readonly gains: readonly number[]
}

/** Whom to treat first, judged on customers that no order was learned from. More is better in all gains. */
export interface Targeting {
  /** By the effect foretold of each customer. */
  readonly byEffect: Ranking
  /** By what is foretold to happen without treatment, those at most risk first. */
  readonly byRisk: Ranking
  /** Gain where everybody is treated: that at random is in proportion. */
  readonly everybody: number
}

/**
 * Orders customers by the effect foretold of them, and by their risk, and tells what treating the first ones brings.
 *
 * Every customer is ordered by fits of other folds, within the fold; gains are sums of doubly robust scores, so that
 * nothing but chance and the arms' own outcomes speaks for an order.
 * Source: Radcliffe (2007), the Qini measure.
 *
 * @param direction 1 where more of the outcome is better, -1 where less is.
 */
export function judgeTargeting(
  { rows, control, treated }: OutcomeScores,
  comparison: Comparison & { readonly outcome: ArrayLike<number> },
  { direction, seed }: { direction: 1 | -1; seed: number },
): Targeting {
  const { features, isTreated, cluster, outcome } = comparison
  const { foldOf, folds } = foldsWithinArms(isTreated, cluster, seed + 1)
  const gain = Float64Array.from(rows, (_, place) => direction * (treated[place] - control[place]))
  const target = new Float64Array(features.rows)
  for (const [place, row] of rows.entries()) target[row] = gain[place]
  const untreated = rowsWhere(isTreated, 0).filter((row) => !Number.isNaN(outcome[row]))
  const [effects] = crossFitRidge({ features, rows, foldOf, folds, targets: [target] }).predictions
  const [risks] = crossFitRidge({ features, rows: untreated, foldOf, folds, targets: [outcome] }).predictions
  const customers = { rows, gain, foldOf, cluster: rows.map((row) => cluster[row]) }
  return {
    byEffect: rankBy(customers, (row) => effects[row]),
    byRisk: rankBy(customers, (row) => -direction * risks[row]),
    everybody: gain.reduce((sum, value) => sum + value, 0) / gain.length,
  }
}

/** Whom to treat first for one metric; null where too few are known of. */
export function targetMetric(
  program: Program,
  metric: MeasuredMetric,
  { pair, seed }: { pair: ArmPair; seed: number },
): Targeting | null {
  const [group] = scoreByRows([metric.outcome], pair, seed)
  if (group === undefined) return null
  const outcome = Float64Array.from(pair.members, (row) => metric.outcome[row])
  const direction = isMoreBetter(program, metric) ? 1 : -1
  return judgeTargeting(group.scores[0], { ...pair.comparison, outcome }, { direction, seed })
}

/** Undesired outcomes and contacts are better the fewer they are. */
function isMoreBetter({ outcomes, meaning }: Program, { metric, unit }: MeasuredMetric): boolean {
  const outcome = outcomes.find(({ name }) => name === metric)
  if (unit === 'probability') return outcome?.isDesired ?? false
  return !meaning.contact.includes(metric)
}

/** Customers whose gain is known and who were put into folds. **Shape** arrays by place are [rows]. */
export interface JudgedCustomers {
  readonly rows: Int32Array
  /** Unbiased account of what treating each brings, more being better. By place. */
  readonly gain: Float64Array
  /** By row. */
  readonly foldOf: ArrayLike<number>
  /** Customers who were assigned together share a number. By place. */
  readonly cluster: Int32Array
}

/** What an order of treating brings, those with the highest score first within each fold; equal ones share their places. */
export function rankBy(customers: JudgedCustomers, score: (row: number) => number): Ranking {
  return rankingOf(customers, spansOf(customers, score))
}

/** From which to which share of the customers of its fold each stands. By place. */
interface Spans {
  readonly from: Float64Array
  readonly to: Float64Array
}

/** Where customers stand in an order. */
export function spansOf(
  { rows, foldOf }: Pick<JudgedCustomers, 'rows' | 'foldOf'>,
  score: (row: number) => number,
): Spans {
  const spans = { from: new Float64Array(rows.length), to: new Float64Array(rows.length) }
  const byFold = new Map<number, number[]>()
  for (const [place, row] of rows.entries()) {
    const places = byFold.get(foldOf[row])
    if (places) places.push(place)
    else byFold.set(foldOf[row], [place])
  }
  const scores = Float64Array.from(rows, score)
  for (const places of byFold.values()) {
    places.sort((a, b) => scores[b] - scores[a] || a - b)
    for (let first = 0, next = 0; first < places.length; first = next) {
      while (next < places.length && scores[places[next]] === scores[places[first]]) next++
      for (const place of places.slice(first, next)) {
        spans.from[place] = first / places.length
        spans.to[place] = next / places.length
      }
    }
  }
  return spans
}

function rankingOf({ gain, cluster }: JudgedCustomers, { from, to }: Spans): Ranking {
  const weighed = gain.map((value, place) => value * (0.5 - (from[place] + to[place]) / 2))
  const qini = weighed.reduce((sum, value) => sum + value, 0) / gain.length
  const { position, count } = densePositions(cluster)
  const sums = new Float64Array(count)
  for (let place = 0; place < weighed.length; place++) sums[position[place]] += weighed[place] - qini
  const squares = sums.reduce((sum, value) => sum + value * value, 0)
  const error = Math.sqrt((squares * count) / Math.max(1, count - 1)) / gain.length
  const half = jStat.studentt.inv(0.975, Math.max(1, count - 1)) * error
  const treated = (share: number) => (value: number, place: number) =>
    value * Math.min(1, Math.max(0, (share - from[place]) / (to[place] - from[place])))
  const gains = Array.from(
    { length: 11 },
    (_, tenth) => gain.map(treated(tenth / 10)).reduce((sum, value) => sum + value, 0) / gain.length,
  )
  return { qini, ci95: [qini - half, qini + half], gains }
}
