import { expectedNetScores, netScore } from '../src/model/answer-metrics.ts'
import { clusterBootstrap } from '../src/model/bootstrap.ts'
import type { GroupError } from '../src/model/group-forecast.ts'
import { answerDistributions, outcomeProbabilities } from '../src/model/predictor.ts'
import { answerCustomers, type Blended } from './blended.ts'
import type { HeldOut } from './held-out.ts'
import { seenWithin } from './labelled.ts'

/** Predicted less counted, with whom it belongs to. **Shape** all [rows]. */
interface Residuals {
  readonly values: readonly number[]
  readonly weights: readonly number[]
  readonly customer: readonly number[]
}

/** Fewer residuals say too little about a lead of its own: all leads are taken together. */
const fewestAnswers = 50

/**
 * How far group forecasts were off on later data, by task: `churn_30`, …, and `nps_0`, `nps_30`, … (points).
 *
 * @param blended what serves, base rates where there is no skill.
 */
export function measureGroupErrors(
  blended: Blended,
  test: HeldOut,
  { horizonsDays, seed }: { horizonsDays: readonly number[]; seed: number },
): Record<string, GroupError> {
  const found: [string, Residuals][] = []
  blended.outcomes.forEach((model, index) => {
    model.horizonsDays.forEach((days, horizon) => {
      found.push([`${model.name}_${days}`, outcomeResiduals(blended, test, { index, horizon })])
    })
  })
  const leads = [0, ...horizonsDays]
  const all = answerResiduals(blended, test, () => true)
  for (const lead of leads) {
    const own = answerResiduals(blended, test, (days) => nearest(leads, days) === lead)
    found.push([`nps_${lead}`, own.values.length < fewestAnswers ? all : own])
  }
  return Object.fromEntries(
    found
      .filter(([, { values }]) => values.length > 0)
      .map(([task, residuals]) => [task, errorOf(residuals, seed)]),
  )
}

function errorOf({ values, weights, customer }: Residuals, seed: number): GroupError {
  const { mean, low, high } = clusterBootstrap({ values, weights, cluster: customer, seed })
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const squares = values.reduce((sum, value, i) => sum + weights[i] * (value - mean) ** 2, 0)
  return {
    standardError: Math.max(Math.abs(mean), (high - low) / (2 * 1.96)),
    spread: Math.sqrt(squares / total),
  }
}

function outcomeResiduals(
  blended: Blended,
  { labelled, hazards }: HeldOut,
  { index, horizon }: { index: number; horizon: number },
): Residuals {
  const model = blended.outcomes[index]
  const labels = labelled.outcomes[index]
  const own = hazards.map((outcomes) => outcomes[index])
  const probabilities = outcomeProbabilities(model, labelled.rows.length, own)
  const seen = Array.from(labelled.rows.keys(), (row) => ({ row, isSeen: seenWithin(labels, row, horizon) }))
  const known = seen.filter(({ isSeen }) => isSeen !== null)
  return {
    values: known.map(
      ({ row, isSeen }) =>
        probabilities[row * labels.intervals + horizon] - (isSeen !== model.isAbsence ? 1 : 0),
    ),
    weights: known.map(() => 1),
    customer: known.map(({ row }) => labelled.customer[row]),
  }
}

function answerResiduals(
  blended: Blended,
  test: HeldOut,
  isWanted: (leadDays: number) => boolean,
): Residuals {
  const { answers } = test.labelled
  if (blended.answers === null || answers === null) return { values: [], weights: [], customer: [] }
  const expected = expectedNetScores(answerDistributions(blended.answers, answers.row.length, test.answers))
  const customers = answerCustomers(test)
  const picks = Array.from(answers.row.keys()).filter((i) => isWanted(answers.leadDays[i]))
  return {
    values: picks.map((i) => expected[i] - netScore(answers.score[i])),
    weights: picks.map((i) => answers.weight[i]),
    customer: picks.map((i) => customers[i]),
  }
}

function nearest(candidates: readonly number[], value: number): number {
  return candidates.reduce((best, other) => (Math.abs(other - value) < Math.abs(best - value) ? other : best))
}
