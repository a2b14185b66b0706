import { answerCount } from './member.ts'

/** Predicted distributions of the answer beside the answers given. */
export interface JudgedAnswers {
  /** [rows × 11], each row sums to 1. */
  readonly distributions: ArrayLike<number>
  /** 0 to 10. [rows] */
  readonly score: ArrayLike<number>
  /** Default: every row weighs 1. [rows] */
  readonly weight?: ArrayLike<number>
}

/** Highest answer of a detractor, lowest of a promoter. */
export const detractorUpTo = 6
export const promoterFrom = 9
const smallest = 1e-15

/**
 * Ranked probability score of each row: Σ over j < 10 of (P(answer ≤ j) − [answer given ≤ j])².
 *
 * The *sum* over the 10 thresholds, from 0 to 10; the discrete CRPS in points of the 0-10 scale. Lower is better.
 * Source: Epstein (1969); Gneiting & Raftery (2007). **Shape** [rows]
 */
export function rankedProbabilityScores({ distributions, score }: JudgedAnswers): Float64Array {
  return Float64Array.from({ length: score.length }, (_, row) => {
    let cumulative = 0
    let sum = 0
    for (let answer = 0; answer < answerCount - 1; answer++) {
      cumulative += distributions[row * answerCount + answer]
      sum += (cumulative - (score[row] <= answer ? 1 : 0)) ** 2
    }
    return sum
  })
}

/** Weighted mean of {@link rankedProbabilityScores}. NaN without rows. */
export function rankedProbabilityScore(judged: JudgedAnswers): number {
  return meanOver(rankedProbabilityScores(judged), judged.weight)
}

/** Log loss of each answer given, in nats. **Shape** [rows] */
export function answerLogLosses({ distributions, score }: JudgedAnswers): Float64Array {
  return Float64Array.from(
    { length: score.length },
    (_, row) => -Math.log(Math.max(distributions[row * answerCount + score[row]], smallest)),
  )
}

/** Expected answer of each row, in points of the 0-10 scale. **Shape** [rows × 11] → [rows] */
export function expectedAnswers(distributions: ArrayLike<number>): Float64Array {
  return sumAnswers(distributions, (answer) => answer)
}

/** Probability of an answer from 0 to 6. **Shape** [rows × 11] → [rows] */
export function detractorProbabilities(distributions: ArrayLike<number>): Float64Array {
  return sumAnswers(distributions, (answer) => (answer <= detractorUpTo ? 1 : 0))
}

/** Probability of a 9 or 10. **Shape** [rows × 11] → [rows] */
export function promoterProbabilities(distributions: ArrayLike<number>): Float64Array {
  return sumAnswers(distributions, (answer) => (answer >= promoterFrom ? 1 : 0))
}

/** Mean distance of expected and given answer, in points of the 0-10 scale. NaN without rows. */
export function meanAbsoluteError(judged: JudgedAnswers): number {
  const expected = expectedAnswers(judged.distributions)
  return meanOver(
    expected.map((value, row) => Math.abs(value - judged.score[row])),
    judged.weight,
  )
}

/**
 * NPS of a group: 100 × mean(P(promoter) − P(detractor)), −100 to 100; not a count of likeliest classes.
 * NaN without rows.
 */
export function netPromoterScore(distributions: ArrayLike<number>, weight?: ArrayLike<number>): number {
  return meanOver(expectedNetScores(distributions), weight)
}

/** What each row is expected to add to an NPS, -100 to 100. **Shape** [rows × 11] → [rows] */
export function expectedNetScores(distributions: ArrayLike<number>): Float64Array {
  return sumAnswers(distributions, netScore)
}

/** What one answer adds to an NPS: 100 for a promoter, -100 for a detractor. */
export function netScore(answer: number): number {
  if (answer >= promoterFrom) return 100
  return answer <= detractorUpTo ? -100 : 0
}

function sumAnswers(distributions: ArrayLike<number>, worth: (answer: number) => number): Float64Array {
  return Float64Array.from({ length: distributions.length / answerCount }, (_, row) => {
    let sum = 0
    for (let answer = 0; answer < answerCount; answer++) {
      sum += worth(answer) * distributions[row * answerCount + answer]
    }
    return sum
  })
}

function meanOver(values: Float64Array, weight: ArrayLike<number> | undefined): number {
  let sum = 0
  let total = 0
  for (let row = 0; row < values.length; row++) {
    const own = weight === undefined ? 1 : weight[row]
    sum += own * values[row]
    total += own
  }
  return sum / total
}
