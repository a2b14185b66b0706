import { meanOf } from '../model/metrics.ts'
import { type Effect, effectOf } from './doubly-robust.ts'
import type { MeasuredMetric } from './measured-metrics.ts'
import { type Comparison, type OutcomeScores, scoreArms } from './treatment-effects.ts'

/** Where an effect comes from: chance decided, what was known before is adjusted for, or neither. */
export const evidences = ['experiment', 'adjusted', 'associational'] as const
export type Evidence = (typeof evidences)[number]

/** Whether one kind of evidence says less than another. */
export function isWeaker(evidence: Evidence, than: Evidence): boolean {
  return evidences.indexOf(evidence) > evidences.indexOf(than)
}

/** What one arm did to one metric, per customer and in the metric's own unit. Money in program currency. */
export interface MeasuredEffect {
  readonly metric: string
  readonly horizonDays: number
  readonly arm: string
  readonly unit: MeasuredMetric['unit']
  /** Customers of both arms whose metric is known. */
  readonly customers: number
  readonly effect: Effect
  /** Difference of the arms' means as they are, without any adjustment. */
  readonly plainDifference: number
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
/** Fewest customers whose value differs from the commonest one. */
const fewestDifferent = 5

/**
 * Effects of one arm on all metrics that are known of enough customers and vary at all. What is known of the same
 * customers shares its fits. The worth of an effect is estimated customer by customer like the effect itself, since
 * those who matter most may be moved most.
 */
export function measureEffects(
  metrics: readonly MeasuredMetric[],
  pair: ArmPair,
  seed: number,
): MeasuredEffect[] {
  const outcomes = metrics.map(({ outcome }) => outcome)
  const values = metrics.map(({ value }) => value)
  const scores = scoreKnown([...outcomes, ...values], pair, seed)
  return metrics.flatMap((metric, index) => {
    const own = scores.get(index)
    if (own === undefined) return []
    return [describe(metric, pair, { scores: own, worth: scores.get(metrics.length + index) ?? null })]
  })
}

/** Scores of the columns that enough customers of each arm have, by place. */
function scoreKnown(
  columns: readonly (Float64Array | null)[],
  pair: ArmPair,
  seed: number,
): ReadonlyMap<number, OutcomeScores> {
  const found = new Map<number, OutcomeScores>()
  for (const { scores, places } of scoreByRows(columns, pair, seed))
    for (const [at, own] of scores.entries()) found.set(places[at], own)
  return found
}

/** Columns that are known of the same customers, with their scores. */
export interface ScoredGroup {
  /** Which of the columns. */
  readonly places: readonly number[]
  readonly scores: readonly OutcomeScores[]
}

/** Scores columns, those that are known of the same customers together; left out where too few are known or differ. */
export function scoreByRows(
  columns: readonly (Float64Array | null)[],
  pair: ArmPair,
  seed: number,
): ScoredGroup[] {
  const groups: { readonly rows: Int32Array; readonly places: number[] }[] = []
  for (const [place, column] of columns.entries()) {
    if (column === null) continue
    const rows = knownMembers(column, pair)
    if (!isEnough(rows, pair) || !isVaried(rows, pick(column, pair))) continue
    const same = groups.find((group) => areEqual(group.rows, rows))
    if (same) same.places.push(place)
    else groups.push({ rows, places: [place] })
  }
  return groups.map(({ rows, places }) => {
    const outcomes = places.map((place) => pick(columns[place] as Float64Array, pair))
    return { places, scores: scoreArms(pair.comparison, { rows, outcomes, seed }) }
  })
}

/** Where nearly all customers have the same value, no interval of a difference can be trusted. */
function isVaried(rows: Int32Array, values: Float64Array): boolean {
  const counts = new Map<number, number>()
  for (const row of rows) counts.set(values[row], (counts.get(values[row]) ?? 0) + 1)
  return rows.length - Math.max(...counts.values()) >= fewestDifferent
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

/** What the effect was worth over all treated customers. */
function worthOf(scores: OutcomeScores, pair: ArmPair): MeasuredEffect['value'] {
  const { effect, ci95 } = effectOf(scores, clusterOf(scores, pair))
  const treated = scores.rows.reduce((sum, row) => sum + pair.comparison.isTreated[row], 0)
  return { total: effect * treated, ci95: [ci95[0] * treated, ci95[1] * treated] }
}

function clusterOf({ rows }: OutcomeScores, { comparison }: ArmPair): Int32Array {
  return rows.map((row) => comparison.cluster[row])
}

function describe(
  { metric, horizonDays, unit, outcome, isAnswered }: MeasuredMetric,
  pair: ArmPair,
  { scores, worth }: { scores: OutcomeScores; worth: OutcomeScores | null },
): MeasuredEffect {
  const effect = effectOf(scores, clusterOf(scores, pair))
  const [low, high] = effect.ci95
  return {
    ...{ metric, horizonDays, unit, arm: pair.arm, customers: scores.rows.length, effect },
    plainDifference: plainDifference(outcome, scores, pair),
    value: worth && worthOf(worth, pair),
    isDetected: low > 0 || high < 0,
    responseRate: isAnswered ? responseRates(scores, pair) : null,
  }
}

function plainDifference(
  outcome: Float64Array,
  { rows }: OutcomeScores,
  { members, comparison: { isTreated } }: ArmPair,
): number {
  const arm = (own: number) =>
    meanOf(
      Array.from(
        rows.filter((row) => isTreated[row] === own),
        (row) => outcome[members[row]],
      ),
    )
  return arm(1) - arm(0)
}

function responseRates({ rows }: OutcomeScores, { comparison: { isTreated } }: ArmPair) {
  const treated = isTreated.reduce((sum, own) => sum + own, 0)
  const answered = rows.reduce((sum, row) => sum + isTreated[row], 0)
  return {
    control: (rows.length - answered) / (isTreated.length - treated),
    treated: answered / treated,
  }
}
