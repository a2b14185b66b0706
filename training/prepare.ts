import { type Day, daysBetween, epochDay } from '../src/domain/days.ts'
import { usageError } from '../src/domain/errors.ts'
import type { Program } from '../src/domain/program.ts'
import type { Reporter } from '../src/domain/progress.ts'
import type { SegmentSignals } from '../src/domain/segment.ts'
import { lakeRelations } from '../src/features/features.ts'
import { readSegmentSignals } from '../src/features/segment-signals.ts'
import { lastDayWithData } from '../src/lake/coverage.ts'
import type { Database } from '../src/lake/database.ts'
import { type Lake, openLake } from '../src/lake/lake.ts'
import { withScratchDatabase } from '../src/lake/scratch-database.ts'
import { type Dataset, readDataset } from './dataset.ts'
import { labelBlock } from './labelled.ts'
import { findTellingFeatures, type Leak } from './leaks.ts'
import { findAfterthoughts, findTellingObservation } from './leaks-in-history.ts'
import { findTellingAmounts } from './leaks-of-amounts.ts'
import { findStoppedCounters } from './leaks-of-counters.ts'
import { wholeBlock } from './splits.ts'
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
  /** Milliseconds since some moment; where it stands still nothing is timed. */
  readonly stopwatch?: () => number
  readonly reporter: Reporter
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
  return withScratchDatabase(lake.folder, program, (database) =>
    prepareIn(database, program, { ...options, lake, asOf }),
  )
}

async function prepareIn(
  database: Database,
  program: Program,
  { lake, asOf, maxRows, reporter }: Pick<TrainOptions, 'maxRows' | 'reporter'> & { lake: Lake; asOf: Day },
): Promise<Prepared> {
  const leaks = [...(await findTellingObservation(database, { program, relations: lakeRelations(lake) }))]
  const read = (found: readonly Leak[]) =>
    readDataset(database, { program, lake, asOf, maxRows, excluded: new Set(refused(program, found)) })
  let dataset = await read(leaks)
  leaks.push(...(await findLeaks(database, { program, lake, dataset, asOf })))
  if (refused(program, leaks).length > 0) dataset = await read(leaks)
  const marked = leaks.map((leak) => ({ ...leak, isAccepted: program.acceptLeaks.includes(leak.origin) }))
  for (const leak of marked)
    reporter.warn(
      `${leak.words} ${leak.isAccepted ? 'Accepted by accept_leaks.' : `Left out; accept_leaks: [${leak.origin}] would keep it.`}`,
    )
  const relations = lakeRelations(lake)
  const signals = await readSegmentSignals(database, { program, relations, spine: 'spine' })
  return { lake, asOf, dataset, signals, tasks: planTasks(program, dataset), leaks: marked }
}

function refused(program: Program, leaks: readonly Leak[]): string[] {
  return leaks.map(({ origin }) => origin).filter((origin) => !program.acceptLeaks.includes(origin))
}

/** Names of the leaks that were left out. */
export function excludedNames({ leaks }: Prepared): string[] {
  return leaks.filter(({ isAccepted }) => !isAccepted).map(({ origin }) => origin)
}

async function findLeaks(
  database: Database,
  { program, lake, dataset, asOf }: { program: Program; lake: Lake; dataset: Dataset; asOf: Day },
): Promise<Leak[]> {
  const tasks = planTasks(program, dataset)
  const block = wholeBlock(dataset, epochDay(asOf))
  const labelled = labelBlock(dataset, block, { tasks, horizonsDays: program.horizonsDays })
  const recorded = { program, relations: lakeRelations(lake), asOf }
  const { attributes } = dataset.catalogue
  const found = findTellingFeatures(dataset, labelled, tasks)
  const leaks = [
    ...found,
    ...findTellingAmounts(dataset, labelled, { tasks, found }),
    ...(await findAfterthoughts(database, { ...recorded, attributes: attributes.map(({ name }) => name) })),
    ...(await findStoppedCounters(database, { ...recorded, attributes })),
  ]
  return leaks.filter((leak, index) => leaks.findIndex(({ origin }) => origin === leak.origin) === index)
}

function firstDay(lake: Lake): Day {
  const days = [...lake.state.sources.values()].flatMap(({ spans }) =>
    Object.values(spans).map((span) => span.firstDay),
  )
  return days.reduce((first, day) => (day < first ? day : first), '9999-12-31')
}
