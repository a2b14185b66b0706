import { pickFrame } from '../src/features/features.ts'
import { comparedCustomers, DriverReader } from '../src/model/drivers.ts'
import { explainExactly } from '../src/model/exact-drivers.ts'
import { explainedTasks } from '../src/model/explained-tasks.ts'
import type { ServedDay } from './scored-day.ts'

/** Behaviours that moved one prediction, strongest first, by both ways of telling. */
export interface ComparedDrivers {
  readonly task: string
  readonly additive: readonly string[]
  readonly exact: readonly string[]
}

/** Explains customers as the daily run does and as `explain` does. @param others rows that both compare with */
export function explainRows(
  { predictor, frame }: ServedDay,
  { rows, others }: { rows: readonly number[]; others: readonly number[] },
): ComparedDrivers[][] {
  const compared = pickFrame(frame, Int32Array.from(others))
  const additiveOthers = comparedCustomers(predictor, compared)
  const explained = pickFrame(frame, Int32Array.from(rows))
  const predictions = predictor.predict(explained, [0])
  const reader = new DriverReader(predictor.parts, explained, predictions.views.of('piecewise'))
  const tasks = explainedTasks(predictions)
  return rows.map((row, place) => {
    const customer = pickFrame(frame, Int32Array.of(row))
    const exact = explainExactly(predictor, { customer, others: compared, seed: row })
    return tasks.map((task) => ({
      task: task.name,
      additive:
        reader
          .explain(task, place, additiveOthers.get(task.name) ?? [])
          ?.terms.map(({ behaviour }) => behaviour) ?? [],
      exact:
        exact
          .find((explanation) => explanation.task === task.name)
          ?.effects.map(({ behaviour }) => behaviour) ?? [],
    }))
  })
}
