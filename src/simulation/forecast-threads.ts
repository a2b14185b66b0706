import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import type { Program } from '../domain/program.ts'
import type { FeatureFrame } from '../features/features.ts'
import type { Forecast, Forecaster, ForecastMoney } from './forecast.ts'
import type { ForecastTask } from './forecast-worker.ts'

/** Rows that a thread forecasts at a time: few enough for all threads to have some, many enough to keep them busy. */
const rowsAtOnce = 1024
/** Each thread holds a predictor and a backend of its own. */
const mostThreads = 4

/**
 * Forecasts in a thread a processor, each with its own copy of the version in `folder`. Null for sources that were not
 * compiled: a thread can load JavaScript alone. Close it in the end.
 */
export function openForecastThreads(program: Program, folder: string): Forecaster | null {
  if (!import.meta.url.endsWith('.js')) return null
  const threads = new Piscina<ForecastTask, Forecast>({
    filename: fileURLToPath(new URL('./forecast-worker.js', import.meta.url)),
    minThreads: 1,
    maxThreads: Math.min(mostThreads, availableParallelism()),
    idleTimeout: Number.POSITIVE_INFINITY,
  })
  return {
    forecast: async (frame, money) => {
      const tasks: Promise<Forecast>[] = []
      // At least one, so that it is known what would be forecast.
      for (let from = 0; from === 0 || from < frame.rows; from += rowsAtOnce)
        tasks.push(threads.run({ program, folder, ...sliceOf(frame, money, from) }))
      return joinForecasts(await Promise.all(tasks), frame.rows)
    },
    close: () => threads.destroy(),
  }
}

function sliceOf(
  frame: FeatureFrame,
  { annualValue, laterRisk }: ForecastMoney,
  from: number,
): Pick<ForecastTask, 'frame' | 'money'> {
  const to = Math.min(frame.rows, from + rowsAtOnce)
  const columns = frame.columns.map((column) => column.slice(from, to))
  return {
    frame: { rows: to - from, features: frame.features, columns },
    money: {
      annualValue: annualValue.slice(from, to),
      laterRisk: laterRisk instanceof Float64Array ? laterRisk.slice(from, to) : laterRisk,
    },
  }
}

/** Forecasts of rows that follow each other as those of all of them. */
function joinForecasts(parts: readonly Forecast[], rows: number): Forecast {
  const [first] = parts
  const joined = (columns: readonly Float64Array[]) => {
    const whole = new Float64Array(rows)
    let offset = 0
    for (const column of columns) {
      whole.set(column, offset)
      offset += column.length
    }
    return whole
  }
  return {
    list: first.list,
    blend: first.blend.map((_, quantity) => joined(parts.map(({ blend }) => blend[quantity]))),
    members: first.members.map((own, member) =>
      own.map((_, quantity) => joined(parts.map(({ members }) => members[member][quantity]))),
    ),
    laterRisk: first.laterRisk && joined(parts.map(({ laterRisk }) => laterRisk as Float64Array)),
  }
}
