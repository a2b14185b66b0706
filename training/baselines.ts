import { windowsDays } from '../src/features/catalogue.ts'
import type { FeatureFrame } from '../src/features/features.ts'
import type { AnswerLabels, HazardLabels } from '../src/model/member.ts'
import { baseAnswers, baseHazards } from './base-rates.ts'

/** Group of each dataset row by what was last known of a task: 0 nothing known; other numbers are the groups. */
export type LastKnown = Uint8Array

/**
 * What was last known of an outcome: whether its event happened in a window before the cutoff as long as the shortest
 * horizon, or the longest one that is no longer. 0 unknown (the window reaches before the data), 1 it did not, 2 it did.
 */
export function lastKnownOutcome(
  frame: FeatureFrame,
  eventTypes: readonly string[],
  horizonDays: number,
): LastKnown {
  const windowDays = windowsDays.findLast((days) => days <= horizonDays) ?? windowsDays[0]
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

/** A group's own rate counts as much as this many rows of everybody: groups never seen get everybody's. */
const sharedRows = 10

/** Hazards of each group on the learning rows. @param groups of the labelled rows. */
export function hazardsByGroup(labels: HazardLabels, groups: LastKnown): Map<number, number[]> {
  const everybody = baseHazards(labels)
  return new Map(
    [0, 1, 2].map((group) => {
      const hazards = everybody.map((base, j) => {
        let known = sharedRows
        let happened = sharedRows * base
        for (let row = 0; row < groups.length; row++) {
          const at = row * labels.intervals + j
          if (groups[row] !== group || labels.known[at] === 0) continue
          known++
          happened += labels.happened[at]
        }
        return happened / known
      })
      return [group, hazards]
    }),
  )
}

/** Answer distributions of each group on the learning answers. @param groups of the answers. */
export function answersByGroup(answers: AnswerLabels, groups: LastKnown): Map<number, number[]> {
  const everybody = baseAnswers(answers)
  return new Map(
    [0, 1, 2, 3].map((group) => {
      const sums = everybody.map((share) => sharedRows * share)
      let total = sharedRows
      groups.forEach((own, i) => {
        if (own !== group) return
        sums[answers.score[i]] += answers.weight[i]
        total += answers.weight[i]
      })
      return [group, sums.map((sum) => sum / total)]
    }),
  )
}

/** What was learned of each row's group, row after row. **Shape** [rows × values of a group] */
export function spreadGroups(
  byGroup: ReadonlyMap<number, readonly number[]>,
  groups: LastKnown,
): Float64Array {
  const width = byGroup.get(0)?.length ?? 0
  const spread = new Float64Array(groups.length * width)
  groups.forEach((group, row) => {
    spread.set(byGroup.get(group) as readonly number[], row * width)
  })
  return spread
}
