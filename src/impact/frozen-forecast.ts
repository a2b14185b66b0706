import { join } from 'node:path'
import type { Program } from '../domain/program.ts'
import { type Database, quoteName, quoteText } from '../lake/database.ts'
import type { Lake } from '../lake/lake.ts'
import type { GroupError } from '../model/group-forecast.ts'
import type { Effect } from './doubly-robust.ts'
import type { MeasuredMetric } from './measured-metrics.ts'
import type { MeasuredEffect } from './measurement.ts'

/** A forecast may have been made so many days before the assignment. */
const oldestDays = 7
/** Fewest customers with both a forecast and an outcome. */
const fewestCustomers = 30

export interface FrozenRequest {
  readonly program: Program
  readonly lake: Lake
  readonly metrics: readonly MeasuredMetric[]
  /** The one arm. */
  readonly arm: string
  /** By task with its horizon: how far the level of forecasts was off on later data. */
  readonly groupErrors: Readonly<Record<string, GroupError>>
}

/**
 * What happened to the customers of the table `spine` against what was forecast of them in the week before, by versions
 * that had seen nothing later: the weakest comparison, since whatever else changed counts as well.
 *
 * Empty where no such forecasts were published. Intervals hold the error of the forecasts' level.
 */
export async function measureAgainstForecast(
  database: Database,
  request: FrozenRequest,
): Promise<MeasuredEffect[]> {
  const forecasts = await readForecasts(database, request)
  return request.metrics.flatMap((metric) => {
    const forecast = forecasts.get(`${metric.metric}_${metric.horizonDays}`)
    if (forecast === undefined || metric.unit !== 'probability') return []
    const rows = Array.from(metric.outcome.keys()).filter(
      (row) => !Number.isNaN(metric.outcome[row]) && !Number.isNaN(forecast[row]),
    )
    return rows.length < fewestCustomers ? [] : [compareWithForecast(metric, { forecast, rows, request })]
  })
}

/** The latest forecast of each task that each customer had then; NaN without one. [spine rows] */
async function readForecasts(
  database: Database,
  { program, lake }: FrozenRequest,
): Promise<ReadonlyMap<string, Float64Array>> {
  const { first, last } = await database.row<{ first: string | null; last: string | null }>(
    `select (min(cutoff) - ${oldestDays})::varchar as first, max(cutoff)::varchar as last from spine`,
  )
  const days = [...lake.state.predictions.values()].filter(
    ({ date, modelVersion }) =>
      first !== null && last !== null && date >= first && date <= last && modelVersion.slice(0, 10) <= date,
  )
  if (days.length === 0) return new Map()
  const files = `read_parquet([${days.map(({ path }) => quoteText(join(lake.folder, path))).join(', ')}], union_by_name = true, hive_partitioning = false)`
  const known = await database.rows<{ column_name: string }>(`describe select * from ${files}`)
  const names = new Set(known.map(({ column_name }) => column_name))
  const tasks = program.outcomes
    .flatMap(({ name }) => program.horizonsDays.map((horizon) => `${name}_${horizon}`))
    .filter((task) => names.has(task))
  const picks = tasks.map(
    (task) =>
      `case when cutoff - forecasts.date <= ${oldestDays} then forecasts.${quoteName(task)} end::double as ${quoteName(task)}`,
  )
  if (tasks.length === 0) return new Map()
  const found = await database.columns(`
    select ${picks.join(', ')}
    from spine
    asof left join (select * from ${files}) as forecasts
      on forecasts.customer_id = spine.customer_id and forecasts.date <= spine.cutoff
    order by row`)
  return new Map(tasks.map((task) => [task, found[task] as Float64Array]))
}

const quantile = 1.959963984540054

function compareWithForecast(
  { metric, horizonDays, unit, outcome, value }: MeasuredMetric,
  { forecast, rows, request }: { forecast: Float64Array; rows: readonly number[]; request: FrozenRequest },
): MeasuredEffect {
  const mean = (values: ArrayLike<number>) => rows.reduce((sum, row) => sum + values[row], 0) / rows.length
  const [control, treated] = [mean(forecast), mean(outcome)]
  const effect = treated - control
  const squares = rows.reduce((sum, row) => sum + (outcome[row] - forecast[row] - effect) ** 2, 0)
  const level = request.groupErrors[`${metric}_${horizonDays}`]?.standardError ?? 0
  const standardError = Math.sqrt(squares / (rows.length - 1) / rows.length + level ** 2)
  const around = (size: number): readonly [number, number] => [
    size - quantile * standardError,
    size + quantile * standardError,
  ]
  const measured: Effect = {
    ...{ control, treated, effect, standardError, ci95: around(effect) },
    relative: control > 0 ? effect / control : null,
    relativeCi95: control > 0 ? [around(effect)[0] / control, around(effect)[1] / control] : null,
    smallestDetectable: (quantile + 0.8416) * standardError,
  }
  const [low, high] = measured.ci95
  return {
    ...{ metric, horizonDays, unit, arm: request.arm, customers: rows.length, effect: measured },
    plainDifference: effect,
    isDetected: low > 0 || high < 0,
    value: value && worthOf(value, { rows, outcome, measured }),
    responseRate: null,
  }
}

/** The worth of one more that it happens to, on average over those it happened to, times the effect. */
function worthOf(
  value: Float64Array,
  { rows, outcome, measured }: { rows: readonly number[]; outcome: Float64Array; measured: Effect },
): MeasuredEffect['value'] {
  const happened = rows.filter((row) => outcome[row] === 1 && !Number.isNaN(value[row]))
  if (happened.length === 0) return null
  const each = happened.reduce((sum, row) => sum + value[row], 0) / happened.length
  const bounds = measured.ci95.map((bound) => bound * each * rows.length).sort((a, b) => a - b)
  return { total: measured.effect * each * rows.length, ci95: [bounds[0], bounds[1]] }
}
