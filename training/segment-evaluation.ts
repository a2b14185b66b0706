import { classProbabilities, likeliestClass } from '../src/domain/prediction.ts'
import { type SegmentSignals, segmentOf, segments } from '../src/domain/segment.ts'
import { EncodedViews } from '../src/features/encoded-views.ts'
import { pickFrame } from '../src/features/features.ts'
import { netPromoterScore, netScore } from '../src/model/answer-metrics.ts'
import { clusterBootstrap, type Interval } from '../src/model/bootstrap.ts'
import { answerCount } from '../src/model/member.ts'
import {
  answerDistributions,
  distributionOf,
  memberOutputs,
  outcomeProbabilities,
} from '../src/model/predictor.ts'
import type { Blended } from './blended.ts'
import type { Dataset } from './dataset.ts'
import type { Labelled } from './labelled.ts'
import type { Taught } from './members.ts'

/** Predicted beside actual within one segment of the test block. */
export interface SegmentEvaluation {
  readonly segment: string
  /** Customers at cutoffs. */
  readonly rows: number
  /** Outcome and horizon, such as `churn_30` → mean prediction and share that happened, over rows known so far. */
  readonly outcomes: Readonly<
    Record<string, { readonly rows: number; readonly predicted: number; readonly actual: Interval }>
  >
  /** Net promoter score of those who answered; null without answers. */
  readonly nps: { readonly answers: number; readonly predicted: number; readonly actual: Interval } | null
}

export interface SegmentInputs {
  readonly taught: Taught
  readonly blended: Blended
  readonly test: Labelled
  readonly dataset: Dataset
  /** Of every dataset row. */
  readonly signals: readonly SegmentSignals[]
  readonly seed: number
}

/** Predictions against what happened, by built-in segment. Empty without a survey task: segments follow the NPS class. */
export function evaluateSegments(inputs: SegmentInputs): SegmentEvaluation[] {
  const { taught, blended, test, dataset } = inputs
  if (blended.answers === null) return []
  const rows = test.rows.length
  const outputs = memberOutputs(
    taught,
    new EncodedViews(taught.encoder, pickFrame(dataset.frame, test.rows)),
    [new Float32Array(rows)],
  )
  const today = answerDistributions(
    blended.answers,
    rows,
    outputs.map(({ answers }) => answers[0]),
  )
  const outcomes = blended.outcomes.map((model, index) =>
    outcomeProbabilities(
      model,
      rows,
      outputs.map(({ hazards }) => hazards[index]),
    ),
  )
  const segmentOfRow = assignSegments(inputs, { today, outcomes })
  return [...segments, 'none of them'].flatMap((segment) => {
    const places = Array.from(segmentOfRow.keys()).filter((place) => segmentOfRow[place] === segment)
    if (places.length === 0) return []
    return {
      segment,
      rows: places.length,
      outcomes: judgeOutcomes(inputs, { places, outcomes }),
      nps: judgeAnswers(inputs, { inSegment: new Set(places), today }),
    }
  })
}

interface Said {
  /** [rows × 11] */
  readonly today: Float64Array
  /** [outcomes] of [rows × horizons] */
  readonly outcomes: readonly Float64Array[]
}

function assignSegments({ blended, test, signals }: SegmentInputs, { today, outcomes }: Said): string[] {
  const upsell = blended.outcomes.findIndex(({ name }) => name === 'upsell')
  const width = upsell < 0 ? 1 : blended.outcomes[upsell].horizonsDays.length
  const last = Float64Array.from(test.rows, (_, place) =>
    upsell < 0 ? 0 : outcomes[upsell][(place + 1) * width - 1],
  )
  const topFifth = last.slice().sort()[Math.floor(0.8 * (last.length - 1))]
  return Array.from(test.rows, (row, place) => {
    const likeliest = likeliestClass(classProbabilities(distributionOf(today, place)))
    return segmentOf(likeliest, signals[row], upsell >= 0 && last[place] >= topFifth) ?? 'none of them'
  })
}

function judgeOutcomes(
  { blended, test, seed }: SegmentInputs,
  { places, outcomes }: Pick<Said, 'outcomes'> & { places: readonly number[] },
): SegmentEvaluation['outcomes'] {
  const judged: Record<string, { rows: number; predicted: number; actual: Interval }> = {}
  for (const [index, model] of blended.outcomes.entries()) {
    const labels = test.outcomes[index]
    for (const [horizon, days] of model.horizonsDays.entries()) {
      const known = places.filter((place) => labels.observed[place] > horizon)
      if (known.length === 0) continue
      const at = (place: number) => place * labels.intervals
      const happened = known.map((place) =>
        labels.happened.subarray(at(place), at(place) + horizon + 1).includes(1),
      )
      const values = happened.map((value) => (value === model.isAbsence ? 0 : 1))
      const predicted =
        known.reduce((sum, place) => sum + outcomes[index][at(place) + horizon], 0) / known.length
      const cluster = known.map((place) => test.customer[place])
      judged[`${model.name}_${days}`] = {
        rows: known.length,
        predicted,
        actual: clusterBootstrap({ values, cluster, seed }),
      }
    }
  }
  return judged
}

function judgeAnswers(
  { test, seed }: SegmentInputs,
  { inSegment, today }: Pick<Said, 'today'> & { inSegment: ReadonlySet<number> },
): SegmentEvaluation['nps'] {
  const { answers } = test
  if (answers === null) return null
  const given = Array.from(answers.row.keys()).filter(
    (i) => answers.leadDays[i] === 0 && inSegment.has(answers.row[i]),
  )
  if (given.length === 0) return null
  const distributions = new Float64Array(given.length * answerCount)
  given.forEach((i, place) => {
    distributions.set(distributionOf(today, answers.row[i]), place * answerCount)
  })
  const values = given.map((i) => netScore(answers.score[i]))
  const cluster = given.map((i) => test.customer[answers.row[i]])
  return {
    answers: given.length,
    predicted: netPromoterScore(distributions),
    actual: clusterBootstrap({ values, cluster, seed }),
  }
}
