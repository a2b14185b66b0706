import { type Effect, effectOf } from './doubly-robust.ts'
import type { MeasuredMetric } from './measured-metrics.ts'
import { type Comparison, type OutcomeScores, scoreArms } from './treatment-effects.ts'

/** Where an effect comes from: chance decided, what was known before is adjusted for, or neither. */
export type Evidence = 'experiment' | 'adjusted' | 'associational'

/** What one arm did to one metric, per customer and in the metric's own unit. Money in program currency. */
export interface MeasuredEffect {
  readonly metric: string
  readonly horizonDays: number
  readonly arm: string
  readonly unit: MeasuredMetric['unit']
  /** Customers of both arms whose metric is known. */
  readonly customers: number
  readonly effect: Effect
  /** The interval does not hold 0. */
  readonly isDetected: boolean
  /** What it was worth over all treated customers whose metric is known; null: no money is configured for it. */
  readonly value: { readonly total: number; readonly ci95: readonly [number, number] } | null
  /** Share of each arm that answered; null where nobody was to answer. */
  readonly responseRate: { readonly control: number; readonly treated: number } | null
}

/** Customers of two arms, in the rows of all customers. */
export interface ArmPair {
  readonly arm: string
  /** Rows of the customers compared, ascending. */
  readonly members: Int32Array
  /** [members] */
  readonly comparison: Comparison
}

/** Fewest customers with a known metric in either arm. */
const fewestOfAnArm = 10

/**
 * Effects of one arm on all metrics that are known of enough customers. Metrics that are known of the same customers
 * share their fits.
 */
export function measureEffects(
  metrics: readonly MeasuredMetric[],
  pair: ArmPair,
  seed: number,
): MeasuredEffect[] {
  const groups: { readonly rows: Int32Array; readonly indices: number[] }[] = []
  for (const [index, { outcome }] of metrics.entries()) {
    const rows = knownMembers(outcome, pair)
    const same = groups.find((group) => areEqual(group.rows, rows))
    if (same) same.indices.push(index)
    else if (isEnough(rows, pair)) groups.push({ rows, indices: [index] })
  }
  const effects = new Map<number, MeasuredEffect>()
  for (const { rows, indices } of groups) {
    const outcomes = indices.map((index) => pick(metrics[index].outcome, pair))
    for (const [place, scores] of scoreArms(pair.comparison, { rows, outcomes, seed }).entries()) {
      const metric = metrics[indices[place]]
      effects.set(indices[place], describe(metric, pair, { scores, value: worthOf(metric, pair, seed) }))
    }
  }
  return [...effects].sort(([a], [b]) => a - b).map(([, effect]) => effect)
}

function areEqual(a: Int32Array, b: Int32Array): boolean {
  return a.length === b.length && a.every((row, place) => row === b[place])
}

function pick(values: Float64Array, { members }: ArmPair): Float64Array {
  return Float64Array.from(members, (row) => values[row])
}

/** Places among the members where a value is known. */
function knownMembers(values: Float64Array, { members }: ArmPair): Int32Array {
  return Int32Array.from(members.keys()).filter((place) => !Number.isNaN(values[members[place]]))
}

function isEnough(rows: Int32Array, { comparison }: ArmPair): boolean {
  const treated = rows.reduce((sum, row) => sum + comparison.isTreated[row], 0)
  return Math.min(treated, rows.length - treated) >= fewestOfAnArm
}

/** Worth of the effect: itself estimated customer by customer, since those who matter most may be moved most. */
function worthOf({ value }: MeasuredMetric, pair: ArmPair, seed: number): MeasuredEffect['value'] {
  if (value === null) return null
  const rows = knownMembers(value, pair)
  if (!isEnough(rows, pair)) return null
  const { comparison } = pair
  const [scores] = scoreArms(comparison, { rows, outcomes: [pick(value, pair)], seed })
  const { effect, ci95 } = effectOf(scores, clusterOf(scores, pair))
  const treated = rows.reduce((sum, row) => sum + comparison.isTreated[row], 0)
  return { total: effect * treated, ci95: [ci95[0] * treated, ci95[1] * treated] }
}

function clusterOf({ rows }: OutcomeScores, { comparison }: ArmPair): Int32Array {
  return rows.map((row) => comparison.cluster[row])
}

function describe(
  { metric, horizonDays, unit, isAnswered }: MeasuredMetric,
  pair: ArmPair,
  { scores, value }: { scores: OutcomeScores; value: MeasuredEffect['value'] },
): MeasuredEffect {
  const effect = effectOf(scores, clusterOf(scores, pair))
  const [low, high] = effect.ci95
  return {
    ...{ metric, horizonDays, unit, arm: pair.arm, customers: scores.rows.length, effect, value },
    isDetected: low > 0 || high < 0,
    responseRate: isAnswered ? responseRates(scores, pair) : null,
  }
}

function responseRates({ rows }: OutcomeScores, { comparison: { isTreated } }: ArmPair) {
  const treated = isTreated.reduce((sum, own) => sum + own, 0)
  const answered = rows.reduce((sum, row) => sum + isTreated[row], 0)
  return {
    control: (rows.length - answered) / (isTreated.length - treated),
    treated: answered / treated,
  }
}
