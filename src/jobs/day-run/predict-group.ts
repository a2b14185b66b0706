import { join } from 'node:path'
import { damageFailure, storageFailure } from '../../domain/errors.ts'
import { predictionColumns } from '../../domain/prediction.ts'
import type { Program } from '../../domain/program.ts'
import { shiftColumns } from '../../engage/shifts.ts'
import {
  type BehaviourRelations,
  type FeatureFrame,
  lakeRelations,
  makeDaySpine,
  readFeatures,
  sliceFrame,
} from '../../features/features.ts'
import { readSegmentSignals } from '../../features/segment-signals.ts'
import { readAnnualValues } from '../../impact/annual-value.ts'
import type { Database } from '../../lake/database.ts'
import { type Lake, openLake } from '../../lake/lake.ts'
import { PredictionDraft } from '../../lake/predictions.ts'
import { RunFolder } from '../../lake/run-folder.ts'
import { withScratchDatabase } from '../../lake/scratch-database.ts'
import { startBackend } from '../../model/backend.ts'
import type { Compared } from '../../model/drivers.ts'
import type { Predictor } from '../../model/predictor.ts'
import { Registry } from '../../model/registry.ts'
import { loadPredictor } from '../../model/stored-predictor.ts'
import { readSettled } from './compared-step.ts'
import { keepGroup, keptOfGroup, keptStep } from './keep-group.ts'
import { type DayPlan, partFile } from './plan.ts'
import { dayConstants, forecastBatch, predictionBatch } from './prediction-batch.ts'

/** A group of a day's customers to be predicted: data only. */
export interface GroupTask {
  readonly program: Program
  readonly dataFolder: string
  readonly modelsFolder: string
  readonly plan: DayPlan
  /** Place of the group in the plan. */
  readonly group: number
  /** What is done of it: what is known of its events is kept, or its customers are predicted. */
  readonly step: 'keep' | 'predict'
  /** Threads of the database. */
  readonly threads: number
}

/** A step of a group as it is noted when it is done. */
export function stepName({ step, group }: Pick<GroupTask, 'step' | 'group'>): string {
  return step === 'keep' ? keptStep(group) : `group-${group}`
}

/**
 * Does one step of a group.
 *
 * @param onRows told how many customers are predicted
 *
 * **Errors** `damaged` where a file of the lake is, `storage`
 */
export function runGroup(task: GroupTask, onRows: (rows: number) => void): Promise<void> {
  return doStep(task, onRows).catch((error) => {
    throw storageFailure(error) ?? damageFailure(error) ?? error
  })
}

async function doStep(task: GroupTask, onRows: (rows: number) => void): Promise<void> {
  if (task.step === 'predict') await predictGroup(task, onRows)
  else {
    const { program, plan, dataFolder, group } = task
    const lake = await openLake(dataFolder, program, plan.lakeCommit)
    const { predictor } = await loadPredictors(task)
    await keepGroup(
      { program, plan, lake, run: new RunFolder(lake.folder, plan.id), predictor, group },
      task.threads,
    )
  }
}

/** Customers whose features are held in memory at once. */
const rowsAtOnce = 150_000
/** Customers who are predicted at once: what is worked out of them stays in the processor's caches. */
const rowsOfSlice = 2048

/**
 * Predicts the customers of a group, unless that was done, and keeps what it found in the folder of the run. Whoever does
 * it, and however often, it gives the same bytes on the same backend.
 *
 * @param onRows told how many customers are done.
 */
async function predictGroup(task: GroupTask, onRows: (rows: number) => void): Promise<void> {
  const { program, plan, dataFolder, group, threads } = task
  const lake = await openLake(dataFolder, program, plan.lakeCommit)
  const run = new RunFolder(lake.folder, plan.id)
  const step = stepName(task)
  if ((await run.noteOf(step)) !== null) return
  const predictors = await loadPredictors(task)
  const compared = await readSettled(run)
  const { timezone } = program
  const { memoryLimit } = plan
  await withScratchDatabase(run.path, { timezone, threads, memoryLimit }, async (database, folder) => {
    // Every kind of event is read from the same few files, which nobody changes.
    await database.run('set parquet_metadata_cache = true')
    const work = { program, plan, lake, run, database, group, compared, onRows, ...predictors }
    const drafts = await openDrafts(work)
    const customers = await predictAll(work, drafts)
    for (const [kind, draft] of Object.entries(drafts) as ['day' | 'before', PredictionDraft][]) {
      const staged = join(folder, 'part.parquet')
      await draft.write(staged)
      await run.keep(staged, partFile(kind, group))
    }
    await run.note(step, { customers })
  })
}

interface Predictors {
  readonly predictor: Predictor
  /** Of the version of the day before; null: it is the same. */
  readonly predictorBefore: Predictor | null
}

/** A process predicts one group after the other by the same versions. */
let loaded: { readonly key: string; readonly predictors: Promise<Predictors> } | null = null

function loadPredictors({ program, modelsFolder, plan }: GroupTask): Promise<Predictors> {
  const key = JSON.stringify([
    modelsFolder,
    program.name,
    plan.modelVersion,
    plan.versionBefore,
    plan.backend,
  ])
  if (loaded?.key !== key) {
    const registry = new Registry(modelsFolder, program.name)
    const load = (version: string) => loadPredictor(registry.folderOf(version))
    const predictors = startBackend(plan.backend).then(async () => ({
      predictor: await load(plan.modelVersion),
      predictorBefore: plan.versionBefore === null ? null : await load(plan.versionBefore),
    }))
    loaded = { key, predictors }
  }
  return loaded.predictors
}

interface Work extends Predictors {
  readonly program: Program
  readonly plan: DayPlan
  readonly lake: Lake
  readonly run: RunFolder
  readonly database: Database
  readonly group: number
  readonly compared: Compared
  readonly onRows: (rows: number) => void
}

interface Drafts {
  readonly day: PredictionDraft
  /** Only where another version predicted the day before. */
  readonly before?: PredictionDraft
}

async function openDrafts({ database, program, plan, predictor, predictorBefore }: Work): Promise<Drafts> {
  const { date, modelVersion: version } = plan
  const constants = dayConstants(program, { predictor, date, version })
  const day = await PredictionDraft.create(database, { columns: predictionColumns(program), constants })
  if (predictorBefore === null) return { day }
  const columns = [{ name: 'customer_id', type: 'varchar' } as const, ...shiftColumns(program)]
  return { day, before: await PredictionDraft.create(database, { columns, table: 'before_draft' }) }
}

async function predictAll(work: Work, drafts: Drafts): Promise<number> {
  const { program, plan, lake, database, group, predictor, predictorBefore } = work
  const { excluded } = predictor.parts
  const all = lakeRelations(lake, { buckets: plan.groups[group], excluded: new Set(excluded) })
  const relations = plan.keeps ? { ...all, kept: keptOfGroup(work) } : all
  const customers = await makeDaySpine(database, 'day_spine', { program, relations, date: plan.date })
  for (let start = 0; start < customers; start += rowsAtOnce) {
    await database.run(`
      create or replace temp table spine as
      select row - ${start} as row, customer_id, cutoff, joined
      from day_spine
      where row >= ${start} and row < ${start + rowsAtOnce}`)
    const ids = (await database.columns('select customer_id from spine order by row')).customer_id as string[]
    await predictSpine(work, drafts.day, { relations, ids })
    if (predictorBefore === null || drafts.before === undefined) continue
    const frame = await frameOf(work, predictorBefore, all)
    for (const [from, slice] of slicesOf(frame)) {
      const predictions = predictorBefore.predict(slice, [0])
      await drafts.before.append(forecastBatch(predictions, ids.slice(from, from + slice.rows)))
    }
  }
  return customers
}

async function predictSpine(
  work: Work,
  draft: PredictionDraft,
  { relations, ids }: { relations: BehaviourRelations; ids: readonly string[] },
): Promise<void> {
  const { program, lake, database, predictor, compared, onRows } = work
  const frame = await frameOf(work, predictor, relations)
  const spine = 'spine'
  const signals = await readSegmentSignals(database, { program, relations, spine })
  const annualValues = await readAnnualValues(database, { program, state: lake.state, relations, spine })
  for (const [from, slice] of slicesOf(frame)) {
    const to = from + slice.rows
    const predictions = predictor.predict(slice, [0, ...program.horizonsDays])
    await draft.append(
      predictionBatch({
        ...{ program, predictor, compared, predictions, frame: slice },
        customers: ids.slice(from, to),
        signals: signals.slice(from, to),
        annualValues: annualValues.slice(from, to),
      }),
    )
    onRows(to)
  }
}

function frameOf(
  { program, lake, database }: Work,
  { catalogue }: Predictor,
  relations: BehaviourRelations,
): Promise<FeatureFrame> {
  return readFeatures(database, { program, lake, catalogue, relations, spine: 'spine' })
}

function* slicesOf(frame: FeatureFrame): Generator<[from: number, slice: FeatureFrame]> {
  for (let from = 0; from < frame.rows; from += rowsOfSlice)
    yield [from, sliceFrame(frame, from, Math.min(frame.rows, from + rowsOfSlice))]
}
