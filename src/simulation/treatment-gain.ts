import type { Program } from '../domain/program.ts'
import type { MeasuredMetric } from '../impact/measured-metrics.ts'
import type { Predictions } from '../model/predictor.ts'
import type { InitiativeEffects, LearnedEffect } from './initiative-effects.ts'
import { moveQuantity } from './initiative-evaluation.ts'
import { isWorth, type MoneyInputs, quantitiesOf } from './quantities.ts'

/**
 * What treating a customer is judged by: money that those bring who stay, and desired outcomes; the margin of revenue
 * within the longest horizon measured; or an outcome alone, where no money is configured or it was asked for.
 */
export type GainKind =
  | { readonly kind: 'value' }
  | { readonly kind: 'revenue' }
  | { readonly kind: 'outcome'; readonly outcome: string; readonly isDesired: boolean }

/** A measured effect and what it brings: more is better. */
export interface GainPart {
  readonly effect: LearnedEffect
  /** Gain for each unit of the effect, in program currency or of the outcome itself. [customers] */
  readonly perUnit: Float64Array
}

/** What treating each customer is expected to bring. **Shape** [customers]. */
export interface TreatmentGain {
  readonly byCustomer: Float64Array
  readonly parts: readonly GainPart[]
}

/** What is known of a population apart from initiatives. */
export interface PopulationForecast {
  readonly program: Program
  readonly predictions: Predictions
  readonly money: MoneyInputs
}

/** Money where the program file and the serving version yield any, else the outcome. */
export function chooseGain(
  { program, predictions, money }: PopulationForecast,
  { wanted, metrics }: { wanted: string | null; metrics: readonly MeasuredMetric[] },
): GainKind {
  const outcomeNamed = (name: string | undefined): GainKind => {
    const outcome = program.outcomes.find((own) => own.name === name) ?? program.outcomes[0]
    return { kind: 'outcome', outcome: outcome?.name ?? 'churn', isDesired: outcome?.isDesired ?? false }
  }
  if (wanted !== null) return outcomeNamed(wanted)
  if (quantitiesOf(program, predictions, money).list.some(isWorth)) return { kind: 'value' }
  const hasRevenue = metrics.some(({ metric, value }) => metric === 'revenue' && value !== null)
  return hasRevenue ? { kind: 'revenue' } : outcomeNamed(primaryOutcome(program))
}

/** The outcome that initiatives are judged by, where the program file says so. */
export function primaryOutcome({ initiatives, outcomes }: Program): string | undefined {
  const judged = Object.values(initiatives).flatMap(({ primary }) => (primary ? [primary.metric] : []))
  return judged.find((metric) => outcomes.some(({ name }) => name === metric)) ?? outcomes[0]?.name
}

/** Whether a metric has a say in the gain. */
export function movesGain(
  gain: GainKind,
  { metric, horizonDays }: MeasuredMetric,
  { value, horizonsDays }: Program,
): boolean {
  if (gain.kind === 'revenue') return metric === 'revenue'
  if (gain.kind === 'outcome') return metric === gain.outcome
  const isLongest = horizonDays === horizonsDays[horizonsDays.length - 1]
  return metric === 'churn' || (isLongest && Object.hasOwn(value.gains, metric))
}

/** What an arm of an initiative would bring by treating each customer; null where that was not measured. */
export function gainOf(
  gain: GainKind,
  measured: InitiativeEffects,
  forecast: PopulationForecast,
): TreatmentGain | null {
  if (gain.kind === 'value') return valueGain(measured, forecast)
  const metric = gain.kind === 'revenue' ? 'revenue' : gain.outcome
  const effect = measured.effects.filter((own) => own.metric === metric).at(-1)
  if (!effect) return null
  const unit = gain.kind === 'revenue' ? (forecast.program.value.margin ?? 0) : gain.isDesired ? 1 : -1
  const perUnit = new Float64Array(effect.byCustomer.length).fill(unit)
  return { byCustomer: effect.byCustomer.map((own) => unit * own), parts: [{ effect, perUnit }] }
}

/** Who stays within a year and what desired outcomes bring, as a what-if of the initiative has it. */
function valueGain(measured: InitiativeEffects, forecast: PopulationForecast): TreatmentGain | null {
  const { program, predictions, money } = forecast
  const moved = quantitiesOf(program, predictions, money)
    .list.filter(isWorth)
    .flatMap((quantity) => moveQuantity(quantity, { ...forecast, measured, reach: 1 }) ?? [])
  if (moved.length === 0) return null
  const byCustomer = new Float64Array(predictions.rows)
  for (const { difference } of moved)
    for (let row = 0; row < byCustomer.length; row++) byCustomer[row] += difference[row]
  return { byCustomer, parts: moved.map(({ effect, perUnit }) => ({ effect, perUnit })) }
}
