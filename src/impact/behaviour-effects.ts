import type { Catalogue, Feature } from '../features/catalogue.ts'
import { type FeatureFrame, readFeatures } from '../features/features.ts'
import type { Database } from '../lake/database.ts'
import type { Lake } from '../lake/lake.ts'
import { fitterHere } from '../model/fitter.ts'
import { foldsByCustomer } from '../model/folds.ts'
import { type Matrix, selectRows } from '../model/matrix.ts'
import { type EffectOnExposed, effectOnExposed } from './effect-on-exposed.ts'
import { type EncounterRequest, type Encounters, findEncounters } from './encounters.ts'
import { type MeasuredMetric, readAnswers, readOutcomes } from './measured-metrics.ts'
import { crossFitRidge } from './ridge.ts'
import { fitTreatmentPropensity } from './treatment-propensity.ts'

export interface BehaviourRequest extends EncounterRequest {
  readonly lake: Lake
  readonly catalogue: Catalogue
}

/** What one event more does to one metric, per customer who meets it and in the unit of the metric. */
export interface BehaviourEffect extends EffectOnExposed {
  /** `nps` or an outcome. */
  readonly metric: string
  readonly horizonDays: number
}

/** What events of some types do to those who meet them; or why that cannot be told. */
export interface BehaviourEffects {
  readonly effects: readonly BehaviourEffect[]
  /** Days with such events that were looked at. */
  readonly exposed: number
  /** Nineteen in twenty differences in what was known before are smaller after weighing, in standard deviations. */
  readonly imbalance: number
  /** Why nothing can be told; null: it can. */
  readonly reason: string | null
}

/** Fewest days with events, and days without that are worth so many. */
const fewestExposed = 100
const fewestEffective = 50
/** Differences in what was known before up to here count as none. Source: Stuart (2010). */
const mostImbalance = 0.2
/** Whoever was nearly sure to meet the event has nobody to be compared with. */
const mostChance = 0.95

/**
 * Measures what events do to those who meet them: each day with one is compared with days of others, after what was
 * known of either on the evening before. What the event sets off afterwards counts as its effect.
 *
 * It assumes that what is known before tells all that both leads to the event and moves the outcome.
 * Source: Hernán & Robins (2016), trials emulated day by day; Chernozhukov et al. (2018) for cross-fitting.
 */
export async function measureBehaviour(
  database: Database,
  request: BehaviourRequest,
): Promise<BehaviourEffects> {
  const { program, lake, catalogue, seed } = request
  const encounters = await findEncounters(database, request)
  const { relations, isExposed, customer, day } = encounters
  const exposed = isExposed.reduce((sum, own) => sum + own, 0)
  const isFew = Math.min(exposed, isExposed.length - exposed) < fewestExposed
  if (isFew)
    return untold(
      exposed,
      `customers met them on ${exposed} days that can be looked back on, of ${fewestExposed} needed`,
    )
  const spine = 'encounters'
  const frame = await readFeatures(database, { program, lake, catalogue, relations, spine })
  const propensity = await fitTreatmentPropensity({
    ...{ frame: withDay(frame, day), isTreated: isExposed, cluster: customer },
    ...{ isBent: true, seed, fitter: fitterHere },
  })
  const compared = { ...encounters, features: propensity.features, chance: propensity.chance }
  const imbalance = imbalanceOf(compared)
  if (imbalance > mostImbalance)
    return {
      ...untold(
        exposed,
        'those who met them and those who did not differ in what was known before by more than weighing mends',
      ),
      imbalance,
    }
  const effects = measureMetrics(await readMetrics(database, request, encounters), compared, seed)
  const told = effects.filter(({ effectiveSpared }) => effectiveSpared >= fewestEffective)
  if (told.length === 0) return untold(exposed, 'too few customers were as likely to meet them and did not')
  return { effects: told, exposed, imbalance, reason: null }
}

function untold(exposed: number, reason: string): BehaviourEffects {
  return { effects: [], exposed, imbalance: 0, reason }
}

/** What happened after each encounter: the mean over the looks back at it. **Shape** [rows] */
interface EncounterMetric {
  readonly metric: string
  readonly horizonDays: number
  readonly outcome: Float64Array
  /** How many looks found it known. */
  readonly known: Float64Array
}

/** Outcomes within each horizon, and the net promoter answer within the longest. */
async function readMetrics(
  database: Database,
  { program, lake, asOf }: BehaviourRequest,
  { relations, encounterOf, day }: Encounters,
): Promise<EncounterMetric[]> {
  const spine = 'encounters_after'
  const request = { program, lake, relations, asOf }
  const horizonDays = program.horizonsDays[program.horizonsDays.length - 1]
  const answers = await readAnswers(
    database,
    { spine, rows: encounterOf.length },
    { ...request, horizonDays },
  )
  const outcomes = await readOutcomes(database, { spine, annual: null }, request)
  return [...outcomes, ...answers.filter(({ metric }) => metric === 'nps')].map((metric) =>
    averageLooks(metric, encounterOf, day.length),
  )
}

function averageLooks(
  { metric, horizonDays, outcome }: MeasuredMetric,
  encounterOf: Int32Array,
  rows: number,
): EncounterMetric {
  const sums = new Float64Array(rows)
  const known = new Float64Array(rows)
  for (const [look, row] of encounterOf.entries()) {
    if (Number.isNaN(outcome[look])) continue
    sums[row] += outcome[look]
    known[row]++
  }
  return { metric, horizonDays, outcome: sums.map((sum, row) => sum / known[row]), known }
}

interface Compared extends Encounters {
  readonly features: Matrix
  readonly chance: Float64Array
}

function isComparable(chance: number): boolean {
  return chance < mostChance
}

/** Metrics that are known of the same rows share their fits. */
function measureMetrics(
  metrics: readonly EncounterMetric[],
  compared: Compared,
  seed: number,
): BehaviourEffect[] {
  const groups = new Map<string, { rows: Int32Array; metrics: EncounterMetric[] }>()
  for (const metric of metrics) {
    const rows = Int32Array.from(compared.chance.keys()).filter(
      (row) => isComparable(compared.chance[row]) && !Number.isNaN(metric.outcome[row]),
    )
    const key = rows.join()
    const group = groups.get(key) ?? { rows, metrics: [] }
    groups.set(key, { rows, metrics: [...group.metrics, metric] })
  }
  return [...groups.values()]
    .flatMap((group) => measureGroup(group, compared, seed))
    .sort((a, b) => a.horizonDays - b.horizonDays)
}

function measureGroup(
  { rows, metrics }: { rows: Int32Array; metrics: readonly EncounterMetric[] },
  compared: Compared,
  seed: number,
): BehaviourEffect[] {
  const isExposed = Uint8Array.from(rows, (row) => compared.isExposed[row])
  const spared = Int32Array.from(rows.keys()).filter((row) => isExposed[row] === 0)
  const exposed = rows.length - spared.length
  if (Math.min(exposed, spared.length) < fewestExposed) return []
  const customer = rows.map((row) => compared.customer[row])
  const splits = foldsByCustomer(customer, 5, seed)
  const foldOf = new Uint8Array(rows.length)
  for (const [fold, { test }] of splits.entries()) for (const row of test) foldOf[row] = fold
  const targets = metrics.map(({ outcome }) => Float64Array.from(rows, (row) => outcome[row]))
  const { predictions } = crossFitRidge({
    ...{ features: selectRows(compared.features, rows), rows: spared, foldOf, folds: splits.length, targets },
  })
  const chance = Float64Array.from(rows, (row) => compared.chance[row])
  const eventsEach = rows.reduce((sum, row) => sum + compared.events[row], 0) / exposed
  return metrics.map(({ metric, horizonDays, known }, place) => {
    const own = { outcome: targets[place], ifSpared: predictions[place] }
    const weight = Float64Array.from(rows, (row) => known[row])
    const found = effectOnExposed({ isExposed, chance, customer, weight, ...own })
    const { effect, standardError } = found
    return {
      ...{ ...found, metric, horizonDays },
      effect: effect / eventsEach,
      standardError: standardError / eventsEach,
    }
  })
}

/**
 * Differences of features between those exposed and those spared, weighed, in standard deviations of all: the one that
 * a twentieth exceed. The largest of hundreds would be large by chance.
 */
function imbalanceOf({ features, isExposed, chance }: Compared): number {
  const weight = Float64Array.from(isExposed, (own, row) =>
    isComparable(chance[row]) ? (own ? 1 : chance[row] / (1 - chance[row])) : 0,
  )
  const totals = [0, 0]
  for (const [row, arm] of isExposed.entries()) totals[arm] += weight[row]
  const differences: number[] = []
  for (let column = 0; column < features.columns; column++) {
    const means = [0, 0]
    let sum = 0
    let squares = 0
    for (const [row, arm] of isExposed.entries()) {
      const value = features.values[row * features.columns + column]
      means[arm] += (weight[row] * value) / totals[arm]
      sum += value
      squares += value * value
    }
    const spread = Math.sqrt(Math.max(0, squares / features.rows - (sum / features.rows) ** 2))
    if (spread > 1e-6) differences.push(Math.abs(means[1] - means[0]) / spread)
  }
  differences.sort((a, b) => a - b)
  return differences.at(Math.floor(0.95 * differences.length)) ?? 0
}

/** The frame with the day itself, since times change. */
function withDay(frame: FeatureFrame, day: Int32Array): FeatureFrame {
  const metOn: Feature = {
    ...{ name: 'met_on', kind: 'number', unit: 'days', windowDays: null, words: 'the day', origin: 'met_on' },
  }
  return {
    rows: frame.rows,
    features: [...frame.features, metOn],
    columns: [...frame.columns, Float64Array.from(day)],
  }
}
