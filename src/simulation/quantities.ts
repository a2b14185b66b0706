import { classProbabilities } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import { keptYears, lastRisk, yearDays } from '../impact/customer-value.ts'
import { distributionOf, type OutcomePredictions, type Predictions } from '../model/predictor.ts'

/** Something that is forecast of every customer and added up over a group. */
export interface Quantity {
  /** `nps_<days>`, `<outcome>_<days>`, or a kind of money. */
  readonly name: string
  /** Task whose forecasts it is made of: nps, or an outcome. */
  readonly task: string
}

/** Whether a quantity is in program currency. */
export function isMoney({ name }: Quantity): boolean {
  return isWorth({ name }) || name === 'kept_horizon'
}

/** Whether it is a part of what a customer is worth: the year that they stay, and what desired outcomes bring. */
export function isWorth({ name }: Pick<Quantity, 'name'>): boolean {
  return name === 'kept_year' || name.startsWith('gain_')
}

/** What money is made of; null where it is not configured. */
export interface MoneyInputs {
  /** What each customer brings in a year; NaN: not known, and counted as nothing. */
  readonly annualValue: Float64Array
  /** Risk of leaving a day behind the last horizon, as it is without the scenario; null: not needed. [customers] */
  readonly laterRisk: Float64Array | null
}

/** **Shape** `values[quantity]`: [customers] */
export interface Quantities {
  readonly list: readonly Quantity[]
  readonly values: readonly Float64Array[]
}

/** What is forecast of some customers, without what it was made from. */
export type Forecasts = Pick<Predictions, 'rows' | 'outcomes' | 'answers'>

/** NPS at each lead, outcomes within each horizon, and the money in them, of each customer. */
export function quantitiesOf(program: Program, predictions: Forecasts, money: MoneyInputs): Quantities {
  const parts = [
    ...answerQuantities(predictions),
    ...predictions.outcomes.flatMap(outcomeQuantities),
    ...moneyQuantities(program, predictions, money),
  ]
  return { list: parts.map(({ name, task }) => ({ name, task })), values: parts.map(({ values }) => values) }
}

type Part = Quantity & { readonly values: Float64Array }

function answerQuantities({ answers, rows }: Forecasts): Part[] {
  if (answers === null) return []
  return answers.leadsDays.map((days, lead) => ({
    name: `nps_${days}`,
    task: 'nps',
    values: Float64Array.from({ length: rows }, (_, row) => {
      const [detractor, , promoter] = classProbabilities(distributionOf(answers.distributions[lead], row))
      return 100 * (promoter - detractor)
    }),
  }))
}

function outcomeQuantities({ model, probabilities }: OutcomePredictions): Part[] {
  const horizons = model.horizonsDays.length
  return model.horizonsDays.map((days, index) => ({
    name: `${model.name}_${days}`,
    task: model.name,
    values: Float64Array.from(
      { length: probabilities.length / horizons },
      (_, row) => probabilities[row * horizons + index],
    ),
  }))
}

/** Money in program currency: what customers are expected to bring while they stay, and what desired outcomes bring. */
function moneyQuantities(program: Program, predictions: Forecasts, money: MoneyInputs): Part[] {
  const { margin, gains, annualValue } = program.value
  const parts: Part[] = []
  const churn = predictions.outcomes.find(({ model }) => model.name === 'churn')
  if (churn && margin !== null && annualValue !== null)
    for (const [name, days] of [
      ['kept_horizon', churn.model.horizonsDays[churn.model.horizonsDays.length - 1]],
      ['kept_year', yearDays],
    ] as const)
      parts.push({ name, task: 'churn', values: keptValue(program, churn, { ...money, days, margin }) })
  for (const { model, probabilities } of predictions.outcomes) {
    const gain = gains[model.name]
    const isDesired = program.outcomes.some((outcome) => outcome.name === model.name && outcome.isDesired)
    if (gain === undefined || !isDesired) continue
    const horizons = model.horizonsDays.length
    const values = Float64Array.from(
      { length: predictions.rows },
      (_, row) => gain * probabilities[(row + 1) * horizons - 1],
    )
    parts.push({ name: `gain_${model.name}`, task: model.name, values })
  }
  return parts
}

/** The same predictions with churn moved by so much for each customer and horizon, within what a chance can be. */
export function withChurnMoved(
  predictions: Forecasts,
  movedBy: (row: number, horizonDays: number) => number,
): Forecasts {
  const outcomes = predictions.outcomes.map((outcome) => {
    if (outcome.model.name !== 'churn') return outcome
    const { horizonsDays, isAbsence } = outcome.model
    const size = horizonsDays.length
    const probabilities = outcome.probabilities.map((own, at) =>
      Math.min(1, Math.max(0, own + movedBy(Math.floor(at / size), horizonsDays[at % size]))),
    )
    for (let at = 0; at < probabilities.length; at++)
      if (!isAbsence && at % size > 0) probabilities[at] = Math.max(probabilities[at], probabilities[at - 1])
    return { ...outcome, probabilities }
  })
  return { ...predictions, outcomes }
}

/** What each customer is expected to bring, less what is lost with those who leave. */
function keptValue(
  program: Program,
  { model, probabilities }: OutcomePredictions,
  { annualValue, laterRisk, days, margin }: MoneyInputs & { days: number; margin: number },
): Float64Array {
  const horizons = model.horizonsDays.length
  return annualValue.map((value, row) => {
    if (Number.isNaN(value)) return 0
    const left = probabilities.subarray(row * horizons, (row + 1) * horizons)
    const { horizonsDays, isAbsence } = model
    const churn = { horizonsDays, isAbsence, left, laterRisk: laterRisk?.[row] ?? null }
    return value * margin * keptYears(churn, days, program.value.discountRate ?? 0)
  })
}

/** Risk of leaving a day behind the last horizon of each customer; null without churn by an event. */
export function laterRisks({ outcomes, rows }: Predictions): Float64Array | null {
  const churn = outcomes.find(({ model }) => model.name === 'churn' && !model.isAbsence)
  if (!churn) return null
  const { horizonsDays } = churn.model
  const size = horizonsDays.length
  return Float64Array.from({ length: rows }, (_, row) =>
    lastRisk({ horizonsDays, left: churn.probabilities.subarray(row * size, (row + 1) * size) }),
  )
}
