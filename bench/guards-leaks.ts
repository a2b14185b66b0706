import { silentReporter } from '../src/domain/progress.ts'
import type { FeatureFrame } from '../src/features/features.ts'
import { prepare } from '../training/prepare.ts'
import { settleCompany } from './guards-company.ts'
import { makePlanted, type Plant } from './guards-planted.ts'

/** What the leak search made of one planted feature in one company. */
export interface Search {
  readonly plant: Plant
  readonly seed: number
  readonly isNamed: boolean
  /** It never differs at any row that is learned from: it comes too late to be seen before the outcome. */
  readonly isShutOut: boolean
  /** Other names that were called leaks; all of them are wrong. */
  readonly alsoNamed: readonly string[]
}

/** Reads a company with something planted as `train` does before it learns. */
export async function searchPlanted(
  plant: Plant,
  options: { folder: string; now: string; seed: number },
): Promise<Search> {
  const { program, dataFolder } = await settleCompany(makePlanted(plant, options.seed), options)
  const { dataset, leaks } = await prepare(program, { dataFolder, maxRows: 8000, reporter: silentReporter })
  const named = leaks.map(({ origin }) => origin)
  const isNamed = named.includes(plant.origin)
  return {
    plant,
    seed: options.seed,
    isNamed,
    isShutOut: !isNamed && isConstant(dataset.frame, plant.origin),
    alsoNamed: named.filter((origin) => origin !== plant.origin),
  }
}

/** Whether no feature of an origin differs between rows. A window that reaches back before the data is missing for all. */
function isConstant({ features, columns }: FeatureFrame, origin: string): boolean {
  return features.every((feature, index) => {
    if (feature.origin !== origin) return true
    const values = Array.from(columns[index] as ArrayLike<number | string | null>, String)
    const seen = new Set(feature.windowDays === null ? values : values.filter((value) => value !== 'NaN'))
    return seen.size <= 1
  })
}
