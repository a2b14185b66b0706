import { type AnswerLabels, answerCount, type HazardLabels } from '../src/model/member.ts'
import { fewestEvents, halfLivesDays } from './recency.ts'

/** Share of the known labels of each interval in which the event fell, weighed. */
export function baseHazards({ intervals, weight, known, happened }: HazardLabels): number[] {
  return Array.from({ length: intervals }, (_, j) => {
    let all = 1
    let fell = 0.5
    for (let row = 0; row < weight.length; row++) {
      const own = weight[row] * known[row * intervals + j]
      all += own
      fell += own * happened[row * intervals + j]
    }
    return fell / all
  })
}

/** Share of each answer, 0 to 10; never zero. */
export function baseAnswers({ score, weight }: Pick<AnswerLabels, 'score' | 'weight'>): number[] {
  const sums = new Array<number>(answerCount).fill(0.1)
  score.forEach((one, i) => {
    sums[one] += weight[i]
  })
  const total = sums.reduce((sum, value) => sum + value, 0)
  return sums.map((sum) => sum / total)
}

/** Labels beside their days. */
export interface DatedLabels {
  readonly labels: HazardLabels
  /** Day of each row's cutoff. [rows] */
  readonly cutoff: ArrayLike<number>
  /** Days from a cutoff to the end of each interval. [intervals] */
  readonly horizonsDays: readonly number[]
}

/**
 * Share of the labels of each interval in which the event is to be expected next. Older labels count as much less as
 * would have forecast the labels of each cutoff best from those known by then.
 */
export function expectedHazards(dated: DatedLabels): number[] {
  const counts = countByCutoff(dated)
  const last = counts.at(-1)?.cutoff ?? 0
  const candidates = halfLivesDays.filter(
    (halfLife, index) => index === 0 || telling(counts, { last, halfLife }) >= fewestEvents,
  )
  const losses = candidates.map((halfLife) => forecastLoss(counts, { ...dated, halfLife }))
  const halfLife = candidates[losses.indexOf(Math.min(...losses))]
  return dated.horizonsDays.map((_, j) => shareOf(counts, j, { last, halfLife }))
}

/** Weight of the known labels of a cutoff and of those among them in which the event fell. [intervals] both */
interface CutoffCounts {
  readonly cutoff: number
  readonly all: Float64Array
  readonly fell: Float64Array
}

/** In order of time. */
function countByCutoff({ labels, cutoff, horizonsDays }: DatedLabels): CutoffCounts[] {
  const intervals = horizonsDays.length
  const counts = new Map<number, CutoffCounts>()
  labels.weight.forEach((weight, row) => {
    const day = cutoff[row]
    const own = counts.get(day) ?? {
      cutoff: day,
      all: new Float64Array(intervals),
      fell: new Float64Array(intervals),
    }
    counts.set(day, own)
    for (let j = 0; j < intervals; j++) {
      const known = weight * labels.known[row * intervals + j]
      own.all[j] += known
      own.fell[j] += known * labels.happened[row * intervals + j]
    }
  })
  return [...counts.values()].sort((a, b) => a.cutoff - b.cutoff)
}

interface Ageing {
  readonly last: number
  readonly halfLife: number
}

/** Weight of the rarer kind. */
function telling(counts: readonly CutoffCounts[], ageing: Ageing): number {
  let events = 0
  let all = 0
  for (const count of counts) {
    const weight = ageWeight(count, ageing)
    events += weight * count.fell.reduce((sum, one) => sum + one, 0)
    all += weight * count.all.reduce((sum, one) => sum + one, 0)
  }
  return Math.min(events, all - events)
}

function ageWeight({ cutoff }: CutoffCounts, { last, halfLife }: Ageing): number {
  return 2 ** ((cutoff - last) / halfLife)
}

function shareOf(counts: readonly CutoffCounts[], interval: number, ageing: Ageing): number {
  let all = 1
  let fell = 0.5
  for (const count of counts) {
    const weight = ageWeight(count, ageing)
    all += weight * count.all[interval]
    fell += weight * count.fell[interval]
  }
  return fell / all
}

/** Log loss in nats, summed: each cutoff's labels forecast from the labels that were known by then. */
function forecastLoss(
  counts: readonly CutoffCounts[],
  { horizonsDays, halfLife }: Pick<DatedLabels, 'horizonsDays'> & { halfLife: number },
): number {
  let loss = 0
  for (const { cutoff: last, all, fell } of counts) {
    for (const [j, days] of horizonsDays.entries()) {
      const known = counts.filter(({ cutoff }) => cutoff + days <= last)
      if (known.length === 0) continue
      const share = shareOf(known, j, { last, halfLife })
      loss -= fell[j] * Math.log(share) + (all[j] - fell[j]) * Math.log(1 - share)
    }
  }
  return loss
}
