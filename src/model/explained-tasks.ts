import { expectedAnswer } from '../domain/prediction.ts'
import { distributionOf, type Predictions } from './predictor.ts'
import type { Surrogate } from './surrogate.ts'

/** A task whose predictions behaviours move: one with skill. A base rate has no drivers. */
export interface ExplainedTask {
  /** An outcome (probability within its longest horizon) or nps (points, asked today). */
  readonly name: string
  readonly unit: 'probability' | 'points'
  /** Null: not yet fitted. */
  readonly surrogate: Surrogate | null
  /** What is predicted for a row. **Unit** the task's. */
  readonly said: (row: number) => number
}

/** What drivers explain of some predictions. Needs the answers of today first among their leads. */
export function explainedTasks({ outcomes, answers }: Predictions): ExplainedTask[] {
  const tasks = outcomes
    .filter(({ model }) => model.hasSkill)
    .map(
      ({ model, probabilities }): ExplainedTask => ({
        name: model.name,
        unit: 'probability',
        surrogate: model.surrogate,
        said: (row) => probabilities[(row + 1) * model.horizonsDays.length - 1],
      }),
    )
  if (!answers?.model.hasSkill) return tasks
  const [today] = answers.distributions
  const { surrogate } = answers.model
  const said = (row: number) => expectedAnswer(distributionOf(today, row))
  return [{ name: 'nps', unit: 'points', surrogate, said }, ...tasks]
}
