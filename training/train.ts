import { join } from 'node:path'
import { addDays, type Day, daysBetween } from '../src/domain/days.ts'
import { usageError } from '../src/domain/errors.ts'
import type { Program } from '../src/domain/program.ts'
import type { Reporter } from '../src/domain/progress.ts'
import type { SegmentSignals } from '../src/domain/segment.ts'
import type { Catalogue } from '../src/features/catalogue.ts'
import { lakeRelations } from '../src/features/features.ts'
import { readSegmentSignals } from '../src/features/segment-signals.ts'
import { Database } from '../src/lake/database.ts'
import { type Lake, openLake } from '../src/lake/lake.ts'
import { whileLocked } from '../src/lake/lock.ts'
import type { PredictorParts } from '../src/model/predictor.ts'
import { Registry } from '../src/model/registry.ts'
import { storePredictor } from '../src/model/stored-predictor.ts'
import { lastDayWithData } from '../src/outcomes/known-until.ts'
import { type Card, makeCard } from './card.ts'
import { cardMarkdown } from './card-markdown.ts'
import { type Dataset, readDataset } from './dataset.ts'
import { type GateVerdict, judgeGate } from './gate.ts'
import { labelBlock } from './labelled.ts'
import { findAfterthoughts, findTellingFeatures, findTellingObservation, type Leak } from './leaks.ts'
import { learn } from './learn.ts'
import { splitRows, wholeBlock } from './splits.ts'
import { planTasks, type TaskPlan } from './tasks.ts'

export interface TrainOptions {
  readonly dataFolder: string
  readonly modelsFolder: string
  /** Default: the last complete day with data. */
  readonly asOf?: Day
  readonly maxRows: number
  readonly seed: number
  /** The clock, ISO 8601. */
  readonly now: string
  readonly reporter: Reporter
}

export interface TrainReport {
  readonly program: string
  readonly version: string
  readonly asOf: Day
  readonly promoted: boolean
  /** Why it was promoted or not. */
  readonly reason: string
  readonly card: Card
  /** True where at least one task can be predicted. */
  readonly canPredict: boolean
}

/** What a program's lake gives to learn from on a day, leaks left out. */
export interface Prepared {
  readonly lake: Lake
  readonly asOf: Day
  readonly dataset: Dataset
  readonly signals: readonly SegmentSignals[]
  readonly tasks: TaskPlan
  /** Found and left out, or accepted by the program file. */
  readonly leaks: readonly (Leak & { readonly isAccepted: boolean })[]
}

/** Fits, calibrates, evaluates and publishes a version; promotes it only through the gate. */
export async function train(program: Program, options: TrainOptions): Promise<TrainReport> {
  const registry = new Registry(options.modelsFolder, program.name)
  const prepared = await prepare(program, options)
  const { dataset, tasks, asOf, lake } = prepared
  const { horizonsDays } = program
  const asOfNumber = daysBetween('1970-01-01', asOf)
  const split = splitRows(dataset, { asOf: asOfNumber, horizonsDays })
  const hasTasks = tasks.outcomes.length > 0 || tasks.hasAnswers
  const onProgress = (done: number, note: string) =>
    options.reporter.progress({ phase: 'train', done: Math.round(done * 1000), total: 1000, note })
  const learned = hasTasks
    ? await learn({
        dataset,
        signals: prepared.signals,
        tasks,
        split,
        horizonsDays,
        asOf: asOfNumber,
        seed: options.seed,
        onProgress,
      })
    : null
  const parts: PredictorParts = {
    catalogue: dataset.catalogue,
    excluded: excludedNames(prepared),
    skipped: tasks.skipped,
    ...(learned?.parts ?? { encoder: { encodings: [] }, members: [], outcomes: [], answers: null }),
  }
  return whileLocked(join(options.modelsFolder, program.name), options, async () => {
    const version = await registry.nextVersion(asOf)
    const card = makeCard({
      program,
      version,
      prepared,
      split,
      learned,
      parts,
      options,
      lakeCommit: lake.state.sequence,
    })
    await registry.publish(version, {
      ...storePredictor(parts),
      'card.json': `${JSON.stringify(card, null, 1)}\n`,
      'card.md': cardMarkdown(card),
    })
    const verdict = await promoteThroughGate(registry, card, options)
    return {
      program: program.name,
      version,
      asOf,
      promoted: verdict.isPassed,
      reason: verdict.reason,
      card,
      canPredict: hasTasks,
    }
  })
}

async function promoteThroughGate(
  registry: Registry,
  card: Card,
  { now }: TrainOptions,
): Promise<GateVerdict> {
  const verdict = await judgeGate(registry, card)
  if (verdict.isPassed) await registry.promote(card.version, { at: now, reason: verdict.reason })
  return verdict
}

/** Reads the training table as of a day and guards it against leaks. */
export async function prepare(
  program: Program,
  options: Omit<TrainOptions, 'modelsFolder' | 'seed' | 'now'>,
): Promise<Prepared> {
  const lake = await openLake(options.dataFolder, program)
  const last = lastDayWithData(program, lake.state)
  if (last === null)
    throw usageError(
      'no-data',
      `The lake of ${program.name} has no dated rows. Run loyalcast ingest, and check the sources.`,
    )
  const asOf = options.asOf ?? last
  if (asOf < firstDay(lake) || daysBetween(last, asOf) > 366) {
    throw usageError('as-of', `--as-of is ${asOf}; the data run from ${firstDay(lake)} to ${last}.`)
  }
  options.reporter.progress({ phase: 'features', done: 0, total: 1 })
  const database = await Database.open({
    spillFolder: join(lake.folder, 'spill-training'),
    timezone: program.timezone,
  })
  try {
    const leaks = [...(await findTellingObservation(database, { program, relations: lakeRelations(lake) }))]
    const read = (found: readonly Leak[]) =>
      readDataset(database, {
        program,
        lake,
        asOf,
        maxRows: options.maxRows,
        excluded: new Set(refused(program, found)),
      })
    let dataset = await read(leaks)
    leaks.push(...(await findLeaks(database, { program, lake, dataset, asOf })))
    if (refused(program, leaks).length > 0) dataset = await read(leaks)
    const marked = leaks.map((leak) => ({ ...leak, isAccepted: program.acceptLeaks.includes(leak.origin) }))
    for (const leak of marked)
      options.reporter.warn(
        `${leak.words} ${leak.isAccepted ? 'Accepted by accept_leaks.' : `Left out; accept_leaks: [${leak.origin}] would keep it.`}`,
      )
    const relations = lakeRelations(lake)
    const signals = await readSegmentSignals(database, { program, relations, spine: 'spine' })
    return { lake, asOf, dataset, signals, tasks: planTasks(program, dataset), leaks: marked }
  } finally {
    database.close()
  }
}

function refused(program: Program, leaks: readonly Leak[]): string[] {
  return leaks.map(({ origin }) => origin).filter((origin) => !program.acceptLeaks.includes(origin))
}

function excludedNames({ leaks }: Prepared): string[] {
  return leaks.filter(({ isAccepted }) => !isAccepted).map(({ origin }) => origin)
}

async function findLeaks(
  database: Database,
  { program, lake, dataset, asOf }: { program: Program; lake: Lake; dataset: Dataset; asOf: Day },
): Promise<Leak[]> {
  const tasks = planTasks(program, dataset)
  const block = wholeBlock(dataset, daysBetween('1970-01-01', asOf))
  const labelled = labelBlock(dataset, block, { tasks, horizonsDays: program.horizonsDays })
  const attributes = namesOf(dataset.catalogue)
  const leaks = [
    ...findTellingFeatures(dataset, labelled, tasks),
    ...(await findAfterthoughts(database, { program, relations: lakeRelations(lake), attributes })),
  ]
  return leaks.filter((leak, index) => leaks.findIndex(({ origin }) => origin === leak.origin) === index)
}

function namesOf(catalogue: Catalogue): string[] {
  return catalogue.attributes.map(({ name }) => name)
}

function firstDay(lake: Lake): Day {
  const days = [...lake.state.sources.values()].flatMap(({ spans }) =>
    Object.values(spans).map((span) => span.firstDay),
  )
  return addDays(
    days.reduce((first, day) => (day < first ? day : first), '9999-12-31'),
    0,
  )
}
