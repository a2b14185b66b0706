import type { Program } from '../domain/program.ts'
import { type BehaviourRelations, type FeatureFrame, readFeatures } from '../features/features.ts'
import { readAnnualValues } from '../impact/annual-value.ts'
import type { Database } from '../lake/database.ts'
import type { Predictions } from '../model/predictor.ts'
import type { Evaluation } from './evaluation.ts'
import type { InitiativeEffects, TransportedEffect } from './initiative-effects.ts'
import {
  type Forecasts,
  laterRisks,
  type MoneyInputs,
  type Quantity,
  quantitiesOf,
  withChurnMoved,
} from './quantities.ts'
import type { Asked } from './question.ts'
import type { Scope } from './scope.ts'
import { average, type DifferenceVariance, samplingVariance } from './uncertainty.ts'

export interface InitiativeEvaluationRequest {
  readonly asked: Asked
  readonly relations: BehaviourRelations
  readonly scope: Scope
  readonly measured: InitiativeEffects
  /** Share of the population that would be treated. */
  readonly reach: number
}

/** No behaviour is edited. */
const noFeatures: FeatureFrame = { rows: 0, features: [], columns: [] }

/** What is forecast of the population of the table `scope`, and what its money is made of. */
export async function forecastScope(
  database: Database,
  { asked, relations }: Pick<InitiativeEvaluationRequest, 'asked' | 'relations'>,
  leadsDays: readonly number[],
): Promise<{ predictions: Predictions; money: MoneyInputs }> {
  const { program, lake, predictor } = asked
  const request = { program, lake, catalogue: predictor.catalogue, relations, spine: 'scope' }
  const frame = await readFeatures(database, request)
  const predictions = predictor.predict(frame, leadsDays)
  const annualValue = await readAnnualValues(database, { ...request, state: lake.state })
  return { predictions, money: { annualValue, laterRisk: laterRisks(predictions) } }
}

/** What is forecast of the population of the table `scope`, and what a measured initiative adds to it. */
export async function evaluateInitiative(
  database: Database,
  { asked, relations, scope, measured, reach }: InitiativeEvaluationRequest,
): Promise<{ evaluation: Evaluation; variances: DifferenceVariance[] }> {
  const { program } = asked
  const { predictions, money } = await forecastScope(database, { asked, relations }, [
    0,
    ...program.horizonsDays,
  ])
  const { list, values } = quantitiesOf(program, predictions, money)
  const moving = { program, predictions, money, measured, reach }
  const { variances, ...moved } = moveQuantities({ list, baseline: values }, moving, scope)
  const evaluation: Evaluation = {
    ...{ scope, ...moved },
    replications: [],
    edited: Int32Array.from({ length: scope.sampled }, (_, row) => row),
    editedAtOnce: reach * scope.sampled,
    frames: { studied: noFeatures, edited: noFeatures },
  }
  return { evaluation, variances }
}

/** What measured effects do to quantities, of those that were measured: the others are left out. */
export function moveQuantities(
  { list, baseline }: Pick<Evaluation, 'list' | 'baseline'>,
  moving: Moving,
  scope: Scope,
): Pick<Evaluation, 'list' | 'baseline' | 'difference' | 'drawVariance'> & {
  readonly variances: DifferenceVariance[]
} {
  const moved = list.map((quantity) => moveQuantity(quantity, moving))
  const kept = list.flatMap((_, index) => (moved[index] === null ? [] : [index]))
  const parts = kept.map((index) => moved[index] as Moved)
  return {
    list: kept.map((index) => list[index]),
    baseline: kept.map((index) => baseline[index]),
    difference: parts.map(({ difference }) => difference),
    drawVariance: kept.map(() => 0),
    variances: parts.map(({ difference, standardError }) => ({
      ...{ drawing: 0, members: 0, calibration: 0 },
      sampling: samplingVariance(difference, scope),
      measurement: (moving.reach * standardError) ** 2,
    })),
  }
}

/** How a measured effect moves a quantity. */
export interface Moved<E extends TransportedEffect = TransportedEffect> {
  /** [customers] */
  readonly difference: Float64Array
  /** Of the mean difference were everybody reached. */
  readonly standardError: number
  /** The effect that it comes from. */
  readonly effect: E
  /** By how much a unit of the effect moves the quantity of each customer. [customers] */
  readonly perUnit: Float64Array
}

export interface Moving<E extends TransportedEffect = TransportedEffect> {
  readonly program: Program
  readonly predictions: Forecasts
  readonly money: MoneyInputs
  readonly measured: { readonly effects: readonly E[] }
  readonly reach: number
}

/** What a measured effect does to a quantity; null where that was not measured. */
export function moveQuantity<E extends TransportedEffect>(
  { name, task }: Quantity,
  moving: Moving<E>,
): Moved<E> | null {
  const { measured, reach, program } = moving
  if (name.startsWith('kept_')) return moveKept(name, moving)
  const isGain = name.startsWith('gain_')
  const factor = isGain ? program.value.gains[task] : 1
  const longest = program.horizonsDays[program.horizonsDays.length - 1]
  const horizon = isGain ? longest : Number(name.slice(name.lastIndexOf('_') + 1))
  const effect = measured.effects.find((own) => own.metric === task && own.horizonDays === horizon)
  if (!effect) return null
  return {
    difference: effect.byCustomer.map((own) => factor * reach * own),
    standardError: Math.abs(factor) * effect.standardError,
    effect,
    perUnit: new Float64Array(effect.byCustomer.length).fill(factor),
  }
}

/** Probability by which churn is moved to see what a customer who stays is worth. */
const step = 0.001

/** Customers who stay bring what they bring: from the effects on churn within each horizon. */
function moveKept<E extends TransportedEffect>(
  name: string,
  { program, predictions, money, measured, reach }: Moving<E>,
): Moved<E> | null {
  const effects = measured.effects.filter(({ metric }) => metric === 'churn')
  const longest = effects.at(-1)
  if (!longest) return null
  const nearestTo = (days: number): E =>
    effects.reduce((best, own) =>
      Math.abs(own.horizonDays - days) < Math.abs(best.horizonDays - days) ? own : best,
    )
  const keptIf = (movedBy: (row: number, days: number) => number) => {
    const { list, values } = quantitiesOf(program, withChurnMoved(predictions, movedBy), money)
    return values[list.findIndex((quantity) => quantity.name === name)]
  }
  const asItIs = keptIf(() => 0)
  const treated = keptIf((row, days) => reach * nearestTo(days).byCustomer[row])
  const lessChurn = keptIf(() => -step)
  const worth = lessChurn.map((own, row) => (own - asItIs[row]) / step)
  return {
    difference: treated.map((own, row) => own - asItIs[row]),
    standardError: average(worth) * longest.standardError,
    effect: longest,
    perUnit: worth.map((own) => -own),
  }
}
