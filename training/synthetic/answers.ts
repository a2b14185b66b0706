import { type Customer, feeling, ticketsWithin } from './customer.ts'
import { stepOf, tableOf } from './feelings.ts'
import { answerLaw, surveyLaw } from './laws.ts'

/** Whether answering depends on what can be observed or on the hidden satisfaction itself. */
export const answeringKinds = ['observed', 'hidden'] as const
export type Answering = (typeof answeringKinds)[number]

const { cuts, scale } = answerLaw
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

/** Chance that an answer is at most `score` at a satisfaction. */
const atMost = cuts.map((cut) => tableOf((s) => sigmoid((cut - s) / scale)))
const detractor = atMost[6]
const atMostPassive = atMost[8]
const expected = tableOf((s) => cuts.reduce((sum, cut) => sum + 1 - sigmoid((cut - s) / scale), 0))

/** Expected answer, 0 to 10, at a satisfaction. */
export function expectedScore(satisfaction: number): number {
  return expected[stepOf(satisfaction)]
}

/** Chance of an answer of 0 to 6. */
export function detractorChance(satisfaction: number): number {
  return detractor[stepOf(satisfaction)]
}

/** Chance of an answer of 9 or 10. */
export function promoterChance(satisfaction: number): number {
  return 1 - atMostPassive[stepOf(satisfaction)]
}

/** The answer that falls on `chance`, 0 to 10. */
export function drawScore(satisfaction: number, chance: number): number {
  const step = stepOf(satisfaction)
  for (let score = 0; score < cuts.length; score++) if (chance < atMost[score][step]) return score
  return cuts.length
}

/** Chance of exactly this answer. */
export function scoreChance(satisfaction: number, score: number): number {
  const step = stepOf(satisfaction)
  return (score < cuts.length ? atMost[score][step] : 1) - (score > 0 ? atMost[score - 1][step] : 0)
}

/** Chance that a customer answers an invitation. `loginDays` are those with a login in the last 28. */
export function answeringChance(
  customer: Customer,
  { answering, day, loginDays }: { answering: Answering; day: number; loginDays: number },
): number {
  if (answering === 'hidden') {
    return sigmoid(
      surveyLaw.hidden.constant + surveyLaw.hidden.satisfaction * customer.mood[feeling.satisfaction],
    )
  }
  const law = surveyLaw.observed
  const years = Math.min(2, (day - customer.joinDay) / 365)
  return sigmoid(
    law.constant +
      law.logins * Math.log1p(loginDays) +
      law.tickets * ticketsWithin(customer, day, 90) +
      law.years * years +
      law.plans[customer.plan],
  )
}

/**
 * A score after a ticket on a scale from 1 to `best`: how it went counts more than how the customer feels otherwise.
 *
 * @param luck a standard normal number.
 */
export function supportScore(
  satisfaction: number,
  { hours, best, luck }: { hours: number; best: number; luck: number },
): number {
  const { usual, bySatisfaction, byHours, spread } = surveyLaw.support
  const felt = usual + bySatisfaction * satisfaction + byHours * Math.log(hours / 20) + spread * luck
  return Math.max(1, Math.min(best, Math.round(1 + (best - 1) * felt)))
}
