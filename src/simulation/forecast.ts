import type { Program } from '../domain/program.ts'
import type { FeatureFrame } from '../features/features.ts'
import type { Predictor } from '../model/predictor.ts'
import { laterRisks, type MoneyInputs, type Quantity, quantitiesOf } from './quantities.ts'

/** Everything that is forecast of some customers. **Shape** `blend[quantity]` and `members[member][quantity]`: [rows] */
export interface Forecast {
  readonly list: readonly Quantity[]
  readonly blend: readonly Float64Array[]
  /** As each member of the predictor alone would have it. */
  readonly members: readonly (readonly Float64Array[])[]
  /** Risk of leaving a day behind the last horizon that money was counted with; null: not needed. */
  readonly laterRisk: Float64Array | null
}

/** Money as it is configured, and the later risk as it is without the scenario; `own`: as these very forecasts have it. */
export interface ForecastMoney {
  readonly annualValue: Float64Array
  readonly laterRisk: Float64Array | null | 'own'
}

/** Forecasts customers by their features. Where that runs changes nothing of what it gives. */
export interface Forecaster {
  forecast(frame: FeatureFrame, money: ForecastMoney): Promise<Forecast>
  close(): Promise<void>
}

/** Forecasts in this thread. */
export function forecasterHere(program: Program, predictor: Predictor): Forecaster {
  return {
    forecast: async (frame, money) => forecastFrame(program, predictor, { frame, money }),
    close: async () => {},
  }
}

export function forecastFrame(
  program: Program,
  predictor: Predictor,
  { frame, money }: { frame: FeatureFrame; money: ForecastMoney },
): Forecast {
  const { blend, members } = predictor.predictWithMembers(frame, [0, ...program.horizonsDays])
  const laterRisk = money.laterRisk === 'own' ? laterRisks(blend) : money.laterRisk
  const inputs: MoneyInputs = { annualValue: money.annualValue, laterRisk }
  const { list, values } = quantitiesOf(program, blend, inputs)
  return {
    ...{ list, laterRisk, blend: values },
    members: members.map((own) => quantitiesOf(program, own, inputs).values),
  }
}
