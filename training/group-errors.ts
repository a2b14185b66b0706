import { clusterBootstrap } from '../src/model/bootstrap.ts'
import type { GroupError } from '../src/model/group-forecast.ts'
import { outcomeProbabilities } from '../src/model/predictor.ts'
import type { Blended } from './blended.ts'
import { type HeldOut, hazardsOf } from './held-out.ts'
import { rowsSeenWithin } from './labelled.ts'

/** Predicted less counted, with whom it belongs to. **Shape** all [rows]. */
interface Residuals {
  readonly values: readonly number[]
  readonly customer: readonly number[]
}

/**
 * How far group forecasts of outcomes were off on later data, by task: `churn_30`, …. Those of answers come with
 * their levels, see {@link measureLevels}.
 *
 * @param blended what serves, base rates where there is no skill.
 */
export function measureGroupErrors(
  blended: Pick<Blended, 'outcomes'>,
  test: HeldOut,
  { seed }: { seed: number },
): Record<string, GroupError> {
  const found = blended.outcomes.flatMap((model, index) =>
    model.horizonsDays.map(
      (days, horizon) => [`${model.name}_${days}`, residualsOf(blended, test, { index, horizon })] as const,
    ),
  )
  return Object.fromEntries(
    found
      .filter(([, { values }]) => values.length > 0)
      .map(([task, residuals]) => [task, errorOf(residuals, seed)]),
  )
}

function errorOf({ values, customer }: Residuals, seed: number): GroupError {
  const { mean, low, high } = clusterBootstrap({ values, cluster: customer, seed })
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  return {
    standardError: Math.max(Math.abs(mean), (high - low) / (2 * 1.96)),
    spread: Math.sqrt(squares / values.length),
  }
}

function residualsOf(
  blended: Pick<Blended, 'outcomes'>,
  test: HeldOut,
  { index, horizon }: { index: number; horizon: number },
): Residuals {
  const model = blended.outcomes[index]
  const { labelled } = test
  const labels = labelled.outcomes[index]
  const probabilities = outcomeProbabilities(model, labelled.rows.length, hazardsOf(test, index))
  const { rows, happened } = rowsSeenWithin(labels, horizon, model.isAbsence)
  return {
    values: rows.map((row, place) => probabilities[row * labels.intervals + horizon] - happened[place]),
    customer: rows.map((row) => labelled.customer[row]),
  }
}
