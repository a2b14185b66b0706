import {
  answerLogLosses,
  detractorProbabilities,
  meanAbsoluteError,
  promoterProbabilities,
  rankedProbabilityScore,
} from '../src/model/answer-metrics.ts'
import type { Interval } from '../src/model/bootstrap.ts'
import {
  auc,
  averagePrecision,
  brier,
  expectedCalibrationError,
  liftAt,
  logLosses,
  meanOf,
} from '../src/model/metrics.ts'
import { calibrationBound, clampProbabilities, pairedRatio } from './quality-metrics.ts'
import type { TaskForecast } from './quality-ours.ts'
import type { DatedTask } from './quality-splits.ts'

/** A task judged once: on one split, with one seed. */
export interface TaskRun {
  readonly task: DatedTask
  /** Who → what they said. */
  readonly forecasts: ReadonlyMap<string, TaskForecast>
}

export const measures = [
  'AUC',
  'PR-AUC',
  'log loss',
  'Brier',
  'ECE',
  'lift@10%',
  'MAE',
  'RPS',
  'det. AUC',
  'prom. AUC',
  'train s',
  'predict s',
] as const
export type Measure = (typeof measures)[number]
export type Figures = Readonly<Partial<Record<Measure, number | null>>>

export interface WhoFigures {
  readonly who: string
  /** Means over the runs, and standard deviations; none of a single run. */
  readonly mean: Figures
  readonly spread: Figures | null
}

/** Own log loss over that of others: one, or one a fold. */
export interface Ratio extends Interval {
  readonly of: string
}

export interface JudgedTask {
  readonly program: string
  readonly task: string
  readonly rows: number
  readonly all: readonly WhoFigures[]
  /** Null without peers. */
  readonly ratio: {
    /** Over the peer whose settings were best where they were chosen: who is taken without a look at the test rows. */
    readonly chosen: Ratio
    /** Over the best of the peers on the test rows themselves. */
    readonly best: Ratio
  } | null
  /** Own calibration error, and what a perfectly calibrated forecast would stay below. Null for answers. */
  readonly calibration: { readonly error: number; readonly bound: number } | null
  /** Share of answers within the 80% interval; null for outcomes. */
  readonly coverage: number | null
}

export const ours = 'Loyalcast'

/** Judges one task over its runs. @param rivals who may be the best peer. */
export function judgeTask(
  program: string,
  runs: readonly TaskRun[],
  { rivals, seed }: { rivals: readonly string[]; seed: number },
): JudgedTask {
  const { name, kind } = runs[0].task
  const everybody = [...runs[0].forecasts.keys()]
  const figures = new Map(everybody.map((who) => [who, runs.map((run) => figuresOf(run, who))]))
  const all = everybody.map((who) => summarise(who, figures.get(who) as Figures[]))
  const bounds = kind === 'answer' ? [] : runs.map((run) => boundOf(run, seed))
  return {
    program,
    task: name,
    rows: runs.reduce((sum, { task }) => sum + task.test.row.length, 0) / runs.length,
    all,
    ratio: compare(runs, rivals, seed),
    calibration:
      kind === 'answer' ? null : { error: meanOf(runs.map((run) => errorOf(run))), bound: meanOf(bounds) },
    coverage: kind === 'answer' ? meanOf(runs.map(coverageOf)) : null,
  }
}

function said(run: TaskRun, who: string): TaskForecast {
  const forecast = run.forecasts.get(who)
  if (forecast === undefined) throw new Error(`${who} says nothing of ${run.task.name}`)
  return forecast
}

function clamped(run: TaskRun, who: string): Float64Array {
  return clampProbabilities(said(run, who).values)
}

function errorOf(run: TaskRun): number {
  return expectedCalibrationError({ probability: clamped(run, ours), happened: run.task.test.label })
}

function boundOf(run: TaskRun, seed: number): number {
  const { horizonDays, isAbsence, test } = run.task
  const { customer, cutoff } = test
  const probability = clamped(run, ours)
  return calibrationBound({ probability, customer, cutoff, horizonDays, isAbsence }, { seed })
}

function lossesOf(run: TaskRun, who: string): Float64Array {
  const { kind, test } = run.task
  const values = clamped(run, who)
  return kind === 'answer'
    ? answerLogLosses({ distributions: values, score: test.label })
    : logLosses({ probability: values, happened: test.label })
}

function figuresOf(run: TaskRun, who: string): Figures {
  const { trainSeconds, predictSeconds } = said(run, who)
  const { kind, test } = run.task
  const values = clamped(run, who)
  const always = {
    'log loss': meanOf(lossesOf(run, who)),
    'train s': trainSeconds,
    'predict s': predictSeconds,
  }
  if (kind === 'answer') {
    const judged = { distributions: values, score: test.label }
    return {
      ...always,
      MAE: meanAbsoluteError(judged),
      RPS: rankedProbabilityScore(judged),
      'det. AUC': auc({
        probability: detractorProbabilities(values),
        happened: test.label.map((score) => +(score <= 6)),
      }),
      'prom. AUC': auc({
        probability: promoterProbabilities(values),
        happened: test.label.map((score) => +(score >= 9)),
      }),
    }
  }
  const judged = { probability: values, happened: test.label }
  return {
    ...always,
    AUC: auc(judged),
    'PR-AUC': averagePrecision(judged),
    Brier: brier(judged),
    ECE: expectedCalibrationError(judged),
    'lift@10%': liftAt(judged),
  }
}

function summarise(who: string, runs: readonly Figures[]): WhoFigures {
  const over = (reduce: (values: number[]) => number) =>
    Object.fromEntries(
      Object.keys(runs[0]).map((name) => {
        const values = runs.map((figures) => figures[name as Measure])
        return [name, values.every((value) => typeof value === 'number') ? reduce(values) : null]
      }),
    )
  return { who, mean: over(meanOf), spread: runs.length > 1 ? over(deviationOf) : null }
}

function compare(runs: readonly TaskRun[], rivals: readonly string[], seed: number): JudgedTask['ratio'] {
  if (rivals.length === 0) return null
  const losses = (who: string) => runs.flatMap((run) => Array.from(lossesOf(run, who)))
  const best = lowest(rivals, (who) => meanOf(losses(who)))
  const chosen = runs.map((run) => {
    const validated = rivals.filter((who) => said(run, who).validationLoss !== null)
    return validated.length > 0 ? lowest(validated, (who) => said(run, who).validationLoss ?? 0) : best
  })
  const customer = runs.flatMap(({ task }) => Array.from(task.test.customer))
  const over = (others: readonly string[]): Ratio => {
    const other = runs.flatMap((run, index) => Array.from(lossesOf(run, others[index])))
    const ratio = pairedRatio({ own: losses(ours), other, customer }, seed)
    return { ...ratio, of: [...new Set(others)].join(', ') }
  }
  return { chosen: over(chosen), best: over(runs.map(() => best)) }
}

function lowest(names: readonly string[], value: (name: string) => number): string {
  return names.reduce((a, b) => (value(b) < value(a) ? b : a))
}

function coverageOf(run: TaskRun): number {
  const { intervals } = said(run, ours)
  const { label } = run.task.test
  if (intervals === null) throw new Error(`${run.task.name} has no intervals`)
  return (
    label.filter((score, row) => score >= intervals.low[row] && score <= intervals.high[row]).length /
    label.length
  )
}

function deviationOf(values: readonly number[]): number {
  const mean = meanOf(values)
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1))
}
