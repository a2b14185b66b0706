import type { Day } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import { encode } from '../features/encoder.ts'
import { type BehaviourRelations, type FeatureFrame, pickFrame, readFeatures } from '../features/features.ts'
import { effectsAt, fitCustomerEffects, meanEffectAt } from '../impact/effect-by-customer.ts'
import { type ComparedArms, compareInitiative, type InitiativeComparison } from '../impact/initiative.ts'
import type { MeasuredMetric } from '../impact/measured-metrics.ts'
import { scoreByRows } from '../impact/measurement.ts'
import type { Database } from '../lake/database.ts'
import type { Matrix } from '../model/matrix.ts'
import type { Asked } from './question.ts'

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
  readonly arm: ComparedArms
  readonly effects: readonly TransportedEffect[]
  /** Features as the measurement has them: of those compared, and of the population. */
  readonly frames: { readonly compared: FeatureFrame; readonly population: FeatureFrame }
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
  const { program, lake, predictor } = asked
  const comparison = await compareInitiative(database, {
    ...{ program, lake, initiative, asOf: date, control: null, seed },
    excluded: new Set(predictor.parts.excluded),
    groupErrors: {},
  })
  const arm = chooseArm(comparison, request)
  const { metrics } = comparison
  const before = comparison.before as NonNullable<InitiativeComparison['before']>
  const { catalogue } = before
  const frame = await readFeatures(database, { program, lake, catalogue, relations, spine: 'scope' })
  const features = encode(arm.propensity.encoder, frame, arm.propensity.view)
  const effects = transportMetrics(metrics, { arm, features, seed })
  if (effects.length === 0)
    throw usageError(
      'nothing-measured',
      `Nothing can be said of ${initiative} on ${date}: too few customers of its arms have been observed long enough. Ask on a later day.`,
    )
  return {
    ...{ arm, effects, frames: { compared: pickFrame(before.frame, arm.pair.members), population: frame } },
    costPerCustomer: costOfTreated(comparison, arm.pair.arm),
    warnings: [...comparison.warnings, ...arm.warnings],
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

/** Outcomes and NPS carried over, as far as enough customers of either arm are known. */
function transportMetrics(
  metrics: readonly MeasuredMetric[],
  { arm, features, seed }: { arm: ComparedArms; features: Matrix; seed: number },
): TransportedEffect[] {
  const wanted = metrics.filter(({ unit, metric }) => unit === 'probability' || metric === 'nps')
  const columns = wanted.map(({ outcome }) => outcome)
  const transported = scoreByRows(columns, arm.pair, seed).flatMap(({ places, scores }) =>
    fitCustomerEffects(scores, arm.pair.comparison, seed).map((effects, at) => {
      const { standardError } = meanEffectAt(effects, features)
      const { metric, horizonDays } = wanted[places[at]]
      const byCustomer = effectsAt(effects, features)
      return { metric, horizonDays, byCustomer, standardError, isVaried: effects.slope > 0 }
    }),
  )
  return transported.sort((a, b) => a.horizonDays - b.horizonDays)
}

function costOfTreated({ assignments }: InitiativeComparison, arm: string): number | null {
  const treated = assignments.arm.filter((own) => own === arm).length
  return assignments.cost === null || treated === 0 ? null : assignments.cost / treated
}
