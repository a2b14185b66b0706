import { join } from 'node:path'
import { netScoreOf } from '../src/api/group-figures.ts'
import { Database, quoteText } from '../src/lake/database.ts'
import { auc, logLoss, meanOf } from '../src/model/metrics.ts'
import type { ModelCard } from '../src/model/model-cards.ts'
import type { TrueForecast } from '../training/synthetic/forecast.ts'
import { judgeGroups } from './demo-groups.ts'

/** Figures of a run by name; equal names in every run. */
export type Figures = Readonly<Record<string, number>>

export interface JudgedRun {
  /** The simulated company, with the truth of `date`. */
  readonly company: string
  /** The exported predictions of `date`, Parquet. */
  readonly predictions: string
  readonly date: string
  readonly spillFolder: string
  /** Of the version that predicted: it knows the error of group figures. */
  readonly card?: ModelCard | null
  /** What the best informed observer forecasts, by customer_id; not judged without it. */
  readonly observed?: ReadonlyMap<string, TrueForecast>
}

const outcomes = { churn: ['cancel'], upsell: ['upgrade'], advocacy: ['referral', 'review'] } as const
const outcomeNames = ['churn', 'upsell', 'advocacy'] as const
const horizons = [30, 60, 90] as const
const taskNames = outcomeNames.flatMap((outcome) => horizons.map((days) => `${outcome}_${days}`))

/**
 * Compares a day's predictions with what was true of each customer and with what then happened.
 *
 * `truth` is what those could say who see the hidden satisfaction: no model can be better but by luck. `observer` knows
 * all laws and sees only what can be seen. `constant` gives everybody the mean of the truth.
 */
export async function judgeRun(run: JudgedRun): Promise<Figures> {
  const database = await Database.open({ spillFolder: run.spillFolder, timezone: 'UTC' })
  try {
    await database.run(`create table judged as ${selectJudged(run)}`)
    const columns = (await database.columns('from judged order by customer_id')) as Record<
      string,
      Float64Array
    >
    const customers = columns.customer_id as unknown as readonly string[]
    const tasks = outcomeNames.flatMap((outcome) =>
      horizons.map((days, horizon) => {
        const observed = run.observed && {
          observer: Float64Array.from(
            customers,
            (id) => run.observed?.get(id)?.[outcome][horizon] ?? Number.NaN,
          ),
        }
        return judgeTask(`${outcome}_${days}`, columns, observed)
      }),
    )
    return {
      ...Object.assign({}, ...tasks),
      ...(await judgeScores(database, run)),
      ...(await judgeGroups(database, { ...run, card: run.card ?? null, tasks: taskNames })),
    }
  } finally {
    database.close()
  }
}

/** A row for everybody at risk: `<task>` as predicted, `<task>_true`, and `<task>_happened`, 0 or 1. */
function selectJudged({ company, predictions, date }: JudgedRun): string {
  const tasks = Object.entries(outcomes).flatMap(([outcome, types]) =>
    horizons.map((days) => {
      const task = `${outcome}_${days}`
      const list = types.map(quoteText).join(', ')
      return `
        predicted.${task}, truth.${task} as ${task}_true,
        exists (
          select 1 from read_parquet(${quoteText(join(company, 'events', '*.parquet'))}) as events
          where events.customer_id = truth.customer_id and type in (${list})
            and "at" >= date ${quoteText(date)} + 1 and "at" < date ${quoteText(date)} + 1 + ${days}
        )::integer as ${task}_happened`
    }),
  )
  return `
    select
      truth.customer_id,
      truth.satisfaction,
      predicted.segment, predicted.nps_score, predicted.p_detractor, predicted.p_promoter,
      predicted.p_detractor_90, predicted.p_promoter_90,
      truth.nps_score as nps_score_true, truth.p_detractor as p_detractor_true, truth.p_promoter as p_promoter_true,
      truth.p_detractor_90 as p_detractor_90_true, truth.p_promoter_90 as p_promoter_90_true, truth.stays_90,
      ${tasks.join(',\n')}
    from read_parquet(${quoteText(join(company, 'truth', `${date}.parquet`))}) as truth
    join read_parquet(${quoteText(predictions)}) as predicted using (customer_id)`
}

function judgeTask(
  task: string,
  columns: Readonly<Record<string, Float64Array>>,
  observed: Readonly<Record<string, Float64Array>> = {},
): Record<string, number> {
  const [model, truth, happened] = [task, `${task}_true`, `${task}_happened`].map((name) => columns[name])
  const mean = meanOf(truth)
  const constant = truth.map(() => mean)
  const figures: Record<string, number> = {}
  for (const [who, probability] of Object.entries({ model, ...observed, truth, constant })) {
    figures[`${task} AUC ${who}`] = auc({ probability, happened }) ?? Number.NaN
    figures[`${task} log loss ${who}`] = logLoss({ probability, happened })
  }
  figures[`${task} ECE model`] = calibrationError(model, truth)
  figures[`${task} slope model`] = slopeOf(model, truth)
  figures[`${task} correlation model`] = correlationOf(model, truth)
  return figures
}

/** Mean over ten equal bins of predictions of |mean prediction − mean truth|. */
function calibrationError(model: Float64Array, truth: Float64Array): number {
  const order = [...model.keys()].sort((a, b) => model[a] - model[b])
  let sum = 0
  for (let bin = 0; bin < 10; bin++) {
    const places = order.slice(
      Math.floor((bin * order.length) / 10),
      Math.floor(((bin + 1) * order.length) / 10),
    )
    sum += Math.abs(places.reduce((total, place) => total + model[place] - truth[place], 0))
  }
  return sum / order.length
}

/** By how much the truth rises where a prediction is one higher: 1 where predictions are neither too bold nor too timid. */
function slopeOf(model: Float64Array, truth: Float64Array): number {
  return isConstant(model) ? Number.NaN : covarianceOf(model, truth) / covarianceOf(model, model)
}

function correlationOf(one: Float64Array, other: Float64Array): number {
  if (isConstant(one)) return Number.NaN
  return covarianceOf(one, other) / Math.sqrt(covarianceOf(one, one) * covarianceOf(other, other))
}

/** A base rate served to everybody has neither slope nor correlation. */
function isConstant(values: Float64Array): boolean {
  return values.every((value) => value === values[0])
}

function covarianceOf(one: Float64Array, other: Float64Array): number {
  const [a, b] = [meanOf(one), meanOf(other)]
  return one.reduce((sum, value, place) => sum + (value - a) * (other[place] - b), 0) / one.length
}

/**
 * Group NPS: of everybody, as it is served, with its 95% interval, and the plain mean of the answers of the last 90 days.
 * `inside` is 1 where the interval holds the truth; `distance` is without its sign, so that a mean over seeds is the
 * mean absolute error. In 90 days: of those who are still customers then. `claimed` is 1 where the card says that who
 * answers is corrected for.
 */
async function judgeScores(database: Database, { company, date, card = null }: JudgedRun): Promise<Figures> {
  const row = await database.row<Record<string, number>>(`
    select
      count(*) as customers,
      100 * avg(p_promoter_true - p_detractor_true) as truth,
      100 * avg(p_promoter - p_detractor) as model,
      100 * sum(stays_90 * (p_promoter_90_true - p_detractor_90_true)) / sum(stays_90) as truth_90,
      100 * sum(stays_90 * (p_promoter_90 - p_detractor_90)) / sum(stays_90) as model_90,
      avg(abs(nps_score - nps_score_true)) as distance,
      corr(nps_score, nps_score_true) as correlation,
      (
        select 100 * avg((score >= 9)::integer - (score <= 6)::integer)
        from read_parquet(${quoteText(join(company, 'responses', '*.parquet'))})
        where metric = 'nps'
          and "at" >= date ${quoteText(date)} - 89
          and "at" < date ${quoteText(date)} + 1
      ) as plain
    from judged`)
  const { customers, plain } = row
  const now = { truth: row.truth, ...servedScore('nps_0', { mean: row.model, customers }, card) }
  const later = { truth: row.truth_90, ...servedScore('nps_90', { mean: row.model_90, customers }, card) }
  return {
    ...named('NPS of everybody', { ...now, plain, inside: isInside(now) }),
    ...named('NPS error', { model: now.model - now.truth, plain: plain - now.truth }),
    ...named('NPS distance', { model: Math.abs(now.model - now.truth), plain: Math.abs(plain - now.truth) }),
    ...named('NPS in 90 days', { ...later, inside: isInside(later) }),
    'NPS correction claimed': card?.nonResponse?.claimsCorrection ? 1 : 0,
    'nps_score distance model': row.distance,
    'nps_score correlation model': row.correlation,
  }
}

interface ServedScore {
  readonly model: number
  readonly low: number
  readonly high: number
}

/** As the API shows it. Without an interval its ends are NaN. */
function servedScore(
  task: string,
  group: { mean: number; customers: number },
  card: ModelCard | null,
): ServedScore {
  const served = netScoreOf(task, group, card)
  const [low, high] = served?.ci95 ?? [Number.NaN, Number.NaN]
  return { model: served?.value ?? Number.NaN, low, high }
}

function isInside({ truth, low, high }: ServedScore & { truth: number }): number {
  return truth >= low && truth <= high ? 1 : 0
}

function named(measure: string, figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([who, value]) => [`${measure} ${who}`, value]))
}
