import { type AnswerClass, answerClasses, classProbabilities, likeliestClass } from '../domain/prediction.ts'
import { type AnswerLabels, answerCount } from './member.ts'

/** Share of answers that an interval should hold. */
export const wantedCoverage = 0.8
/** Where answers come in lumps, a level that holds this share is taken rather than one that holds far too many. */
const leastCoverage = 0.78
/** A class of predictions needs this many answers for a level of its own. */
const answersForOwnLevel = 100

/** Probability mass that intervals of the answer must hold. Plain JSON. */
export interface ConformalLevels {
  readonly overall: number
  /** By likeliest class of the prediction, where enough answers were seen. */
  readonly byClass: Partial<Record<AnswerClass, number>>
}

/**
 * The smallest of nested intervals of answers that holds at least `level` of the mass.
 *
 * Starts at the likeliest answer and grows by the likelier neighbour, so a higher level never gives less.
 * **Shape** `distribution` [11] → [low, high], whole answers 0 to 10.
 */
export function nestedInterval(distribution: ArrayLike<number>, level: number): readonly [number, number] {
  let low = likeliestAnswer(distribution)
  let high = low
  let mass = distribution[low]
  while (mass < level && (low > 0 || high < answerCount - 1))
    mass += distribution[isNextAbove(distribution, low, high) ? ++high : --low]
  return [low, high]
}

function likeliestAnswer(distribution: ArrayLike<number>): number {
  let likeliest = 0
  for (let answer = 1; answer < answerCount; answer++)
    if (distribution[answer] > distribution[likeliest]) likeliest = answer
  return likeliest
}

/** Whether an interval that can grow takes the answer above it in before the one below. */
function isNextAbove(distribution: ArrayLike<number>, low: number, high: number): boolean {
  const below = low > 0 ? distribution[low - 1] : Number.NEGATIVE_INFINITY
  const above = high < answerCount - 1 ? distribution[high + 1] : Number.NEGATIVE_INFINITY
  return above >= below
}

/** Mass that the nested interval holds just before it takes each answer in. **Shape** [11] → [11] */
function massBeforeEntry(distribution: ArrayLike<number>): Float64Array {
  let low = likeliestAnswer(distribution)
  let high = low
  let mass = distribution[low]
  const before = new Float64Array(answerCount)
  while (low > 0 || high < answerCount - 1) {
    const next = isNextAbove(distribution, low, high) ? ++high : --low
    before[next] = mass
    mass += distribution[next]
  }
  return before
}

/** The 80% interval of the *answer* (not of the expected answer). **Shape** [11] → [low, high]. */
export function answerInterval(
  distribution: ArrayLike<number>,
  { overall, byClass }: ConformalLevels,
): readonly [number, number] {
  return nestedInterval(distribution, byClass[classOf(distribution)] ?? overall)
}

/**
 * Levels whose intervals hold 80% of answers like those given, by likeliest class of the prediction.
 *
 * The score of an answer is the mass just before the nested interval takes it in: the answer lies inside exactly
 * where its score is below the level. A class with fewer than 100 answers uses the level of all.
 *
 * **Time** give distributions of answers the predictor has not learned from. **Shape** `distributions`
 * [answers × 11]. Source: Romano, Sesia & Candès (2020), without randomisation.
 */
export function fitConformal(
  distributions: ArrayLike<number>,
  answers: Pick<AnswerLabels, 'score' | 'weight'>,
): ConformalLevels {
  const scored = Array.from(answers.score, (score, i) => {
    const distribution = Array.from(
      { length: answerCount },
      (_, answer) => distributions[i * answerCount + answer],
    )
    return {
      class: classOf(distribution),
      score: massBeforeEntry(distribution)[score],
      weight: answers.weight[i],
    }
  })
  const byClass: Partial<Record<AnswerClass, number>> = {}
  for (const name of answerClasses) {
    const own = scored.filter((answer) => answer.class === name)
    // Weights, as one survey answer is used at several leads.
    const count = own.reduce((sum, { weight }) => sum + weight, 0)
    if (count >= answersForOwnLevel) byClass[name] = levelOf(own)
  }
  return { overall: levelOf(scored), byClass }
}

function classOf(distribution: ArrayLike<number>): AnswerClass {
  return likeliestClass(classProbabilities(distribution))
}

/** The level that holds 80% of the answers; of two neighbouring levels the nearer, unless it holds too few. */
function levelOf(scored: readonly { readonly score: number; readonly weight: number }[]): number {
  const sorted = scored.filter(({ weight }) => weight > 0).sort((a, b) => a.score - b.score)
  const total = sorted.reduce((sum, { weight }) => sum + weight, 0)
  // One unseen answer more, as conformal prediction counts.
  const wanted = (wantedCoverage * (sorted.length + 1)) / sorted.length
  let held = 0
  for (let from = 0; from < sorted.length; ) {
    const { score } = sorted[from]
    let here = 0
    let to = from
    for (; to < sorted.length && sorted[to].score === score; to++) here += sorted[to].weight / total
    if (held + here >= wanted) {
      const isLump = held >= leastCoverage && wantedCoverage - held < held + here - wantedCoverage
      if (isLump) return (sorted[from - 1].score + score) / 2
      return to < sorted.length ? (score + sorted[to].score) / 2 : 1
    }
    held += here
    from = to
  }
  return 1
}
