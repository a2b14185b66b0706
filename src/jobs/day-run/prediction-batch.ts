import {
  type AnswerClass,
  classProbabilities,
  expectedAnswer,
  likeliestClass,
  rounded,
} from '../../domain/prediction.ts'
import type { Program } from '../../domain/program.ts'
import { type SegmentSignals, segmentOf } from '../../domain/segment.ts'
import type { FeatureFrame } from '../../features/features.ts'
import type { PredictionBatch, PredictionRow } from '../../lake/predictions.ts'
import { answerInterval } from '../../model/conformal.ts'
import type { Compared } from '../../model/drivers.ts'
import {
  type AnswerPredictions,
  distributionOf,
  type Predictions,
  type Predictor,
} from '../../model/predictor.ts'
import { driverTexts } from './driver-texts.ts'
import { moneyOf } from './money-columns.ts'

export interface BatchInputs {
  readonly program: Program
  readonly customers: readonly string[]
  readonly frame: FeatureFrame
  readonly predictor: Predictor
  /** Of today and of every horizon. */
  readonly predictions: Predictions
  /** Whom drivers compare with. */
  readonly compared: Compared
  readonly signals: readonly SegmentSignals[]
  /** Program currency; NaN: not known. */
  readonly annualValues: Float64Array
}

type Columns = Record<string, Float64Array | (string | null)[]>

/** What is exported of some customers beside {@link dayConstants}. Upsell segments are marked when the whole day is there. */
export function predictionBatch(inputs: BatchInputs): PredictionBatch {
  const { predictions, customers, signals } = inputs
  const forecast = forecastBatch(predictions, customers)
  const likeliest = (forecast.columns.nps_class ?? []) as (AnswerClass | null)[]
  const columns: Columns = {
    ...(forecast.columns as Columns),
    ...moneyOf(inputs, forecast.columns),
    next_likely: nextLikely(predictions),
    segment: signals.map((own, row) => segmentOf(likeliest[row] ?? null, own, false)),
    is_expanding: Float64Array.from(signals, ({ isEngaging }, row) =>
      likeliest[row] === 'promoter' && isEngaging ? 1 : 0,
    ),
    top_drivers: driverTexts(inputs),
  }
  return { rows: customers.length, columns }
}

/** What the export says of everybody alike. */
export function dayConstants(
  program: Program,
  { predictor, date, version }: { predictor: Predictor; date: string; version: string },
): PredictionRow {
  const { outcomes, answers } = predictor.parts
  const isPredicted = outcomes.length > 0 || answers !== null
  return {
    program: program.name,
    date,
    model_version: version,
    status: isPredicted ? 'predicted' : 'abstained',
    reason: isPredicted ? null : abstentionReason(predictor),
    flags: JSON.stringify(taskFlags(program, predictor)),
  }
}

/** What is forecast of customers, as it is exported. */
export function forecastBatch(predictions: Predictions, customers: readonly string[]): PredictionBatch {
  const { answers, outcomes } = predictions
  const columns: Columns = { customer_id: [...customers] }
  if (answers) for (const lead of answers.leadsDays.keys()) addAnswers(columns, answers, lead)
  for (const { model, probabilities } of outcomes) {
    const horizons = model.horizonsDays.length
    for (const [place, days] of model.horizonsDays.entries()) {
      const column = new Float64Array(predictions.rows)
      for (let row = 0; row < column.length; row++)
        column[row] = rounded(probabilities[row * horizons + place])
      columns[`${model.name}_${days}`] = column
    }
  }
  return { rows: predictions.rows, columns }
}

/** One row of a batch with what is the same for all. */
export function rowOf({ columns }: PredictionBatch, row: number, constants: PredictionRow): PredictionRow {
  const own = Object.entries(columns).map(([name, column]) => {
    const value = column[row]
    return [name, typeof value === 'number' && Number.isNaN(value) ? null : value]
  })
  return { ...constants, ...Object.fromEntries(own) }
}

function addAnswers(columns: Columns, answers: AnswerPredictions, lead: number): void {
  const distributions = answers.distributions[lead]
  const days = answers.leadsDays[lead]
  const rows = distributions.length / 11
  const [score, detractor, passive, promoter] = Array.from({ length: 4 }, () => new Float64Array(rows))
  for (let row = 0; row < rows; row++) {
    const distribution = distributionOf(distributions, row)
    score[row] = rounded(expectedAnswer(distribution))
    const classes = classProbabilities(distribution)
    detractor[row] = classes[0]
    passive[row] = classes[1]
    promoter[row] = classes[2]
  }
  if (days > 0) {
    columns[`nps_score_${days}`] = score
    columns[`p_detractor_${days}`] = detractor
    columns[`p_promoter_${days}`] = promoter
    return
  }
  Object.assign(columns, { nps_score: score, p_detractor: detractor, p_passive: passive })
  columns.p_promoter = promoter
  addToday(columns, answers, distributions)
}

/** The interval of today's answer and its likeliest class. */
function addToday(columns: Columns, { model }: AnswerPredictions, distributions: Float64Array): void {
  const [detractor, passive, promoter] = ['p_detractor', 'p_passive', 'p_promoter'].map(
    (name) => columns[name],
  )
  const rows = detractor.length
  const low = new Float64Array(rows)
  const high = new Float64Array(rows)
  const classes = new Array<string | null>(rows)
  for (let row = 0; row < rows; row++) {
    const [from, to] = answerInterval(distributionOf(distributions, row), model.conformal)
    low[row] = from
    high[row] = to
    classes[row] = likeliestClass([detractor[row] as number, passive[row] as number, promoter[row] as number])
  }
  Object.assign(columns, { nps_low: low, nps_high: high, nps_class: classes })
}

/** Task → model, base_rate or abstained with the code of the reason. */
function taskFlags(program: Program, { parts }: Predictor): Record<string, string> {
  const source = (hasSkill: boolean) => (hasSkill ? 'model' : 'base_rate')
  const flags: Record<string, string> = {}
  if (parts.answers) flags.nps = source(parts.answers.hasSkill)
  for (const { name } of program.outcomes) {
    const model = parts.outcomes.find((outcome) => outcome.name === name)
    if (model) flags[name] = source(model.hasSkill)
    else if (!(name in parts.skipped)) flags[name] = 'abstained:not_trained'
  }
  for (const [task, { code }] of Object.entries(parts.skipped)) flags[task] = `abstained:${code}`
  if (Object.values(flags).includes('model')) flags.drivers = 'additive'
  return flags
}

function abstentionReason({ parts }: Predictor): string {
  const reasons = Object.entries(parts.skipped).map(([task, { code, words }]) => `${task}: ${code}. ${words}`)
  return reasons.join(' ') || 'nothing to predict was configured'
}

/** The outcome whose probability is raised most over its base rate, as a ratio; null where none is raised. */
function nextLikely({ rows, outcomes }: Predictions): (string | null)[] {
  const likeliest = new Array<string | null>(rows).fill(null)
  const most = new Float64Array(rows).fill(1)
  for (const { model, probabilities } of outcomes) {
    const horizons = model.horizonsDays.length
    const survived = model.baseHazards.reduce((left, hazard) => left * (1 - hazard), 1)
    const base = model.isAbsence ? survived : 1 - survived
    for (let row = 0; row < rows; row++) {
      const lift = probabilities[row * horizons + horizons - 1] / base
      if (lift <= most[row] + 1e-9) continue
      most[row] = lift
      likeliest[row] = model.name
    }
  }
  return likeliest
}
