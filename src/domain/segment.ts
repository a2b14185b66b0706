import type { AnswerClass } from './prediction.ts'

export const segments = ['silent-detractors', 'expansion-promoters', 'at-risk-passives'] as const
export type Segment = (typeof segments)[number]

/** What a segment looks at beside the prediction, as known at the cutoff. */
export interface SegmentSignals {
  /** A survey answer, or an event that means contact or feedback, in the last 90 days. */
  readonly isHeard: boolean
  /** Feedback, or more usage than in the 30 days before, in the last 30 days. */
  readonly isEngaging: boolean
  /** Usage, or all activity where no usage is configured, of the last 30 days below 70% of the 30 before. */
  readonly isFading: boolean
}

/**
 * The built-in segment of a customer, or null; the first that fits counts.
 *
 * @param isLikelyUpsell upsell at the longest horizon lies in the top fifth of the day.
 */
export function segmentOf(
  likeliest: AnswerClass | null,
  signals: SegmentSignals,
  isLikelyUpsell: boolean,
): Segment | null {
  if (likeliest === 'detractor' && !signals.isHeard) return 'silent-detractors'
  if (likeliest === 'promoter' && isLikelyUpsell && signals.isEngaging) return 'expansion-promoters'
  if (likeliest === 'passive' && signals.isFading) return 'at-risk-passives'
  return null
}
