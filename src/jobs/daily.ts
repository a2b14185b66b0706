import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Day, daysBetween } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import { predictionColumns } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import type { Reporter } from '../domain/progress.ts'
import {
  type BehaviourRelations,
  lakeRelations,
  makeDaySpine,
  pickFrame,
  readFeatures,
} from '../features/features.ts'
import { readSegmentSignals } from '../features/segment-signals.ts'
import { readAnnualValues } from '../impact/annual-value.ts'
import { lastDayWithData } from '../lake/coverage.ts'
import { Database } from '../lake/database.ts'
import { type Lake, openLake } from '../lake/lake.ts'
import { whileLocked } from '../lake/lock.ts'
import { PredictionDraft } from '../lake/predictions.ts'
import { type Compared, comparedCustomers } from '../model/drivers.ts'
import type { Predictor } from '../model/predictor.ts'
import { loadChampion } from '../model/stored-predictor.ts'
import { drawCompared, rowsAtOnce } from './compared-customers.ts'
import { markExpansion, predictionRows } from './prediction-rows.ts'
import { forecastBefore, openVersionBefore, type VersionBefore } from './version-before.ts'

export interface DailyOptions {
  readonly dataFolder: string
  readonly modelsFolder: string
  readonly date: Day
  /** The clock, ISO 8601. */
  readonly now: string
  readonly reporter: Reporter
}

export interface DailyReport {
  readonly program: string
  readonly date: Day
  readonly modelVersion: string
  /** Customers at risk: one row each. */
  readonly customers: number
  readonly predicted: number
  readonly abstained: number
}

/** The predictions of a day for every customer at risk; running it again replaces them at once. */
export async function predictDay(program: Program, options: DailyOptions): Promise<DailyReport> {
  const { date, now } = options
  const { predictor, version } = await loadChampion(options.modelsFolder, program)
  const folder = (await openLake(options.dataFolder, program)).folder
  return whileLocked(folder, options, async () => {
    const lake = await openLake(options.dataFolder, program)
    warnWhereStale(program, lake, options)
    if (date < version.slice(0, 10)) {
      options.reporter.warn(
        `${version} learned from what happened after ${date}: these predictions are no fair test of it.`,
      )
    }
    const staging = join(folder, 'staging')
    const database = await Database.open({ spillFolder: join(staging, 'spill'), timezone: program.timezone })
    try {
      const draft = await PredictionDraft.create(database, predictionColumns(program))
      const before = await openVersionBefore(database, program, { ...options, lake, version })
      const work = { program, lake, database, draft, predictor, version, before, options }
      let compared: Compared | null = null
      for (const buckets of bucketGroups(lake)) compared = await predictBuckets(work, buckets, compared)
      await markExpansion(database, program)
      const written = { date, modelVersion: version, at: now, timezone: program.timezone }
      const day = await draft.publish(lake, written, before)
      const abstained = day.rows - day.predicted
      return {
        program: program.name,
        date,
        modelVersion: version,
        customers: day.rows,
        predicted: day.predicted,
        abstained,
      }
    } finally {
      database.close()
      await rm(staging, { recursive: true, force: true })
    }
  })
}

interface Work {
  readonly program: Program
  readonly lake: Lake
  readonly database: Database
  readonly draft: PredictionDraft
  readonly predictor: Predictor
  readonly version: string
  readonly before: VersionBefore | null
  readonly options: DailyOptions
}

/** Buckets that are read together: all of a small lake, one at a time of a large one. */
export function bucketGroups(lake: Lake): number[][] {
  const rows = lake.state.files.reduce((sum, file) => sum + file.rows, 0)
  const all = Array.from({ length: lake.state.buckets }, (_, bucket) => bucket)
  return rows <= 1_000_000 ? [all] : all.map((bucket) => [bucket])
}

/** Customers fall into buckets by hash, so that those of the first one to compare with will do for all. */
async function predictBuckets(
  work: Work,
  buckets: readonly number[],
  known: Compared | null,
): Promise<Compared | null> {
  const { program, lake, database, options } = work
  const relations = lakeRelations(lake, { buckets, excluded: new Set(work.predictor.parts.excluded) })
  const rows = await makeDaySpine(database, 'day_spine', { program, relations, date: options.date })
  let compared = known
  for (let start = 0; start < rows; start += rowsAtOnce) {
    options.reporter.progress({
      phase: 'predict',
      done: buckets[0] * rowsAtOnce + start,
      total: lake.state.buckets * rowsAtOnce,
      note: `${start} of ${rows} customers`,
    })
    await database.run(`
      create or replace temp table spine as
      select row - ${start} as row, customer_id, cutoff, joined
      from day_spine where row >= ${start} and row < ${start + rowsAtOnce}`)
    compared = await predictSpine(work, relations, compared)
  }
  return compared
}

/** @param known whom drivers compare with; null: some of these rows. @returns them */
async function predictSpine(
  work: Work,
  relations: BehaviourRelations,
  known: Compared | null,
): Promise<Compared> {
  const { program, lake, database, predictor } = work
  const spine = 'spine'
  const frame = await readFeatures(database, {
    program,
    lake,
    catalogue: predictor.catalogue,
    relations,
    spine,
  })
  const customers = (await database.columns('select customer_id from spine order by row'))
    .customer_id as string[]
  const signals = await readSegmentSignals(database, { program, relations, spine })
  const annualValues = await readAnnualValues(database, { program, state: lake.state, relations, spine })
  const compared =
    known ?? comparedCustomers(predictor, pickFrame(frame, await drawCompared(database, spine)))
  const predictions = predictor.predict(frame, [0, ...program.horizonsDays])
  await work.draft.append(
    predictionRows({
      program,
      date: work.options.date,
      version: work.version,
      customers,
      frame,
      predictor,
      predictions,
      compared,
      signals,
      annualValues,
    }),
  )
  if (work.before) await forecastBefore(work.before, database, { program, lake, relations, spine, customers })
  return compared
}

function warnWhereStale(program: Program, lake: Lake, { date, reporter }: DailyOptions): void {
  const last = lastDayWithData(program, lake.state)
  if (last === null)
    throw usageError('no-data', `The lake of ${program.name} is empty. Run loyalcast ingest first.`)
  const days = daysBetween(last, date)
  if (days > 7)
    reporter.warn(
      `${date} is ${days} days after the last data (${last}): customers will look inactive who are not.`,
    )
}
