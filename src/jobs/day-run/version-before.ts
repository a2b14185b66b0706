import { existsSync } from 'node:fs'
import type { Day } from '../../domain/days.ts'
import type { Program } from '../../domain/program.ts'
import type { Reporter } from '../../domain/progress.ts'
import type { LakeState } from '../../lake/commits.ts'
import { Registry } from '../../model/registry.ts'

export interface DayOfVersion {
  readonly state: LakeState
  readonly modelsFolder: string
  readonly date: Day
  /** The version that predicts the day. */
  readonly version: string
  readonly reporter: Reporter
}

/**
 * The version that predicted the day before this one in the lake, where it is another one: what both say of the same
 * day tells a change of the model from a change of behaviour. Null where nothing changed, or it is gone.
 */
export function findVersionBefore(
  program: Program,
  { state, modelsFolder, date, version, reporter }: DayOfVersion,
): string | null {
  const days = [...state.predictions.values()].filter((day) => day.date < date)
  const last = days.sort((a, b) => (a.date < b.date ? -1 : 1)).at(-1)
  if (last === undefined || last.modelVersion === version) return null
  const { modelVersion } = last
  if (existsSync(new Registry(modelsFolder, program.name).folderOf(modelVersion))) return modelVersion
  reporter.warn(
    `${modelVersion}, which predicted ${last.date}, is not there any more: changes since then cannot be told apart into those of behaviour and those of the model.`,
  )
  return null
}
