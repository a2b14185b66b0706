import { type Day, daysBetween } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import { predictionColumns } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import type { Reporter } from '../domain/progress.ts'
import { shiftColumns } from '../engage/shifts.ts'
import type { PredictionDay } from '../lake/commits.ts'
import { lastDayWithData } from '../lake/coverage.ts'
import { type Lake, lakeFolder, openLake } from '../lake/lake.ts'
import { whileLocked } from '../lake/lock.ts'
import { publishDay } from '../lake/predictions.ts'
import { RunFolder } from '../lake/run-folder.ts'
import { withScratchDatabase } from '../lake/scratch-database.ts'
import { startBackend } from '../model/backend.ts'
import type { Predictor } from '../model/predictor.ts'
import { loadChampion } from '../model/stored-predictor.ts'
import { settleCompared } from './day-run/compared-step.ts'
import { type GroupRunner, openGroupRunner } from './day-run/group-threads.ts'
import { adoptKept } from './day-run/keep-group.ts'
import { bucketGroups, type DayPlan, partFile, planDay } from './day-run/plan.ts'
import { findVersionBefore } from './day-run/version-before.ts'

export interface DailyOptions {
  readonly dataFolder: string
  readonly modelsFolder: string
  readonly date: Day
  /** The clock, ISO 8601. */
  readonly now: string
  readonly reporter: Reporter
  /** A lake of more rows is worked at bucket by bucket. @default 1,000,000 */
  readonly rowsAtOnce?: number
  /** Groups of customers that are worked at at once. Null: one a processor. @default null */
  readonly threads?: number | null
  /** Redis whose workers work at the groups of a large lake. Null: this process does. @default null */
  readonly redisUrl?: string | null
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

/**
 * The predictions of a day for every customer at risk; running it again replaces them at once. What a run that was
 * killed had finished is not done again.
 */
export async function predictDay(program: Program, options: DailyOptions): Promise<DailyReport> {
  const { predictor, version } = await loadChampion(options.modelsFolder, program)
  return whileLocked(lakeFolder(options.dataFolder, program), options, async () => {
    const lake = await openLake(options.dataFolder, program)
    warnWhereStale(program, lake, options)
    if (options.date < version.slice(0, 10)) {
      options.reporter.warn(
        `${version} learned from what happened after ${options.date}: these predictions are no fair test of it.`,
      )
    }
    const plan = await planRun(program, lake, { ...options, version })
    const work = { program, options, lake, plan, predictor, run: new RunFolder(lake.folder, plan.id) }
    const { rows, predicted } = publishedBy(work) ?? (await runWhole(work))
    for (let group = 0; plan.keeps && group < plan.groups.length; group++) await adoptKept({ ...work, group })
    // Of the same day others were killed on the way: the lake went on since.
    await work.run.remove(options.date)
    const counts = { customers: rows, predicted, abstained: rows - predicted }
    return { program: program.name, date: options.date, modelVersion: version, ...counts }
  })
}

/** The run that was killed behind its publication, so that it is ended and not published twice, or else a new one. */
async function planRun(
  program: Program,
  { folder, state }: Lake,
  { version, date, modelsFolder, reporter, rowsAtOnce }: DailyOptions & { readonly version: string },
): Promise<DayPlan> {
  const settled = {
    ...{ date, modelVersion: version, lakeCommit: state.sequence, backend: await startBackend() },
    versionBefore: findVersionBefore(program, { state, modelsFolder, date, version, reporter }),
    ...sharesOf(bucketGroups(state, rowsAtOnce)),
  }
  const last = planDay(program, { ...settled, lakeCommit: state.sequence - 1 })
  const isCutOff = publishedBy({ lake: { folder, state }, plan: last }) !== null
  return isCutOff && new RunFolder(folder, last.id).isThere() ? last : planDay(program, settled)
}

/** What a run published; null: nothing yet. */
function publishedBy({ lake: { state }, plan }: Pick<Work, 'lake' | 'plan'>): PredictionDay | null {
  const day = state.predictions.get(plan.date)
  return day?.lakeCommit === plan.lakeCommit && plan.lakeCommit === state.sequence - 1 ? day : null
}

async function runWhole(work: Work): Promise<PredictionDay> {
  await work.run.make()
  await runGroups(work)
  return publish(work)
}

interface Work {
  readonly program: Program
  readonly options: DailyOptions
  readonly lake: Lake
  readonly plan: DayPlan
  readonly predictor: Predictor
  readonly run: RunFolder
}

/** A large lake is worked at in groups, several at once. */
function sharesOf(groups: number[][]): Pick<DayPlan, 'groups' | 'keeps' | 'memoryLimit'> {
  const isLarge = groups.length > 1
  return { groups, keeps: isLarge, memoryLimit: isLarge ? '1GB' : '2GB' }
}

async function openRunner({ program, plan, options }: Work): Promise<GroupRunner> {
  const { redisUrl: url = null, dataFolder, threads = null } = options
  if (url === null || !plan.keeps) return openGroupRunner(plan.groups.length, threads)
  // Only here: what speaks with Redis takes a quarter of a second to load.
  const { openGroupQueue } = await import('./day-run/group-queue.ts')
  return openGroupQueue({ url, program, dataFolder, say: (sentence) => options.reporter.warn(sentence) })
}

/** Does all that is not done. A group that fails keeps no other from being done. **Errors** of the first that failed. */
async function runGroups(work: Work): Promise<void> {
  const { plan, options } = work
  const groups = plan.groups.length
  const runner = await openRunner(work)
  const rows = new Array<number>(groups).fill(0)
  const failures = new Map<number, unknown>()
  const all = async (step: 'keep' | 'predict', phase: string) => {
    let finished = 0
    const tell = () => {
      const done = rows.reduce((sum, own) => sum + own, 0)
      const note = done === 0 ? '' : `${done} customers`
      options.reporter.progress({ phase, done: finished, total: groups, note })
    }
    const runOne = async (group: number) => {
      const { dataFolder, modelsFolder } = options
      const onRows = (own: number) => {
        rows[group] = own
        tell()
      }
      await runner.run({ program: work.program, dataFolder, modelsFolder, plan, group, step }, onRows)
      finished++
      tell()
    }
    tell()
    const left = [...plan.groups.keys()].filter((group) => !failures.has(group))
    await Promise.all(left.map((group) => runOne(group).catch((error) => failures.set(group, error))))
  }
  try {
    if (plan.keeps) await all('keep', 'add up events')
    // Whom everybody is compared with is found in the first group.
    if (!failures.has(0)) {
      await settleCompared(work)
      await all('predict', 'predict')
    }
  } finally {
    await runner.close()
  }
  for (const failed of failures.values()) throw failed
}

function publish({ program, options, lake, plan, run }: Work): Promise<PredictionDay> {
  const partsOf = (kind: 'day' | 'before') => plan.groups.map((_, group) => run.pathOf(partFile(kind, group)))
  const beforeColumns = [{ name: 'customer_id', type: 'varchar' } as const, ...shiftColumns(program)]
  const { versionBefore, date, modelVersion, lakeCommit } = plan
  const longest = program.horizonsDays[program.horizonsDays.length - 1]
  const hasUpsell = program.outcomes.some(({ name }) => name === 'upsell')
  return withScratchDatabase(run.path, program, (database, folder) =>
    publishDay(database, lake, {
      ...{ date, modelVersion, lakeCommit, folder },
      parts: { columns: predictionColumns(program), paths: partsOf('day') },
      before:
        versionBefore === null
          ? null
          : { columns: beforeColumns, paths: partsOf('before'), modelVersion: versionBefore },
      expansionColumn: hasUpsell ? `upsell_${longest}` : null,
      at: options.now,
      timezone: program.timezone,
    }),
  )
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
