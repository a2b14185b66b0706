import type { Evaluation, OpenedPopulation } from './evaluation.ts'
import type { TransportedEffect } from './initiative-effects.ts'
import { moveQuantities } from './initiative-evaluation.ts'
import type { Forecasts } from './quantities.ts'
import type { DifferenceVariance } from './uncertainty.ts'

/**
 * What measured effects of events do to a population, of everything that was measured; who is edited, and which contacts
 * are saved, as the drawn scenario has it.
 */
export function evaluateAdjusted(
  { asItIs, annualValue, asked, scope }: OpenedPopulation,
  drawn: Evaluation,
  effects: readonly TransportedEffect[],
): { evaluation: Evaluation; variances: DifferenceVariance[] } {
  const { program } = asked
  const money = { annualValue, laterRisk: asItIs.laterRisk }
  const predictions = churnOf({ asItIs, asked, scope })
  const moving = { program, predictions, money, measured: { effects }, reach: 1 }
  const { variances, ...moved } = moveQuantities(drawn, moving, scope)
  return { evaluation: { ...drawn, ...moved }, variances }
}

/** The chances of leaving, which money is made of, put together from what is forecast of each horizon. */
function churnOf({ asItIs, asked, scope }: Pick<OpenedPopulation, 'asItIs' | 'asked' | 'scope'>): Forecasts {
  const rows = scope.sampled
  const outcomes = asked.predictor.parts.outcomes
    .filter(({ name }) => name === 'churn')
    .map((model) => {
      const { horizonsDays } = model
      const probabilities = new Float64Array(rows * horizonsDays.length)
      for (const [place, days] of horizonsDays.entries()) {
        const values = asItIs.blend[asItIs.list.findIndex(({ name }) => name === `churn_${days}`)]
        for (let row = 0; row < rows; row++) probabilities[row * horizonsDays.length + place] = values[row]
      }
      return { model, probabilities }
    })
  return { rows, outcomes, answers: null }
}
