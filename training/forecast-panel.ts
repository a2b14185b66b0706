import { EncodedViews } from '../src/features/encoded-views.ts'
import { pickFrame } from '../src/features/features.ts'
import { expectedNetScores } from '../src/model/answer-metrics.ts'
import {
  type AnswerLevel,
  type AnswerModel,
  answerDistributions,
  memberOutputs,
  moveLevel,
  type PredictorParts,
} from '../src/model/predictor.ts'
import type { Dataset } from './dataset.ts'

/** What is forecast of the same sample of customers at every cutoff, whether or not they answer. */
export interface ForecastPanel {
  /** Dataset rows. */
  readonly rows: Int32Array
  /** [rows], in days since 1970-01-01 */
  readonly cutoff: Int32Array
  readonly leadsDays: readonly number[]
  /** [leads] of [rows × 11], before levels are moved. */
  readonly distributions: readonly Float64Array[]
}

/** So many say as much of a mean as all of them. */
const mostRows = 10_000

/** Rows of the same customers at every cutoff, of everybody or of a sample. */
export function panelRows({
  isPopulation,
  customer,
}: Pick<Dataset, 'isPopulation' | 'customer'>): Int32Array {
  const everybody = Array.from(isPopulation.keys()).filter((row) => isPopulation[row] === 1)
  const every = Math.max(1, Math.ceil(everybody.length / mostRows))
  return Int32Array.from(everybody.filter((row) => customer[row] % every === 0))
}

/** What members say of these rows, blended. */
export function forecastPanel(
  model: AnswerModel,
  taught: Pick<PredictorParts, 'encoder' | 'members'>,
  { dataset, rows, leadsDays }: { dataset: Dataset; rows: Int32Array; leadsDays: readonly number[] },
): ForecastPanel {
  const views = new EncodedViews(taught.encoder, pickFrame(dataset.frame, rows))
  const outputs = memberOutputs(
    taught,
    views,
    leadsDays.map((days) => new Float32Array(rows.length).fill(days)),
  )
  const distributions = leadsDays.map((_, lead) =>
    answerDistributions(
      model,
      rows.length,
      outputs.map(({ answers }) => answers[lead]),
    ),
  )
  return { rows, cutoff: rows.map((row) => dataset.cutoff[row]), leadsDays, distributions }
}

/** Expected net score of every row at one of the leads, levels moved. **Unit** points. **Shape** [rows] */
export function panelScores(
  panel: ForecastPanel,
  lead: number,
  levels: readonly AnswerLevel[] = [],
): Float64Array {
  return expectedNetScores(moveLevel(levels, panel.leadsDays[lead], panel.distributions[lead]))
}

/** Mean of each cutoff's rows, by cutoff. */
export function meansByCutoff({ cutoff }: ForecastPanel, values: Float64Array): Map<number, number> {
  const sums = new Map<number, { sum: number; rows: number }>()
  values.forEach((value, row) => {
    const own = sums.get(cutoff[row]) ?? { sum: 0, rows: 0 }
    sums.set(cutoff[row], { sum: own.sum + value, rows: own.rows + 1 })
  })
  return new Map([...sums].map(([day, { sum, rows }]) => [day, sum / rows]))
}
