import { encode } from '../src/features/encoder.ts'
import { type FeatureFrame, pickFrame } from '../src/features/features.ts'
import { fitEncoder } from '../src/features/fit-encoder.ts'
import { cumulativeFromHazards } from '../src/model/blend.ts'
import { answerInterval } from '../src/model/conformal.ts'
import type { Fitter } from '../src/model/fitter.ts'
import { fitLogistic } from '../src/model/logistic-member.ts'
import { answerCount } from '../src/model/member.ts'
import { distributionOf, Predictor } from '../src/model/predictor.ts'
import { labelBlock } from '../training/labelled.ts'
import { learn } from '../training/learn.ts'
import { learningSet } from '../training/members.ts'
import { wholeBlock } from '../training/splits.ts'
import type { QualitySplit } from './quality-splits.ts'

/** What one forecaster says of a task's test rows. */
export interface TaskForecast {
  /** Probability of each row, or distribution of the answer [rows × 11]. */
  readonly values: Float64Array
  /** Ends of the 80% interval of each answer; null where there are none. */
  readonly intervals: { readonly low: Float64Array; readonly high: Float64Array } | null
  /** Ours are of all tasks together: it learns them at once. */
  readonly trainSeconds: number
  readonly predictSeconds: number
  /** Of a peer's settings where they were chosen, on learning rows; null without. */
  readonly validationLoss: number | null
}

/** Task → forecast of its test rows in one split. */
export type Forecast = ReadonlyMap<string, TaskForecast>

export interface ForecastOptions {
  /** Features of the whole dataset. */
  readonly frame: FeatureFrame
  readonly horizonsDays: readonly number[]
  readonly seed: number
  readonly fitter: Fitter
}

/** Learns as `train` does from what was known before the test rows, and forecasts these. */
export async function forecastOurs(split: QualitySplit, options: ForecastOptions): Promise<Forecast> {
  const { horizonsDays, seed, fitter } = options
  const started = performance.now()
  const learned = await learn({
    dataset: split.train,
    signals: split.signals,
    tasks: split.tasks,
    split: split.inner,
    asOf: split.asOf,
    horizonsDays,
    seed,
    fitter,
    onProgress: () => {},
  })
  const trained = performance.now()
  const { catalogue } = split.train
  const predictor = new Predictor({ catalogue, excluded: [], skipped: {}, ...learned.parts })
  const said = predictor.predict(pickFrame(options.frame, split.test.rows), [0])
  const seconds = {
    trainSeconds: (trained - started) / 1000,
    predictSeconds: (performance.now() - trained) / 1000,
  }
  const model = said.answers?.model
  return pickTasks(split, {
    horizonsDays,
    outcomes: said.outcomes.map(({ probabilities }) => probabilities),
    distributions: said.answers?.distributions[0] ?? null,
    intervalOf: model ? (distribution) => answerInterval(distribution, model.conformal) : null,
    ...seconds,
  })
}

/** Our regularised logistic regression on the same rows and features: what there is to compare with without peers. */
export function forecastLogistic(split: QualitySplit, { frame, horizonsDays }: ForecastOptions): Forecast {
  const started = performance.now()
  const { train, tasks } = split
  const labelled = labelBlock(train, wholeBlock(train, split.asOf), { tasks, horizonsDays })
  const encoder = fitEncoder(train.frame, labelled.rows, { targets: [], settings: { mostBins: 0 } })
  const picked = pickFrame(train.frame, labelled.rows)
  const logistic = fitLogistic(learningSet(encoder, labelled, { picked, view: 'plain' }), { seed: 1 })
  const trained = performance.now()
  const rows = pickFrame(frame, split.test.rows)
  const said = logistic.predict(encode(encoder, rows, 'plain'), [new Float32Array(rows.rows)])
  const outcomes = tasks.outcomes.map(({ outcome, intervals }, index) => {
    const happened = cumulativeFromHazards(said.hazards[index], intervals)
    return outcome.kind === 'absence' ? happened.map((p) => 1 - p) : happened
  })
  return pickTasks(split, {
    horizonsDays,
    outcomes,
    distributions: said.answers[0] ?? null,
    intervalOf: null,
    trainSeconds: (trained - started) / 1000,
    predictSeconds: (performance.now() - trained) / 1000,
  })
}

/** What was said of all test rows. */
interface Said extends Pick<TaskForecast, 'trainSeconds' | 'predictSeconds'> {
  readonly horizonsDays: readonly number[]
  /** [rows × horizons], one a learned outcome. */
  readonly outcomes: readonly ArrayLike<number>[]
  /** [rows × 11] */
  readonly distributions: ArrayLike<number> | null
  readonly intervalOf: ((distribution: Float64Array) => readonly [number, number]) | null
}

/** The forecasts of each task's own rows. */
function pickTasks({ judged, tasks, test }: QualitySplit, said: Said): Forecast {
  const places = new Map(Array.from(test.rows, (row, place) => [row, place]))
  const { trainSeconds, predictSeconds } = said
  const alike = { trainSeconds, predictSeconds, validationLoss: null }
  const forecasts = judged.map(({ name, kind, test: { row } }): [string, TaskForecast] => {
    const own = row.map((at) => places.get(at) as number)
    if (kind === 'outcome') {
      const { source, width, column } = outcomeColumn(name, tasks.outcomes, said)
      const values = Float64Array.from(own, (place) => source[place * width + column])
      return [name, { ...alike, values, intervals: null }]
    }
    const { distributions, intervalOf } = said
    if (distributions === null) throw new Error('Answers are not predicted.')
    const values = new Float64Array(own.length * answerCount).map(
      (_, at) => distributions[own[Math.floor(at / answerCount)] * answerCount + (at % answerCount)],
    )
    const ends = intervalOf && Array.from(own, (_, row) => intervalOf(distributionOf(values, row)))
    const intervals = ends && {
      low: Float64Array.from(ends, ([low]) => low),
      high: Float64Array.from(ends, ([, high]) => high),
    }
    return [name, { ...alike, values, intervals }]
  })
  return new Map(forecasts)
}

/** Where the probability of `churn_30` stands. */
function outcomeColumn(
  name: string,
  plan: QualitySplit['tasks']['outcomes'],
  { horizonsDays, outcomes }: Pick<Said, 'horizonsDays' | 'outcomes'>,
): { source: ArrayLike<number>; width: number; column: number } {
  const index = plan.findIndex(({ outcome }) =>
    horizonsDays.some((days) => name === `${outcome.name}_${days}`),
  )
  const column = horizonsDays.findIndex((days) => name === `${plan[index].outcome.name}_${days}`)
  return { source: outcomes[index], width: plan[index].intervals, column }
}
