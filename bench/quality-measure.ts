import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { silentReporter } from '../src/domain/progress.ts'
import { ingest } from '../src/jobs/ingest.ts'
import { readProgram } from '../src/lake/program-file.ts'
import type { Fitter } from '../src/model/fitter.ts'
import { prepare } from '../training/prepare.ts'
import { type JudgedTask, judgeTask, ours, type TaskRun } from './quality-judge.ts'
import { type Forecast, forecastLogistic, forecastOurs } from './quality-ours.ts'
import {
  forecastPeers,
  type Interpreter,
  type PeerForecasts,
  type PeerJob,
  type PeerSearch,
  readTuned,
  tunePeers,
  tuningNotes,
} from './quality-peers.ts'
import { judgingSplits, type QualitySplit } from './quality-splits.ts'
import { exportTable } from './quality-table.ts'
import { programFileOf, type QualityProgram } from './quality-tasks.ts'

/** Our runs where time divides the rows: seeds. Where customers are divided each fold has a seed of its own. */
const seeds = [1, 2, 3]
const ownLogistic = 'own logistic'

export interface MeasureOptions {
  readonly interpreter: Interpreter
  /** Folder of the public data. */
  readonly realData: string
  /** One run on one split. */
  readonly isReduced: boolean
  /** Rows to make choices on instead of those that judge. */
  readonly isDevelopment: boolean
  /** A folder of its own; whoever made it removes it. */
  readonly folder: string
  readonly fitter: Fitter
  /** The clock, ISO 8601. */
  readonly now: string
  readonly say: (sentence: string) => void
}

/** A program's table, its divisions and what the peers need. */
interface Opened {
  readonly prepared: Awaited<ReturnType<typeof prepare>>
  readonly splits: readonly QualitySplit[]
  readonly horizonsDays: readonly number[]
  readonly job: PeerJob
}

async function open(quality: QualityProgram, options: MeasureOptions): Promise<Opened> {
  const { name, tasks, environment, maxRows } = quality
  const { folder, isDevelopment, isReduced, interpreter, now, realData } = options
  const file = await programFileOf(name, folder, silentReporter)
  const program = await readProgram(file, { LOYALCAST_REAL_DATA: realData, ...environment })
  const reading = { dataFolder: join(folder, 'data'), now, reporter: silentReporter }
  await ingest(program, reading)
  const prepared = await prepare(program, { ...reading, maxRows })
  const all = judgingSplits(prepared, { program, tasks, isDevelopment })
  const splits = isReduced ? all.slice(0, 1) : all
  const exported = join(folder, 'table')
  await mkdir(exported)
  const table = await exportTable(exported, prepared.dataset.frame, splits)
  const job = { interpreter, program: name, folder: exported, table, tuned: await readTuned() }
  return { prepared, splits, horizonsDays: program.horizonsDays, job }
}

/** Chooses the settings of a program's peers and keeps them. */
export async function tuneProgram(
  quality: QualityProgram,
  options: MeasureOptions,
  search: PeerSearch,
): Promise<void> {
  const { job } = await open(quality, options)
  await tunePeers(job, search)
}

/** One program from its sources to its judged tasks. */
export async function measureProgram(
  quality: QualityProgram,
  options: MeasureOptions,
): Promise<JudgedTask[]> {
  const { prepared, splits, horizonsDays, job } = await open(quality, options)
  const said = await askPeers(job, options.say)
  const forecast = { frame: prepared.dataset.frame, horizonsDays, fitter: options.fitter }
  const runs: { split: QualitySplit; everybody: ReadonlyMap<string, Forecast> }[] = []
  for (const { split, seed } of planRuns(splits, options.isReduced)) {
    const everybody = new Map<string, Forecast>([
      [ours, await forecastOurs(split, { ...forecast, seed })],
      [ownLogistic, forecastLogistic(split, { ...forecast, seed })],
    ])
    for (const [peer, bySplit] of said) everybody.set(peer, bySplit.get(split.name) ?? new Map())
    runs.push({ split, everybody })
  }
  const rivals = said.size > 0 ? [...said.keys()] : [ownLogistic]
  return quality.tasks.map((name, index) => {
    const ofTask = runs.map(({ split, everybody }): TaskRun => {
      const forecasts = [...everybody].flatMap(([who, byTask]) => {
        const own = byTask.get(name)
        return own ? [[who, own] as const] : []
      })
      return { task: split.judged[index], forecasts: new Map(forecasts) }
    })
    return judgeTask(quality.name, ofTask, { rivals, seed: 1 })
  })
}

/** Nothing where there is no peer. */
async function askPeers(job: PeerJob, say: MeasureOptions['say']): Promise<PeerForecasts> {
  if (Object.keys(job.interpreter.versions).length === 0) return new Map()
  for (const note of tuningNotes(job)) say(note)
  return forecastPeers(job)
}

function planRuns(
  splits: readonly QualitySplit[],
  isReduced: boolean,
): { split: QualitySplit; seed: number }[] {
  if (splits.length > 1) return splits.map((split, index) => ({ split, seed: index + 1 }))
  return seeds.slice(0, isReduced ? 1 : seeds.length).map((seed) => ({ split: splits[0], seed }))
}
