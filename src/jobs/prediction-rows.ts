import {
  type AnswerClass,
  classProbabilities,
  expectedAnswer,
  likeliestClass,
  rounded,
  wholePennies,
} from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import { type SegmentSignals, segmentOf } from '../domain/segment.ts'
import type { FeatureFrame } from '../features/features.ts'
import { type ChurnForecast, keptYears, yearDays } from '../impact/customer-value.ts'
import { type Database, quoteName } from '../lake/database.ts'
import type { PredictionRow } from '../lake/predictions.ts'
import { answerInterval } from '../model/conformal.ts'
import { type Compared, type Driver, DriverReader, describeRemainder } from '../model/drivers.ts'
import { type ExplainedTask, explainedTasks } from '../model/explained-tasks.ts'
import { distributionOf, type OutcomeModel, type Predictions, type Predictor } from '../model/predictor.ts'

export interface DayInputs {
  readonly program: Program
  readonly date: string
  readonly version: string
  readonly customers: readonly string[]
  readonly frame: FeatureFrame
  readonly predictor: Predictor
  readonly predictions: Predictions
  /** Whom drivers compare with. */
  readonly compared: Compared
  readonly signals: readonly SegmentSignals[]
  /** Program currency; NaN: not known. */
  readonly annualValues: Float64Array
}

const driversPerTask = 3

/** The exported rows of some customers. Upsell segments are marked later, when the whole day is there. */
export function predictionRows(inputs: DayInputs): PredictionRow[] {
  const { program, predictor, predictions } = inputs
  const flags = JSON.stringify(taskFlags(program, predictor))
  const reader = new DriverReader(predictor.parts, inputs.frame, predictions.views.of('piecewise'))
  const tasks = explainedTasks(predictions)
  const isPredicted = predictions.outcomes.length > 0 || predictions.answers !== null
  const reason = isPredicted ? null : abstentionReason(predictor)
  return inputs.customers.map((customer, row) => {
    const answers = answerColumns(predictions, row)
    const outcomes = outcomeColumns(predictions, row)
    const likeliest = (answers.nps_class as AnswerClass | undefined) ?? null
    return {
      program: program.name,
      customer_id: customer,
      date: inputs.date,
      model_version: inputs.version,
      status: isPredicted ? 'predicted' : 'abstained',
      reason,
      ...answers,
      ...outcomes,
      ...moneyColumns(inputs, row, outcomes),
      next_likely: nextLikely(predictions, row),
      segment: segmentOf(likeliest, inputs.signals[row], false),
      is_expanding: likeliest === 'promoter' && inputs.signals[row].isEngaging ? 1 : null,
      top_drivers: JSON.stringify(tasks.flatMap((task) => topDrivers(inputs, { task, reader, row }))),
      flags,
    }
  })
}

/** What is forecast of a customer, as it is exported. */
export function forecastColumns(predictions: Predictions, row: number): PredictionRow {
  return { ...answerColumns(predictions, row), ...outcomeColumns(predictions, row) }
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

function answerColumns({ answers }: Predictions, row: number): PredictionRow {
  if (answers === null) return {}
  const columns: Record<string, string | number> = {}
  for (const [lead, days] of answers.leadsDays.entries()) {
    const distribution = distributionOf(answers.distributions[lead], row)
    const [detractor, passive, promoter] = classProbabilities(distribution)
    if (days === 0) {
      const [low, high] = answerInterval(distribution, answers.model.conformal)
      columns.nps_score = rounded(expectedAnswer(distribution))
      Object.assign(columns, {
        nps_low: low,
        nps_high: high,
        p_detractor: detractor,
        p_passive: passive,
        p_promoter: promoter,
      })
      columns.nps_class = likeliestClass([detractor, passive, promoter])
    } else {
      columns[`nps_score_${days}`] = rounded(expectedAnswer(distribution))
      columns[`p_detractor_${days}`] = detractor
      columns[`p_promoter_${days}`] = promoter
    }
  }
  return columns
}

function outcomeColumns(predictions: Predictions, row: number): Record<string, number> {
  const columns: Record<string, number> = {}
  for (const { model, probabilities } of predictions.outcomes) {
    for (const [j, days] of model.horizonsDays.entries()) {
      columns[`${model.name}_${days}`] = rounded(probabilities[row * model.horizonsDays.length + j])
    }
  }
  return columns
}

/** Money where it is configured and known, in whole pennies; never guessed. */
function moneyColumns(
  { program, predictions, annualValues }: DayInputs,
  row: number,
  outcomes: Readonly<Record<string, number>>,
): PredictionRow {
  const longest = program.horizonsDays[program.horizonsDays.length - 1]
  const annualValue = Number.isNaN(annualValues[row]) ? null : wholePennies(annualValues[row])
  const { margin, gains, discountRate } = program.value
  const churn = predictions.outcomes.find(({ model }) => model.name === 'churn')?.model
  const yearly = annualValue === null || margin === null ? null : annualValue * margin
  const wanted = program.outcomes.filter(({ name, isDesired }) => isDesired && name in gains)
  const expected = wanted.map(({ name }) => outcomes[`${name}_${longest}`] * gains[name])
  const isGainKnown = expected.length > 0 && expected.every((gain) => !Number.isNaN(gain))
  const isChurnKnown = churn !== undefined && yearly !== null
  const atRisk = isChurnKnown ? yearly * outcomes[`churn_${longest}`] : Number.NaN
  const kept = isChurnKnown ? keptYears(churnForecast(churn, outcomes), yearDays, discountRate ?? 0) : null
  return {
    annual_value: annualValue,
    // The longest horizon may abstain where a shorter one does not.
    value_at_risk: Number.isFinite(atRisk) ? wholePennies(atRisk) : null,
    expected_gain: isGainKnown ? wholePennies(expected.reduce((sum, gain) => sum + gain, 0)) : null,
    expected_value_12m: isChurnKnown && kept !== null ? wholePennies(yearly * kept) : null,
  }
}

/** As exported, so that the money can be worked out from the columns. */
function churnForecast(
  { horizonsDays, isAbsence }: OutcomeModel,
  outcomes: Readonly<Record<string, number>>,
): ChurnForecast {
  const left = horizonsDays.map((days) => outcomes[`churn_${days}`])
  return { horizonsDays, isAbsence, left, laterRisk: null }
}

/** The outcome whose probability is raised most over its base rate, as a ratio; null where none is raised. */
function nextLikely(predictions: Predictions, row: number): string | null {
  let likeliest: string | null = null
  let most = 1
  for (const { model, probabilities } of predictions.outcomes) {
    const last = model.horizonsDays.length - 1
    const survived = model.baseHazards.reduce((left, hazard) => left * (1 - hazard), 1)
    const base = model.isAbsence ? survived : 1 - survived
    const lift = probabilities[row * model.horizonsDays.length + last] / base
    if (lift > most + 1e-9) {
      most = lift
      likeliest = model.name
    }
  }
  return likeliest
}

/** The strongest behaviours of a task and, last, what no single behaviour explains. */
function topDrivers(
  { compared }: DayInputs,
  { task, reader, row }: { task: ExplainedTask; reader: DriverReader; row: number },
): Driver[] {
  const explanation = reader.explain(task, row, compared.get(task.name) ?? [])
  if (explanation === null) return []
  const { terms, remainder } = explanation
  const effectOf = (effect: number) => ({ effect: rounded(effect), unit: task.unit, outcome: task.name })
  const strongest = terms.slice(0, driversPerTask)
  return [
    ...strongest.map((term) => reader.describe(term, row, effectOf(term.effect))),
    describeRemainder(effectOf(remainder)),
  ]
}

/** Marks expansion promoters once the whole day is there: upsell in the top fifth of everybody at risk. */
export async function markExpansion(database: Database, program: Program): Promise<void> {
  const column = `upsell_${program.horizonsDays[program.horizonsDays.length - 1]}`
  if (!program.outcomes.some(({ name }) => name === 'upsell')) return
  await database.run(`
    update prediction_draft set segment = 'expansion-promoters'
    where is_expanding = 1
      and ${quoteName(column)} >= (select quantile_cont(${quoteName(column)}, 0.8) from prediction_draft)`)
}
