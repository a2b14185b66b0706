import type { Day } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import type { PredictionDay } from './commits.ts'
import type { Lake } from './lake.ts'

/** Days with predictions, earliest first. */
export function predictionDays({ state }: Pick<Lake, 'state'>): Day[] {
  return [...state.predictions.keys()].sort()
}

/**
 * The predictions of a day; of the latest where none is asked for.
 *
 * **Errors** `no-predictions` with the days that there are.
 */
export function findPredictionDay(lake: Pick<Lake, 'state'>, date: Day | null): PredictionDay {
  const days = predictionDays(lake)
  const found = lake.state.predictions.get(date ?? days.at(-1) ?? '')
  if (found) return found
  const hint =
    days.length === 0 ? 'There are none yet.' : `There are predictions of: ${days.slice(-10).join(', ')}.`
  throw usageError(
    'no-predictions',
    `No predictions${date === null ? '' : ` of ${date}`}. ${hint} Run loyalcast daily --date ${date ?? 'DAY'}.`,
  )
}
