import { meanAbsoluteError, rankedProbabilityScore } from '../src/model/answer-metrics.ts'
import { answerCount } from '../src/model/member.ts'
import { auc, logLoss } from '../src/model/metrics.ts'
import { baselines, type DayBaselines } from './scored-day.ts'

/** One measure of the product and of the baselines beside it. */
export interface Judgement {
  readonly measure: string
  /** Null where a baseline cannot have it. */
  readonly values: Readonly<Record<string, number | null>>
}

/** A scored day: what was exported, what happened, what the baselines say. */
export interface Scored {
  readonly predictions: readonly Readonly<Record<string, number | string | null>>[]
  readonly truth: readonly Readonly<Record<string, number | string>>[]
  readonly baselines: DayBaselines
}

/** AUC and log loss of every outcome and horizon that the truth knows. */
export function judgeOutcome({ predictions, truth, baselines: said }: Scored): Judgement[] {
  const rows = new Map(predictions.map((row) => [row.customer_id, row]))
  const places = new Map(said.customers.map((customer, place) => [customer, place]))
  const columns = Object.keys(truth[0]).filter((name) => name !== 'customer_id')
  return columns.flatMap((column) => {
    const happened = truth.map((row) => Number(row[column]))
    const probabilities: Record<string, Float64Array> = {
      Loyalcast: Float64Array.from(truth, ({ customer_id }) =>
        required(rows.get(customer_id)?.[column], customer_id),
      ),
    }
    for (const who of baselines) {
      probabilities[who] = Float64Array.from(
        truth,
        ({ customer_id }) => said.outcome[who][column][places.get(String(customer_id)) as number],
      )
    }
    const of = (measure: (judged: { probability: Float64Array; happened: number[] }) => number | null) =>
      Object.fromEntries(
        Object.entries(probabilities).map(([who, probability]) => [who, measure({ probability, happened })]),
      )
    return [
      { measure: `${column} AUC`, values: of(auc) },
      { measure: `${column} log loss`, values: of(logLoss) },
    ]
  })
}

/** MAE, RPS, detractor AUC and coverage of the 80% interval; columns of the export but for the RPS. */
export function judgeAnswers({ predictions, truth, baselines: said }: Scored): Judgement[] {
  const rows = new Map(predictions.map((row) => [row.customer_id, row]))
  const places = new Map(said.customers.map((customer, place) => [customer, place]))
  const column = (name: string) =>
    Float64Array.from(truth, ({ customer_id }) => required(rows.get(customer_id)?.[name], customer_id))
  const score = truth.map((row) => Number(row.score))
  const isDetractor = score.map((value) => (value <= 6 ? 1 : 0))
  const [expected, detractor, low, high] = ['nps_score', 'p_detractor', 'nps_low', 'nps_high'].map(column)
  const pick = (all: Float64Array) => {
    const picked = new Float64Array(truth.length * answerCount)
    truth.forEach(({ customer_id }, place) => {
      const from = (places.get(String(customer_id)) as number) * answerCount
      picked.set(all.subarray(from, from + answerCount), place * answerCount)
    })
    return picked
  }
  const distributions = Object.fromEntries(baselines.map((who) => [who, pick(said.answers[who])]))
  const beside = (
    own: number,
    measure: (judged: { distributions: Float64Array; score: number[] }) => number | null,
  ) => ({
    Loyalcast: own,
    ...Object.fromEntries(
      baselines.map((who) => [who, measure({ distributions: distributions[who], score })]),
    ),
  })
  const detractorOf = (values: Float64Array) =>
    Float64Array.from(truth, (_, place) =>
      values.subarray(place * answerCount, place * answerCount + 7).reduce((sum, p) => sum + p, 0),
    )
  const mae = expected.reduce((sum, value, i) => sum + Math.abs(value - score[i]), 0) / score.length
  const inside = score.filter((value, i) => value >= low[i] && value <= high[i]).length / score.length
  return [
    { measure: 'MAE', values: beside(mae, meanAbsoluteError) },
    {
      measure: 'detractor AUC',
      values: beside(auc({ probability: detractor, happened: isDetractor }) ?? Number.NaN, (judged) =>
        auc({ probability: detractorOf(judged.distributions), happened: isDetractor }),
      ),
    },
    { measure: 'coverage of 80%', values: beside(inside, () => null) },
    {
      measure: 'RPS',
      values: beside(
        rankedProbabilityScore({ distributions: pick(said.served), score }),
        rankedProbabilityScore,
      ),
    },
  ]
}

function required(value: number | string | null | undefined, customer: number | string): number {
  if (typeof value !== 'number') throw new Error(`${customer} has no prediction`)
  return value
}

/** The mean of every measure over repetitions. */
export function meanOf(runs: readonly (readonly Judgement[])[]): Judgement[] {
  return runs[0].map(({ measure, values }, index) => ({
    measure,
    values: Object.fromEntries(
      Object.keys(values).map((who) => {
        const all = runs.map((run) => run[index].values[who])
        return [
          who,
          all.some((value) => value === null)
            ? null
            : all.reduce<number>((sum, value) => sum + (value ?? 0), 0) / all.length,
        ]
      }),
    ),
  }))
}
