import type { FeatureFrame } from '../src/features/features.ts'
import { type AnswerLabels, answerCount, type HazardLabels } from '../src/model/member.ts'
import { baseAnswers, baseHazards } from './blended.ts'
import type { Labelled } from './labelled.ts'

/** Group of each dataset row by what was last known of a task: 0 nothing known; other numbers are the groups. */
export type LastKnown = Uint8Array

/**
 * What was last known of an outcome: whether its event happened in the days before the cutoff, as many as the
 * shortest horizon. 0 unknown (the window reaches before the data), 1 it did not, 2 it did.
 */
export function lastKnownOutcome(
  frame: FeatureFrame,
  eventTypes: readonly string[],
  windowDays: number,
): LastKnown {
  const groups = new Uint8Array(frame.rows)
  for (const type of eventTypes) {
    const index = frame.features.findIndex(({ name }) => name === `${type}_count_${windowDays}`)
    const counts = frame.columns[index] as Float64Array | undefined
    if (!counts) continue
    for (let row = 0; row < frame.rows; row++) {
      if (!Number.isNaN(counts[row])) groups[row] = Math.max(groups[row], counts[row] > 0 ? 2 : 1)
    }
  }
  return groups
}

/** The class of the last NPS answer: 0 none, 1 detractor, 2 passive, 3 promoter. */
export function lastKnownAnswer(frame: FeatureFrame): LastKnown {
  const index = frame.features.findIndex(({ name }) => name === 'nps_last')
  const last = frame.columns[index] as Float64Array | undefined
  return Uint8Array.from({ length: frame.rows }, (_, row) => {
    const score = last?.[row] ?? Number.NaN
    return Number.isNaN(score) ? 0 : score <= 6 ? 1 : score <= 8 ? 2 : 3
  })
}

/** Hazards of each group on the learning rows, applied to judged rows. **Shape** [rows × intervals] */
export function groupHazards(
  learned: { labels: HazardLabels; labelled: Labelled },
  judged: Labelled,
  groups: LastKnown,
): Float64Array {
  const { labels, labelled } = learned
  const byGroup = new Map<number, number[]>()
  for (const group of new Set(groups)) {
    const known = labels.known.map((value, at) =>
      groups[labelled.rows[Math.floor(at / labels.intervals)]] === group ? value : 0,
    )
    byGroup.set(group, baseHazards({ ...labels, known }))
  }
  const hazards = new Float64Array(judged.rows.length * labels.intervals)
  judged.rows.forEach((row, place) => {
    hazards.set(byGroup.get(groups[row]) as number[], place * labels.intervals)
  })
  return hazards
}

/** Answer distributions of each group on the learning answers, applied to judged ones. **Shape** [answers × 11] */
export function groupAnswers(
  learned: { answers: AnswerLabels; labelled: Labelled },
  judged: { answers: AnswerLabels; labelled: Labelled },
  groups: LastKnown,
): Float64Array {
  const byGroup = new Map<number, number[]>()
  for (const group of new Set(groups)) {
    const picks = Array.from(learned.answers.row.keys()).filter(
      (i) => groups[learned.labelled.rows[learned.answers.row[i]]] === group,
    )
    byGroup.set(
      group,
      baseAnswers({
        score: Uint8Array.from(picks, (i) => learned.answers.score[i]),
        weight: Float32Array.from(picks, (i) => learned.answers.weight[i]),
      }),
    )
  }
  const distributions = new Float64Array(judged.answers.row.length * answerCount)
  judged.answers.row.forEach((place, i) => {
    distributions.set(byGroup.get(groups[judged.labelled.rows[place]]) as number[], i * answerCount)
  })
  return distributions
}
