import type { Day } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import type { Catalogue } from '../features/catalogue.ts'
import { encode } from '../features/encoder.ts'
import {
  type BehaviourRelations,
  type FeatureFrame,
  listFeatures,
  pickFrame,
  readFeatures,
} from '../features/features.ts'
import {
  type CustomerEffects,
  effectsAt,
  fitCustomerEffects,
  meanEffectAt,
} from '../impact/effect-by-customer.ts'
import { type ComparedArms, compareInitiative, type InitiativeComparison } from '../impact/initiative.ts'
import type { MeasuredMetric } from '../impact/measured-metrics.ts'
import { scoreByRows } from '../impact/measurement.ts'
import type { Database } from '../lake/database.ts'
import type { Matrix } from '../model/matrix.ts'
import type { Asked } from './question.ts'
import { learnCompared, type Reference, shareInside } from './support.ts'

/** What a measured initiative would do to each customer of the population. */
export interface TransportedEffect {
  /** `nps`, an outcome, or `revenue`. */
  readonly metric: string
  readonly horizonDays: number
  /** [customers], in the unit of the metric. */
  readonly byCustomer: Float64Array
  readonly standardError: number
  /** Whether effects were shown to differ between customers. */
  readonly isVaried: boolean
}

/** An effect with what it was carried over from. */
export interface LearnedEffect extends TransportedEffect {
  /** As learned from those compared. */
  readonly learned: CustomerEffects
}

export interface InitiativeEffects {
  readonly arm: MeasuredArm
  readonly effects: readonly LearnedEffect[]
  /** What is known of the population as the effects read it. */
  readonly features: Matrix
  /** Share of the population that looks like some who were compared. */
  readonly inside: number
  /** What a treated customer cost in the initiative; null where no row says. */
  readonly costPerCustomer: number | null
  readonly warnings: readonly string[]
}

/** What is kept of a comparison: not the rows compared. */
type MeasuredArm = Pick<ComparedArms, 'evidence' | 'words' | 'warnings'> & {
  /** How features are read. */
  readonly reading: Pick<ComparedArms['propensity'], 'encoder' | 'view'>
}

/** What an initiative was measured to do, by what is known of a customer: plain data, so that it can be kept. */
interface MeasuredInitiative {
  readonly arm: MeasuredArm
  readonly catalogue: Catalogue
  /** Those compared, to see who looks like them. */
  readonly reference: Reference | null
  readonly effects: readonly FittedEffect[]
  readonly costPerCustomer: number | null
  readonly warnings: readonly string[]
}

interface FittedEffect extends Pick<TransportedEffect, 'metric' | 'horizonDays'> {
  readonly learned: CustomerEffects
}

export interface InitiativeEffectRequest {
  readonly asked: Asked
  readonly relations: BehaviourRelations
  readonly initiative: string
  /** The treated arm; null: the only one. */
  readonly arm: string | null
  readonly date: Day
  readonly seed: number
}

/**
 * Carries what was measured over to the customers of the table `scope`: effects by customer where they were shown to
 * differ, else the average.
 *
 * **Time** sees only what is known on the day. **Errors** `no-comparison`, `which-arm`, `nothing-measured`.
 */
export async function transportInitiative(
  database: Database,
  request: InitiativeEffectRequest,
): Promise<InitiativeEffects> {
  const { asked, relations, initiative, date } = request
  const measured = await recallInitiative(database, request)
  if (measured.effects.length === 0)
    throw usageError(
      'nothing-measured',
      `Nothing can be said of ${initiative} on ${date}: too few customers of its arms have been observed long enough. Ask on a later day.`,
    )
  return carryTo(measured, await readPopulation(database, measured.catalogue, { asked, relations }))
}

/**
 * What an arm does, as known on the day: measured once for the lake as it is.
 *
 * **Errors** `no-comparison`, `which-arm`.
 */
export function recallInitiative(
  database: Database,
  request: Omit<InitiativeEffectRequest, 'relations'>,
): Promise<MeasuredInitiative> {
  const { asked, initiative, date, seed } = request
  const { program, lake, keep = (_, make) => make() } = asked
  const name = JSON.stringify(['initiative', initiative, request.arm, seed])
  return keep({ name, mark: `${lake.state.sequence} ${date}` }, async () => {
    const comparison = await compareKnown(database, request)
    const arm = chooseArm(comparison, request)
    const isWanted = ({ unit, metric }: MeasuredMetric) => unit === 'probability' || metric === 'nps'
    return keepMeasured({ program, comparison, arm, seed, isWanted })
  })
}

/** An initiative's arms side by side as known on the day. Uses the table `spine`. */
export function compareKnown(
  database: Database,
  { asked, initiative, date, seed }: Omit<InitiativeEffectRequest, 'arm' | 'relations'>,
): Promise<InitiativeComparison> {
  const { program, lake, predictor } = asked
  return compareInitiative(database, {
    ...{ program, lake, initiative, asOf: date, control: null, seed },
    excluded: new Set(predictor.parts.excluded),
    groupErrors: {},
  })
}

/** What is known of the customers of the table `scope`, as a comparison of that day has it. */
export function readCompared(
  database: Database,
  { before }: InitiativeComparison,
  request: Pick<InitiativeEffectRequest, 'asked' | 'relations'>,
): Promise<FeatureFrame> {
  return readPopulation(database, (before as NonNullable<typeof before>).catalogue, request)
}

function readPopulation(
  database: Database,
  catalogue: Catalogue,
  { asked: { program, lake }, relations }: Pick<InitiativeEffectRequest, 'asked' | 'relations'>,
): Promise<FeatureFrame> {
  return readFeatures(database, { program, lake, catalogue, relations, spine: 'scope' })
}

interface ComparedArm {
  readonly program: Program
  readonly comparison: InitiativeComparison
  readonly arm: ComparedArms
  readonly seed: number
  /** Which metrics are carried over. */
  readonly isWanted: (metric: MeasuredMetric) => boolean
}

/** Carries the effects of an arm over to a population. */
export function carryOver({
  population,
  ...compared
}: ComparedArm & { readonly population: FeatureFrame }): InitiativeEffects {
  return carryTo(keepMeasured(compared), population)
}

function carryTo(measured: MeasuredInitiative, population: FeatureFrame): InitiativeEffects {
  const { arm, reference, costPerCustomer, warnings } = measured
  const features = encode(arm.reading.encoder, population, arm.reading.view)
  const effects = measured.effects.map(({ learned, ...metric }): LearnedEffect => {
    const { standardError } = meanEffectAt(learned, features)
    const byCustomer = effectsAt(learned, features)
    return { ...metric, byCustomer, standardError, isVaried: learned.slope > 0, learned }
  })
  const inside = shareInside(reference, population)
  return { arm, effects, features, inside, costPerCustomer, warnings: [...warnings, ...arm.warnings] }
}

/** Learns what an arm does, whoever is asked about. */
function keepMeasured({ program, comparison, arm, seed, isWanted }: ComparedArm): MeasuredInitiative {
  const { evidence, words, warnings, propensity, pair } = arm
  const before = comparison.before as NonNullable<InitiativeComparison['before']>
  return {
    arm: { evidence, words, warnings, reading: { encoder: propensity.encoder, view: propensity.view } },
    effects: fitMetrics(comparison.metrics.filter(isWanted), pair, seed),
    catalogue: before.catalogue,
    reference: learnCompared(pickFrame(before.frame, pair.members), listFeatures(before.catalogue, program)),
    costPerCustomer: comparison.assignments.costByArm[pair.arm] ?? null,
    warnings: comparison.warnings,
  }
}

function chooseArm(
  { compared, control }: InitiativeComparison,
  { initiative, arm }: Pick<InitiativeEffectRequest, 'initiative' | 'arm'>,
): ComparedArms {
  if (control === null)
    throw usageError('no-comparison', `${initiative} has one arm only: there is nobody to compare it with.`)
  const names = compared.map(({ pair }) => pair.arm)
  const wanted = arm ?? (names.length === 1 ? names[0] : null)
  const found = compared.find(({ pair }) => pair.arm === wanted)
  if (found) return found
  throw usageError(
    'which-arm',
    `${arm === null ? `${initiative} has several treated arms` : `${initiative} has no treated arm ${arm}`}. Name one as arm: ${names.join(', ')}.`,
  )
}

/** Effects on metrics, as far as enough customers of either arm are known. */
function fitMetrics(
  wanted: readonly MeasuredMetric[],
  pair: ComparedArms['pair'],
  seed: number,
): FittedEffect[] {
  const columns = wanted.map(({ outcome }) => outcome)
  const fitted = scoreByRows(columns, pair, seed).flatMap(({ places, scores }) =>
    fitCustomerEffects(scores, pair.comparison, seed).map((learned, at) => {
      const { metric, horizonDays } = wanted[places[at]]
      return { metric, horizonDays, learned }
    }),
  )
  return fitted.sort((a, b) => a.horizonDays - b.horizonDays)
}
