import { showDifferences } from '../impact/effect-by-customer.ts'
import type { ComparedArms, InitiativeComparison } from '../impact/initiative.ts'
import type { MeasuredMetric } from '../impact/measured-metrics.ts'
import { scoreByRows } from '../impact/measurement.ts'
import { crossFitRidge, fitRidge, linearAt } from '../impact/ridge.ts'
import { type JudgedCustomers, type Ranking, rankBy } from '../impact/targeting.ts'
import { foldsWithinArms, rowsWhere } from '../impact/treatment-effects.ts'
import type { Matrix } from '../model/matrix.ts'
import type { TransportedEffect } from './initiative-effects.ts'
import type { GainKind } from './treatment-gain.ts'

/** What orders of treating would have brought the customers of the experiment itself, in the unit of the gain. */
export interface OrderCheck {
  /** By the gain expected of each, made as for the population: differences only as far as they were shown. */
  readonly byGain: Ranking
  /** The same by effects as fitted, shown or not. */
  readonly byEffect: Ranking
  /** Those at most risk first, by what happened to the untreated; null where that is not known. */
  readonly byRisk: Ranking | null
  /** Gain per customer were everybody treated. */
  readonly everybody: number
  readonly customers: number
}

export interface CheckRequest {
  readonly comparison: InitiativeComparison
  readonly arm: ComparedArms
  readonly kind: GainKind
  /** Effects that the gain is made of. */
  readonly parts: readonly { readonly effect: Pick<TransportedEffect, 'metric' | 'horizonDays'> }[]
  readonly risk: Risk
  readonly seed: number
}

/** The outcome by which customers count as at risk. */
export interface Risk {
  readonly outcome: string
  /** Those are at risk of whom less of it is foretold. */
  readonly isDesired: boolean
}

/** Customers of a comparison with what orders them, by fits of other folds. By member. */
export interface OrderedCustomers {
  readonly customers: JudgedCustomers
  /** Gain expected of each, differences only as far as they were shown. */
  readonly shown: Float64Array
  /** The same as fitted. */
  readonly fitted: Float64Array
  /** Higher is more at risk; null where that is not known. */
  readonly risk: Float64Array | null
}

/**
 * Judges orders on the customers who were compared: each is ordered by fits of other folds, and what treating the first
 * ones brings is told by doubly robust scores of the gain. Null where too little is known of the gain.
 *
 * The gain is that within the horizons measured. How low a forecast lies, below which no risk can fall, has no say here.
 */
export function checkOrders(request: CheckRequest): OrderCheck | null {
  const ordered = orderCompared(request)
  if (ordered === null) return null
  const { customers, shown, fitted, risk } = ordered
  const { gain } = customers
  return {
    byGain: rankBy(customers, (row) => shown[row]),
    byEffect: rankBy(customers, (row) => fitted[row]),
    byRisk: risk && rankBy(customers, (row) => risk[row]),
    everybody: gain.reduce((sum, value) => sum + value, 0) / gain.length,
    customers: gain.length,
  }
}

/** What the customers of a comparison are ordered by. Null where too little is known of the gain. */
export function orderCompared(request: CheckRequest): OrderedCustomers | null {
  const { arm, parts, seed } = request
  const { members, comparison } = arm.pair
  const known = parts.flatMap((part) => measuredPart(request, part) ?? [])
  if (known.length < parts.length || known.length === 0) return null
  const total = Float64Array.from(known[0].outcome, (_, row) =>
    known.reduce((sum, { outcome, unit }) => sum + unit[row] * outcome[row], 0),
  )
  const masked = known.map(({ outcome }) =>
    outcome.map((own, row) => (Number.isNaN(total[row]) ? Number.NaN : own)),
  )
  const groups = scoreByRows([total, ...masked], arm.pair, seed)
  const group = groups.find(({ places }) => places.includes(0))
  if (!group) return null
  const own = group.scores[group.places.indexOf(0)]
  const gain = Float64Array.from(own.rows, (_, place) => own.treated[place] - own.control[place])
  const { foldOf, folds } = foldsWithinArms(comparison.isTreated, comparison.cluster, seed + 1)
  const cluster = own.rows.map((row) => comparison.cluster[row])
  const customers: JudgedCustomers = { rows: own.rows, gain, foldOf, cluster }
  const scored = group.places.flatMap((place, at) => {
    if (place === 0) return []
    const { treated, control, risk: foretold, rows } = group.scores[at]
    const target = new Float64Array(members.length)
    const risk = new Float64Array(members.length)
    for (const [index, row] of rows.entries()) {
      target[row] = treated[index] - control[index]
      risk[row] = foretold[index]
    }
    return [{ target, risk, unit: Float64Array.from(members, (row) => known[place - 1].unit[row]) }]
  })
  return {
    customers,
    ...foretellGains(scored, { ...request, customers, folds }),
    risk: foretellRisk(request, customers, folds),
  }
}

/** What happened of a part of the gain, and what a unit of it brings. By rows of all assigned. */
function measuredPart(
  { comparison, kind }: CheckRequest,
  { effect }: CheckRequest['parts'][number],
): { readonly outcome: Float64Array; readonly unit: Float64Array } | null {
  const metric = comparison.metrics.find(
    (own) => own.metric === effect.metric && own.horizonDays === effect.horizonDays,
  )
  if (!metric) return null
  const { outcome, worth } = metric
  const unit =
    kind.kind === 'outcome' ? new Float64Array(outcome.length).fill(kind.isDesired ? 1 : -1) : worth
  return unit && { outcome, unit }
}

/** A part's scores, and what a unit of it brings. By members. */
interface ScoredPart {
  readonly target: Float64Array
  /** What would happen without treatment. */
  readonly risk: Float64Array
  readonly unit: Float64Array
}

/** Gain of each member by fits of other folds: as fitted, and drawn to the average as far as other folds show. */
function foretellGains(
  parts: readonly ScoredPart[],
  { arm, customers, folds }: CheckRequest & { customers: JudgedCustomers; folds: number },
): { readonly fitted: Float64Array; readonly shown: Float64Array } {
  const { features } = arm.pair.comparison
  const { rows, foldOf } = customers
  const targets = parts.map(({ target }) => target)
  const fitted = new Float64Array(features.rows)
  const shown = new Float64Array(features.rows)
  if (parts.length === 0) return { fitted, shown }
  const { predictions, penalties } = crossFitRidge({ features, rows, foldOf, folds, targets })
  for (const [p, { target, risk, unit }] of parts.entries()) {
    for (let fold = 0; fold < folds; fold++) {
      const others = rows.filter((row) => foldOf[row] !== fold)
      const effect = others.reduce((sum, row) => sum + target[row], 0) / others.length
      const foretold = penalties[p] === null ? null : predictions[p]
      const { by, slope, mean } = showDifferences(others, { target, foretold, risk })
      const on = by === 'risk' ? risk : predictions[p]
      for (const row of rows) {
        if (foldOf[row] !== fold) continue
        fitted[row] += unit[row] * predictions[p][row]
        shown[row] += unit[row] * (effect + slope * (on[row] - mean))
      }
    }
  }
  return { fitted, shown }
}

function foretellRisk(
  request: CheckRequest,
  { foldOf }: JudgedCustomers,
  folds: number,
): Float64Array | null {
  const { arm, risk } = request
  const { features, isTreated } = arm.pair.comparison
  const outcome = riskOutcome(request)
  if (outcome === null) return null
  const rows = rowsWhere(isTreated, 0).filter((row) => !Number.isNaN(outcome[row]))
  const [foretold] = crossFitRidge({ features, rows, foldOf, folds, targets: [outcome] }).predictions
  return risk.isDesired ? foretold.map((own) => -own) : foretold
}

/** Fewest untreated customers that a risk is learned from. */
const fewestUntreated = 50

/** What happened to members of what counts as a risk, within the longest horizon known of enough untreated ones. */
function riskOutcome({
  comparison,
  arm,
  risk,
}: Pick<CheckRequest, 'comparison' | 'arm' | 'risk'>): Float64Array | null {
  const { members, comparison: compared } = arm.pair
  const isKnown = ({ outcome }: MeasuredMetric) =>
    rowsWhere(compared.isTreated, 0).filter((row) => !Number.isNaN(outcome[members[row]])).length >=
    fewestUntreated
  const metric = comparison.metrics.filter((own) => own.metric === risk.outcome && isKnown(own)).at(-1)
  return metric ? Float64Array.from(members, (row) => metric.outcome[row]) : null
}

/**
 * What would happen to each customer of a population without treatment, learned from the untreated of a comparison;
 * null where too few are known. **Shape** [customers]
 */
export function carryRisk(
  request: Pick<CheckRequest, 'comparison' | 'arm' | 'risk' | 'seed'>,
  population: Matrix,
): Float64Array | null {
  const outcome = riskOutcome(request)
  if (outcome === null) return null
  const { features, isTreated, cluster } = request.arm.pair.comparison
  const rows = rowsWhere(isTreated, 0).filter((row) => !Number.isNaN(outcome[row]))
  const { foldOf, folds } = foldsWithinArms(isTreated, cluster, request.seed)
  const { penalties, learned } = crossFitRidge({ features, rows, foldOf, folds, targets: [outcome] })
  const [fit] = fitRidge({ features, rows, targets: [outcome] }, { learned, penalties, cluster })
  return linearAt(fit, population)
}
