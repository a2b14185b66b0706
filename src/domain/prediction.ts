import type { Program } from './program.ts'

/** Likeliest kind of answer: 0-6, 7-8, 9-10. */
export const answerClasses = ['detractor', 'passive', 'promoter'] as const
export type AnswerClass = (typeof answerClasses)[number]

/** A column of the exported predictions and its type in DuckDB. */
export interface PredictionColumn {
  readonly name: string
  readonly type: 'varchar' | 'date' | 'double'
}

/** Columns in program currency, with two decimals. */
export const moneyColumns = ['annual_value', 'value_at_risk', 'expected_gain', 'expected_value_12m'] as const

/** The columns of a day's predictions, in order. Names and meaning are a contract: see the README. */
export function predictionColumns(program: Pick<Program, 'outcomes' | 'horizonsDays'>): PredictionColumn[] {
  const double = (name: string): PredictionColumn => ({ name, type: 'double' })
  const text = (name: string): PredictionColumn => ({ name, type: 'varchar' })
  return [
    text('program'),
    text('customer_id'),
    { name: 'date', type: 'date' },
    text('model_version'),
    text('status'),
    text('reason'),
    ...['nps_score', 'nps_low', 'nps_high', 'p_detractor', 'p_passive', 'p_promoter'].map(double),
    text('nps_class'),
    ...program.horizonsDays.flatMap((days) => [
      double(`nps_score_${days}`),
      double(`p_detractor_${days}`),
      double(`p_promoter_${days}`),
    ]),
    ...program.outcomes.flatMap(({ name }) => program.horizonsDays.map((days) => double(`${name}_${days}`))),
    ...moneyColumns.map(double),
    ...['next_likely', 'segment', 'top_drivers', 'flags'].map(text),
  ]
}

/** Six decimals: what a probability or an expected answer is exported with. */
export function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6
}

/** Two decimals: what money is exported with, so that sums over customers are to the penny. */
export function wholePennies(amount: number): number {
  // No negative zero, which would be exported with its sign.
  return Math.round(amount * 100) / 100 + 0
}

/**
 * Three class probabilities rounded to six decimals that still sum to 1: the largest takes the remainder.
 *
 * @param distribution probabilities of the answers 0 to 10, summing to 1.
 */
export function classProbabilities(distribution: ArrayLike<number>): readonly [number, number, number] {
  let detractors = 0
  for (let answer = 0; answer <= 6; answer++) detractors += distribution[answer]
  const detractor = Math.round(detractors * 1e6)
  const passive = Math.round((distribution[7] + distribution[8]) * 1e6)
  const promoter = Math.round((distribution[9] + distribution[10]) * 1e6)
  if (detractor >= passive && detractor >= promoter)
    return [(1e6 - passive - promoter) / 1e6, passive / 1e6, promoter / 1e6]
  if (passive >= promoter) return [detractor / 1e6, (1e6 - detractor - promoter) / 1e6, promoter / 1e6]
  return [detractor / 1e6, passive / 1e6, (1e6 - detractor - passive) / 1e6]
}

/** The class with the largest probability; the less happy one in a tie. */
export function likeliestClass([detractor, passive, promoter]: readonly [
  number,
  number,
  number,
]): AnswerClass {
  if (detractor >= passive && detractor >= promoter) return 'detractor'
  return passive >= promoter ? 'passive' : 'promoter'
}

/** Expected answer, 0 to 10. */
export function expectedAnswer(distribution: ArrayLike<number>): number {
  let sum = 0
  for (let answer = 0; answer < distribution.length; answer++) sum += answer * distribution[answer]
  return sum
}
