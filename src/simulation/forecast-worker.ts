import type { Program } from '../domain/program.ts'
import type { FeatureFrame } from '../features/features.ts'
import type { Predictor } from '../model/predictor.ts'
import { loadPredictor } from '../model/stored-predictor.ts'
import { type Forecast, type ForecastMoney, forecastFrame } from './forecast.ts'

/** Some customers as they are handed to a thread: data only. */
export interface ForecastTask {
  readonly program: Program
  /** Folder of the version. */
  readonly folder: string
  readonly frame: FeatureFrame
  readonly money: ForecastMoney
}

let loaded: { readonly folder: string; readonly predictor: Promise<Predictor> } | null = null

/** Runs in a thread: forecasts by a version that stays loaded. */
export default async function forecast({ program, folder, ...task }: ForecastTask): Promise<Forecast> {
  if (loaded?.folder !== folder) loaded = { folder, predictor: loadPredictor(folder) }
  return forecastFrame(program, await loaded.predictor, task)
}
