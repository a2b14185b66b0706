import { wholePennies } from '../../domain/prediction.ts'
import type { Program } from '../../domain/program.ts'
import { type ChurnForecast, keptYears, yearDays } from '../../impact/customer-value.ts'
import type { PredictionBatch } from '../../lake/predictions.ts'
import type { OutcomeModel, Predictions } from '../../model/predictor.ts'

export interface MoneyInputs {
  readonly program: Program
  readonly predictions: Predictions
  /** Program currency; NaN: not known. */
  readonly annualValues: Float64Array
}

/**
 * Money where it is configured and known, in whole pennies; never guessed. From the forecasts as exported, so that it can
 * be worked out from the columns.
 */
export function moneyOf(
  inputs: MoneyInputs,
  forecasts: PredictionBatch['columns'],
): Record<string, Float64Array> {
  const { program, annualValues } = inputs
  const values = annualValues.map((value) => wholePennies(value))
  const churn = inputs.predictions.outcomes.find(({ model }) => model.name === 'churn')?.model
  const { margin } = program.value
  const nothing = () => new Float64Array(values.length).fill(Number.NaN)
  const kept = churn === undefined || margin === null ? null : keptMoney(inputs, { churn, margin, forecasts })
  return {
    annual_value: values,
    value_at_risk: kept?.atRisk ?? nothing(),
    expected_gain: expectedGain(program, forecasts) ?? nothing(),
    expected_value_12m: kept?.withinYear ?? nothing(),
  }
}

/** What is at risk at the longest horizon, and what the next year is expected to bring. */
function keptMoney(
  { program, annualValues }: MoneyInputs,
  {
    churn,
    margin,
    forecasts,
  }: { churn: OutcomeModel; margin: number; forecasts: PredictionBatch['columns'] },
): { readonly atRisk: Float64Array; readonly withinYear: Float64Array } {
  const longest = program.horizonsDays[program.horizonsDays.length - 1]
  const { horizonsDays, isAbsence } = churn
  const columns = horizonsDays.map((days) => forecasts[`churn_${days}`])
  // The longest horizon may abstain where a shorter one does not.
  const last = forecasts[`churn_${longest}`] ?? null
  const rows = annualValues.length
  const atRisk = new Float64Array(rows)
  const withinYear = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const yearly = wholePennies(annualValues[row]) * margin
    const left = columns.map((column) => column[row] as number)
    const stay: ChurnForecast = { horizonsDays, isAbsence, left, laterRisk: null }
    atRisk[row] = last === null ? Number.NaN : wholePennies(yearly * (last[row] as number))
    withinYear[row] = Number.isNaN(yearly)
      ? Number.NaN
      : wholePennies(yearly * keptYears(stay, yearDays, program.value.discountRate ?? 0))
  }
  return { atRisk, withinYear }
}

/** Null where an amount is configured for none of the desired outcomes, or one of them is not foretold. */
function expectedGain(
  { outcomes, horizonsDays, value }: Program,
  forecasts: PredictionBatch['columns'],
): Float64Array | null {
  const longest = horizonsDays[horizonsDays.length - 1]
  const wanted = outcomes.filter(({ name, isDesired }) => isDesired && name in value.gains)
  const columns = wanted.map(({ name }) => forecasts[`${name}_${longest}`])
  if (columns.length === 0 || columns.some((column) => column === undefined)) return null
  return Float64Array.from({ length: columns[0].length }, (_, row) =>
    wholePennies(
      columns.reduce((sum, column, at) => sum + (column[row] as number) * value.gains[wanted[at].name], 0),
    ),
  )
}
