import type { Day } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import type { FeatureFrame } from '../features/features.ts'
import type { ComparedArms, InitiativeComparison } from '../impact/initiative.ts'
import type { MeasuredMetric } from '../impact/measured-metrics.ts'
import type { Evidence } from '../impact/measurement.ts'
import type { Matrix } from '../model/matrix.ts'
import { carryOver, type InitiativeEffects } from './initiative-effects.ts'
import { checkOrders, type OrderCheck, type Risk } from './order-check.ts'
import type { Asked } from './question.ts'
import type { Population } from './scenario.ts'
import { mostOutside } from './support.ts'
import {
  type GainKind,
  gainOf,
  movesGain,
  type PopulationForecast,
  type TreatmentGain,
} from './treatment-gain.ts'

/** An arm of an initiative that customers may be put into. **Shape** arrays are [customers]. */
export interface Treatment {
  readonly initiative: string
  readonly arm: string
  readonly evidence: Evidence
  readonly evidenceWords: string
  readonly gain: TreatmentGain
  readonly features: Matrix
  /** In program currency. */
  readonly costPerCustomer: number
  /** Whether the cost was asked for, or is what a treated customer cost when it was tried. */
  readonly isCostAsked: boolean
  /** 1 for customers who were not put into any of its arms within the longest horizon. */
  readonly isOffered: Uint8Array
  /** Null where it was not asked for, or the gain is not known of enough customers of the comparison. */
  readonly check: OrderCheck | null
  /** Share of the population that looks like those compared. */
  readonly inside: number
  readonly warnings: readonly string[]
}

/** An initiative, or an arm of it, that nobody is offered, and why. */
export interface LeftOut {
  readonly initiative: string
  readonly arm: string | null
  readonly evidence: Evidence | null
  readonly reason: string
}

export interface TreatmentRequest {
  readonly asked: Asked
  readonly seed: number
  /** Null: the latest day with predictions. */
  readonly date: Day | null
  /** Day up to which it is known what initiatives did; null: the date. */
  readonly asOf: Day | null
  readonly population: Population
  /** Null: all that stand on an experiment or an adjusted comparison. */
  readonly initiatives: readonly string[] | null
  /** Per customer, for all initiatives or by name; null: what it cost when tried. */
  readonly cost: number | Readonly<Record<string, number>> | null
  /** What is to be moved instead of money; null: money where there is any. */
  readonly outcome: string | null
  /** Whether orders are judged on the customers of the comparison. */
  readonly isChecked: boolean
  readonly onInitiative: (done: number, total: number) => void
}

export interface ArmRequest extends Pick<TreatmentRequest, 'seed' | 'cost' | 'initiatives' | 'isChecked'> {
  readonly initiative: string
  readonly comparison: InitiativeComparison
  readonly arm: ComparedArms
  readonly population: FeatureFrame
  readonly isOffered: Uint8Array
  readonly forecast: PopulationForecast
  readonly kind: GainKind
  readonly risk: Risk
}

export interface JudgedArm {
  readonly result: Treatment | LeftOut
  /** What is known of the population as the arm's effects read it. */
  readonly features: Matrix
}

/** What an arm would bring, or why nobody is offered it. **Errors** `no-cost` where the initiative was named. */
export function judgeArm(request: ArmRequest): JudgedArm {
  const { arm, initiative, kind, forecast } = request
  const isWanted = (metric: MeasuredMetric) => movesGain(kind, metric, forecast.program)
  const measured = carryOver({ ...request, program: forecast.program, isWanted })
  const { inside } = measured
  const gain = gainOf(kind, measured, forecast)
  const cost = costOf(request, measured)
  const reason = reasonAgainst(request, { gain, cost, inside })
  const { evidence } = arm
  const named = { initiative, arm: arm.pair.arm, evidence }
  if (reason !== null || gain === null || cost === null)
    return { result: { ...named, reason: reason ?? '' }, features: measured.features }
  const treatment: Treatment = {
    ...{ ...named, gain, inside, costPerCustomer: cost },
    evidenceWords: arm.words,
    features: measured.features,
    isCostAsked: askedCost(request) !== null,
    isOffered: request.isOffered,
    check: request.isChecked ? checkOrders({ ...request, parts: gain.parts }) : null,
    warnings: measured.warnings,
  }
  return { result: treatment, features: measured.features }
}

function askedCost({ cost, initiative }: Pick<ArmRequest, 'cost' | 'initiative'>): number | null {
  if (cost === null || typeof cost === 'number') return cost
  return Object.hasOwn(cost, initiative) ? cost[initiative] : null
}

function costOf(request: ArmRequest, { costPerCustomer }: InitiativeEffects): number | null {
  const cost = askedCost(request) ?? costPerCustomer
  if (cost === null && request.initiatives !== null) throw usageError('no-cost', noCost(request))
  return cost
}

function noCost({ initiative }: ArmRequest): string {
  return `What it costs to treat a customer with ${initiative} is not known: none of its rows has a cost. Say it as cost_per_customer, for all or as { ${initiative}: 2.5 }.`
}

function reasonAgainst(
  request: ArmRequest,
  { gain, cost, inside }: { gain: TreatmentGain | null; cost: number | null; inside: number },
): string | null {
  const { initiative, arm, initiatives, kind } = request
  if (arm.evidence === 'associational' && initiatives === null)
    return `The evidence is too weak: ${arm.words}.`
  if (gain === null)
    return `${kind.kind === 'outcome' ? `No effect on ${kind.outcome}` : 'Nothing that is worth money'} was measured of enough customers.`
  if (inside < 1 - mostOutside)
    return `${Math.round(100 * (1 - inside))}% of the customers are unlike any who were in ${initiative}.`
  return cost === null ? noCost(request) : null
}
