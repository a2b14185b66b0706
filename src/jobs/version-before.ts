import { existsSync } from 'node:fs'
import type { Program } from '../domain/program.ts'
import type { Reporter } from '../domain/progress.ts'
import { shiftColumns } from '../engage/shifts.ts'
import { type BehaviourRelations, readFeatures } from '../features/features.ts'
import type { Database } from '../lake/database.ts'
import type { Lake } from '../lake/lake.ts'
import { PredictionDraft } from '../lake/predictions.ts'
import type { Predictor } from '../model/predictor.ts'
import { Registry } from '../model/registry.ts'
import { loadPredictor } from '../model/stored-predictor.ts'
import { forecastColumns } from './prediction-rows.ts'

/** The version of the day before, and what it says of this day. */
export interface VersionBefore {
  readonly predictor: Predictor
  readonly modelVersion: string
  readonly draft: PredictionDraft
}

export interface DayOfVersion {
  readonly lake: Lake
  readonly modelsFolder: string
  readonly date: string
  /** The version that predicts the day. */
  readonly version: string
  readonly reporter: Reporter
}

/**
 * The version that predicted the day before this one in the lake, where it is another one: what both say of the same
 * day tells a change of the model from a change of behaviour. Null where nothing changed, or it is gone.
 */
export async function openVersionBefore(
  database: Database,
  program: Program,
  { lake, modelsFolder, date, version, reporter }: DayOfVersion,
): Promise<VersionBefore | null> {
  const days = [...lake.state.predictions.values()].filter((day) => day.date < date)
  const last = days.sort((a, b) => (a.date < b.date ? -1 : 1)).at(-1)
  if (last === undefined || last.modelVersion === version) return null
  const folder = new Registry(modelsFolder, program.name).folderOf(last.modelVersion)
  const { modelVersion } = last
  if (!existsSync(folder)) {
    reporter.warn(
      `${modelVersion}, which predicted ${last.date}, is not there any more: changes since then cannot be told apart into those of behaviour and those of the model.`,
    )
    return null
  }
  const columns = [{ name: 'customer_id', type: 'varchar' } as const, ...shiftColumns(program)]
  const draft = await PredictionDraft.create(database, columns, 'before_draft')
  return { predictor: await loadPredictor(folder), modelVersion, draft }
}

/** Adds what the version of the day before says of some customers. */
export async function forecastBefore(
  { predictor, draft }: VersionBefore,
  database: Database,
  { program, lake, relations, spine, customers }: SpineOfDay,
): Promise<void> {
  const { catalogue } = predictor
  const frame = await readFeatures(database, { program, lake, catalogue, relations, spine })
  const predictions = predictor.predict(frame, [0])
  await draft.append(
    customers.map((customer_id, row) => ({ customer_id, ...forecastColumns(predictions, row) })),
  )
}

export interface SpineOfDay {
  readonly program: Program
  readonly lake: Lake
  readonly relations: BehaviourRelations
  readonly spine: string
  readonly customers: readonly string[]
}
