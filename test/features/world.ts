import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Day } from '../../src/domain/days.ts'
import { buildCatalogue } from '../../src/features/build-catalogue.ts'
import type { Catalogue } from '../../src/features/catalogue.ts'
import { type FeatureFrame, makeSpine, readFeatures } from '../../src/features/features.ts'
import { selectAtRisk, selectEverybody } from '../../src/features/population.ts'
import { lakeRelations } from '../../src/features/relations.ts'
import { Database } from '../../src/lake/database.ts'
import { type Lake, openLake } from '../../src/lake/lake.ts'
import { ingestMade } from '../lakes.ts'
import { type MadeProgram, makeProgram, type ProgramFiles } from '../programs.ts'

/** A program whose sources lie in a lake, and a database to ask it. */
export interface World extends MadeProgram {
  readonly lake: Lake
  readonly database: Database
}

/** Writes a program, ingests it and opens its lake; gone when the test is. */
export async function makeWorld(files: ProgramFiles, options: { threads?: number } = {}): Promise<World> {
  const made = await makeProgram(files)
  await ingestMade(made)
  return openWorld(made, options)
}

/** The lake of a made program as it is now. */
export async function openWorld(made: MadeProgram, options: { threads?: number } = {}): Promise<World> {
  const database = await Database.open({
    spillFolder: join(made.folder, 'spill'),
    timezone: made.program.timezone,
    ...options,
  })
  onTestFinished(() => database.close())
  return { ...made, database, lake: await openLake(made.dataFolder, made.program) }
}

export function catalogueOf(world: World, asOf: Day, excluded: readonly string[] = []): Promise<Catalogue> {
  const { program, lake, database } = world
  return buildCatalogue(database, { program, lake, asOf, excluded: new Set(excluded) })
}

/** Puts everybody at risk on these days into the table `spine`; returns `customer@cutoff` of each row. */
export async function spineOf(
  world: World,
  cutoffs: readonly Day[],
  buckets?: readonly number[],
): Promise<string[]> {
  const { program, lake, database } = world
  const relations = lakeRelations(lake, buckets && { buckets })
  const days = cutoffs.map((day) => `date '${day}'`).join(', ')
  const candidates = `
    select customer_id, cutoff
    from (${selectEverybody(relations)}) as everybody, (select unnest([${days}]::date[]) as cutoff) as days`
  await makeSpine(database, 'spine', selectAtRisk({ program, relations, candidates }))
  const rows = await database.rows<{ key: string }>(
    "select customer_id || '@' || cutoff::varchar as key from spine order by row",
  )
  return rows.map(({ key }) => key)
}

export type FeatureValue = number | string | null

/** `customer@cutoff` → feature → value; a missing number is null. */
export type FeatureTable = Record<string, Record<string, FeatureValue>>

/** Features of everybody at risk on these days. */
export async function featuresAt(
  world: World,
  cutoffs: readonly Day[],
  options: { catalogue: Catalogue; buckets?: readonly number[] },
): Promise<FeatureTable> {
  const keys = await spineOf(world, cutoffs, options.buckets)
  return tableOf(keys, await frameOf(world, options))
}

/** Features of the rows of the table `spine`. */
export function frameOf(
  { program, lake, database }: World,
  { catalogue, buckets }: { catalogue: Catalogue; buckets?: readonly number[] },
): Promise<FeatureFrame> {
  const relations = lakeRelations(lake, buckets && { buckets })
  return readFeatures(database, { program, lake, catalogue, relations, spine: 'spine' })
}

function tableOf(keys: readonly string[], frame: FeatureFrame): FeatureTable {
  const valueAt = (index: number, row: number): FeatureValue => {
    const value = frame.columns[index][row]
    return typeof value === 'number' && Number.isNaN(value) ? null : value
  }
  return Object.fromEntries(
    keys.map((key, row) => [
      key,
      Object.fromEntries(frame.features.map(({ name }, index) => [name, valueAt(index, row)])),
    ]),
  )
}
