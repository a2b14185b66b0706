import type { Day } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import type { Catalogue } from '../features/catalogue.ts'
import { encode } from '../features/encoder.ts'
import { type BehaviourRelations, listFeatures, pickFrame, readFeatures } from '../features/features.ts'
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
import type { Asked } from './question.ts'
import { learnReference, type Reference, shareInside } from './support.ts'

/** What a measured initiative would do to each customer of the population. */
export interface TransportedEffect {
  /** `nps` or an outcome. */
  readonly metric: string
  readonly horizonDays: number
  /** [customers], in the unit of the metric. */
  readonly byCustomer: Float64Array
  readonly standardError: number
  /** Whether effects were shown to differ between customers. */
  readonly isVaried: boolean
}

export interface InitiativeEffects {
  readonly arm: Pick<ComparedArms, 'evidence' | 'words' | 'warnings'>
  readonly effects: readonly TransportedEffect[]
  /** Share of the population that looks like some who were compared. */
  readonly inside: number
  /** What a treated customer cost in the initiative; null where no row says. */
  readonly costPerCustomer: number | null
  readonly warnings: readonly string[]
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

/** What an initiative was measured to do, by what is known of a customer. */
interface MeasuredInitiative {
  readonly arm: Pick<ComparedArms, 'evidence' | 'words' | 'warnings' | 'propensity'>
  readonly catalogue: Catalogue
  /** Those compared, to see who looks like them. */
  readonly reference: Reference | null
  readonly effects: readonly FittedEffect[]
  readonly costPerCustomer: number | null
  readonly warnings: readonly string[]
}

interface FittedEffect extends Pick<TransportedEffect, 'metric' | 'horizonDays'> {
  readonly effects: CustomerEffects
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
  const { asked, relations, initiative, date, seed } = request
  const { program, lake } = asked
  const remember = asked.remember ?? ((_, make) => make())
  const measured = await remember(JSON.stringify([initiative, request.arm, date, seed]), () =>
    measureForTransport(database, request),
  )
  const { arm, catalogue, reference } = measured
  const frame = await readFeatures(database, { program, lake, catalogue, relations, spine: 'scope' })
  const features = encode(arm.propensity.encoder, frame, arm.propensity.view)
  const effects = measured.effects.map(({ effects, ...metric }): TransportedEffect => {
    const { standardError } = meanEffectAt(effects, features)
    return { ...metric, byCustomer: effectsAt(effects, features), standardError, isVaried: effects.slope > 0 }
  })
  return {
    ...{ arm, effects, inside: shareInside(reference, frame) },
    costPerCustomer: measured.costPerCustomer,
    warnings: [...measured.warnings, ...arm.warnings],
  }
}

/** Measures an initiative whoever is asked about. */
async function measureForTransport(
  database: Database,
  request: InitiativeEffectRequest,
): Promise<MeasuredInitiative> {
  const { asked, initiative, date, seed } = request
  const { program, lake, predictor } = asked
  const comparison = await compareInitiative(database, {
    ...{ program, lake, initiative, asOf: date, control: null, seed },
    excluded: new Set(predictor.parts.excluded),
    groupErrors: {},
  })
  const { pair, evidence, words, warnings, propensity } = chooseArm(comparison, request)
  const effects = fitMetrics(comparison.metrics, pair, seed)
  if (effects.length === 0)
    throw usageError(
      'nothing-measured',
      `Nothing can be said of ${initiative} on ${date}: too few customers of its arms have been observed long enough. Ask on a later day.`,
    )
  const before = comparison.before as NonNullable<InitiativeComparison['before']>
  const features = listFeatures(before.catalogue, program)
  const names = features.flatMap(({ name, kind }) => (kind === 'number' ? [name] : []))
  return {
    ...{ arm: { evidence, words, warnings, propensity }, effects, catalogue: before.catalogue },
    reference: learnReference(pickFrame(before.frame, pair.members), names),
    costPerCustomer: costOfTreated(comparison, pair.arm),
    warnings: comparison.warnings,
  }
}

function chooseArm(
  { compared, control }: InitiativeComparison,
  { initiative, arm }: InitiativeEffectRequest,
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

/** Effects on outcomes and NPS, as far as enough customers of either arm are known. */
function fitMetrics(
  metrics: readonly MeasuredMetric[],
  pair: ComparedArms['pair'],
  seed: number,
): FittedEffect[] {
  const wanted = metrics.filter(({ unit, metric }) => unit === 'probability' || metric === 'nps')
  const columns = wanted.map(({ outcome }) => outcome)
  const fitted = scoreByRows(columns, pair, seed).flatMap(({ places, scores }) =>
    fitCustomerEffects(scores, pair.comparison, seed).map((effects, at) => {
      const { metric, horizonDays } = wanted[places[at]]
      return { metric, horizonDays, effects }
    }),
  )
  return fitted.sort((a, b) => a.horizonDays - b.horizonDays)
}

function costOfTreated({ assignments }: InitiativeComparison, arm: string): number | null {
  const treated = assignments.arm.filter((own) => own === arm).length
  return assignments.cost === null || treated === 0 ? null : assignments.cost / treated
}
