import type { Day } from '../domain/days.ts'
import { epochDay } from '../domain/days.ts'
import type { Program } from '../domain/program.ts'
import { partsBegin } from '../features/data-begins.ts'
import type { BehaviourRelations } from '../features/features.ts'
import type { Database } from '../lake/database.ts'
import type { Lake } from '../lake/lake.ts'
import { type EventsAfter, readAnswersAfter, readEventsAfter } from '../outcomes/after-cutoff.ts'
import { knownUntil } from '../outcomes/known-until.ts'
import { readOutcomeDays } from '../outcomes/outcome-days.ts'
import { readAnnualValues } from './annual-value.ts'
import type { Assignments } from './assignments.ts'

export type MetricUnit = 'probability' | 'points' | 'count' | 'money'

/** What may have been changed, customer by customer. **Shape** arrays are [customers]. */
export interface MeasuredMetric {
  /** An outcome, `nps`, `csat`, `ces`, `revenue` or an event type. */
  readonly metric: string
  readonly unit: MetricUnit
  readonly horizonDays: number
  /** Happened (1) or not, net promoter points, count or money. NaN: not known. */
  readonly outcome: Float64Array
  /** What that is worth in program currency, more being better; NaN where not known. Null: no money is configured. */
  readonly value: Float64Array | null
  /** What a unit of the outcome is worth of each customer, in program currency; null where no money is configured. */
  readonly worth: Float64Array | null
  /** Known only of those who answered. */
  readonly isAnswered: boolean
}

export interface MetricRequest {
  readonly program: Program
  readonly lake: Lake
  readonly relations: BehaviourRelations
  readonly asOf: Day
}

/**
 * Reads what happened after the assignments in the table `spine`: outcomes and revenue within each horizon, answers
 * and counts of events within the longest one that any customer has been observed for.
 */
export async function readMetrics(
  database: Database,
  assignments: Assignments,
  request: MetricRequest,
): Promise<MeasuredMetric[]> {
  const { program, lake, relations } = request
  const annual = await readAnnualValues(database, { program, state: lake.state, relations, spine: 'spine' })
  const outcomes = await readOutcomes(database, { spine: 'spine', annual }, request)
  const horizons = program.horizonsDays.filter((days) => isObserved(assignments, days, request.asOf))
  if (horizons.length === 0) return outcomes
  return [
    ...outcomes,
    ...(await readAnswers(
      database,
      { spine: 'spine', rows: assignments.arm.length },
      { ...request, horizonDays: horizons[horizons.length - 1] },
    )),
    ...(await readBehaviour(database, assignments, { ...request, horizons })),
  ]
}

/** Whether so many days after the assignment lie within the data of any customer. */
function isObserved({ day }: Assignments, horizonDays: number, asOf: Day): boolean {
  const last = epochDay(asOf)
  return day.some((assigned) => assigned - 1 + horizonDays <= last)
}

/**
 * Reads whether each outcome came within each horizon behind the cutoffs of a spine.
 *
 * @param annual what each row's customer brings in a year, for the worth of those who stay; null: not needed.
 */
export async function readOutcomes(
  database: Database,
  { spine, annual }: { readonly spine: string; readonly annual: Float64Array | null },
  { program, lake, relations, asOf }: MetricRequest,
): Promise<MeasuredMetric[]> {
  const { margin, gains } = program.value
  const metrics: MeasuredMetric[] = []
  for (const outcome of program.outcomes) {
    const days = await readOutcomeDays(database, outcome, {
      program,
      state: lake.state,
      relations,
      spine,
      asOf,
    })
    if (days === null) continue
    const worth =
      outcome.name === 'churn' && annual !== null && margin !== null && program.value.annualValue !== null
        ? (row: number) => -annual[row] * margin
        : outcome.name in gains
          ? () => gains[outcome.name]
          : null
    for (const horizonDays of program.horizonsDays) {
      const happened = days.event.map((event, row) => {
        if (!(days.known[row] >= horizonDays)) return Number.NaN
        return event <= horizonDays === (outcome.kind === 'event') ? 1 : 0
      })
      metrics.push({
        metric: outcome.name,
        unit: 'probability',
        horizonDays,
        outcome: happened,
        value: worth && happened.map((own, row) => own * worth(row)),
        worth: worth && Float64Array.from(happened, (_, row) => worth(row)),
        isAnswered: false,
      })
    }
  }
  return metrics
}

/** Reads the first answer of each metric within so many days behind the cutoffs of a spine. */
export async function readAnswers(
  database: Database,
  { spine, rows }: { readonly spine: string; readonly rows: number },
  { relations, asOf, horizonDays }: Pick<MetricRequest, 'relations' | 'asOf'> & { horizonDays: number },
): Promise<MeasuredMetric[]> {
  const request = { relations, spine, rows, asOf, horizonDays }
  const answers = await readAnswersAfter(database, request)
  return [...answers]
    .filter(([, scores]) => scores.some((score) => !Number.isNaN(score)))
    .map(([metric, scores]) => ({
      metric,
      unit: 'points',
      horizonDays,
      outcome: metric === 'nps' ? scores.map(netPoints) : scores,
      value: null,
      worth: null,
      isAnswered: true,
    }))
}

/** 100 for a promoter, -100 for a detractor: the mean is the net promoter score. */
function netPoints(score: number): number {
  if (Number.isNaN(score)) return score
  return score >= 9 ? 100 : score <= 6 ? -100 : 0
}

/** Most event types that are counted. */
const mostTypes = 24

interface BehaviourRequest extends MetricRequest {
  readonly horizons: readonly number[]
}

/** Revenue within each horizon, and how often each type of event came within the longest. */
async function readBehaviour(
  database: Database,
  assignments: Assignments,
  request: BehaviourRequest,
): Promise<MeasuredMetric[]> {
  const { program, lake, relations, asOf, horizons } = request
  const { sumOf } = { sumOf: null, ...program.value.annualValue }
  const types = [...partsBegin(lake.state, 'events', asOf).keys()].sort()
  const counted = types
    .filter((type) => program.outcomes.every(({ name }) => name !== type))
    .slice(0, mostTypes)
  const metrics: MeasuredMetric[] = []
  for (const horizonDays of horizons) {
    const rows = assignments.arm.length
    const scope = { relations, spine: 'spine', rows, asOf, horizonDays }
    const after = await readEventsAfter(database, sumOf ?? types, scope)
    const seen: SeenEvents = { after, isKnown: knownWithin(assignments, request, horizonDays), horizonDays }
    const revenue = revenueOf(program, sumOf ?? types, seen)
    if (revenue) metrics.push(revenue)
    if (horizonDays !== horizons[horizons.length - 1]) continue
    const all = sumOf === null ? after : await readEventsAfter(database, counted, scope)
    metrics.push(...counted.map((type) => countOf(program, type, { ...seen, after: all })))
  }
  return metrics
}

interface SeenEvents {
  readonly after: EventsAfter
  readonly isKnown: (types: readonly string[]) => (row: number) => boolean
  readonly horizonDays: number
}

/** Whether all events of some types are known of a customer for so many days. */
function knownWithin(
  { day }: Assignments,
  { program, lake, asOf }: MetricRequest,
  horizonDays: number,
): SeenEvents['isKnown'] {
  return (types) => {
    const until = knownUntil(program, lake.state, types)
    const last = epochDay(until !== null && until < asOf ? until : asOf)
    return (row) => day[row] - 1 + horizonDays <= last
  }
}

function revenueOf(
  { value: { margin } }: Program,
  types: readonly string[],
  { after, isKnown, horizonDays }: SeenEvents,
): MeasuredMetric | null {
  const valued = types.filter((type) => after.values.get(type)?.some((value) => value !== 0))
  if (valued.length === 0) return null
  const isRowKnown = isKnown(valued)
  const columns = valued.map((type) => after.values.get(type) as Float64Array)
  const outcome = Float64Array.from(columns[0], (_, row) =>
    isRowKnown(row) ? columns.reduce((sum, values) => sum + values[row], 0) : Number.NaN,
  )
  const value = margin === null ? null : outcome.map((own) => own * margin)
  const worth = margin === null ? null : new Float64Array(outcome.length).fill(margin)
  return { metric: 'revenue', unit: 'money', horizonDays, outcome, value, worth, isAnswered: false }
}

function countOf(
  { value: { contactCost }, meaning }: Program,
  type: string,
  { after, isKnown, horizonDays }: SeenEvents,
): MeasuredMetric {
  const isRowKnown = isKnown([type])
  const counts = after.counts.get(type) as Float64Array
  const outcome = counts.map((count, row) => (isRowKnown(row) ? count : Number.NaN))
  const isCostly = contactCost !== null && meaning.contact.includes(type)
  const value = isCostly ? outcome.map((count) => -count * contactCost) : null
  const worth = isCostly ? new Float64Array(outcome.length).fill(-contactCost) : null
  return { metric: type, unit: 'count', horizonDays, outcome, value, worth, isAnswered: false }
}
