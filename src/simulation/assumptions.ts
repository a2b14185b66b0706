import type { Day } from '../domain/days.ts'
import type { Program } from '../domain/program.ts'
import type { Evaluation } from './evaluation.ts'
import type { Asked } from './question.ts'
import type { Scenario } from './scenario.ts'
import type { Scope } from './scope.ts'

/** Where a sample stands for all. */
export function sampleWords({ sampled, customers }: Scope): string[] {
  if (sampled === customers) return []
  return [
    `Figures come from ${sampled} of ${customers} customers, drawn evenly over segments and forecasts; the error of that is in the intervals.`,
  ]
}

/** Where not everybody is reached. */
export function reachWords({ reach }: Scenario): string[] {
  return reach < 1
    ? [`The change reaches ${Math.round(100 * reach)}% of the population, drawn at random.`]
    : []
}

/** What editing behaviour takes for granted. */
export function editWords(
  { asked, scenario, date }: { asked: Asked; scenario: Scenario; date: Day },
  { replications }: Pick<Evaluation, 'replications'>,
): string[] {
  const { parts } = asked.predictor
  const unskilled = [
    ...parts.outcomes.filter(({ hasSkill }) => !hasSkill).map(({ name }) => name),
    ...(parts.answers && !parts.answers.hasSkill ? ['nps'] : []),
  ]
  const days = scenario.inForceDays
  const words = [
    `Behaviour is edited in the ${days} days up to ${date}, as if the change had been in force since; answers given in these days are hidden from baseline and scenario alike.`,
    ...reachWords(scenario),
  ]
  if (unskilled.length > 0)
    words.push(
      `Nothing is known of what moves ${unskilled.join(', ')}: the base rate is served there, and no difference shows.`,
    )
  if (replications.some(({ contactsAvoided }) => contactsAvoided !== 0))
    words.push(`Contacts count as made or not within the ${days} days edited.`)
  return words
}

/** What the worth takes for granted. */
export function moneyWords({ value }: Program, date: Day): string[] {
  if (value.margin === null || value.annualValue === null) return []
  const discount = value.discountRate ? `, discounted by ${100 * value.discountRate}% a year` : ''
  return [
    `Revenue protected is the margin of customers who stay, over a year from ${date}${discount}; behind the longest horizon everybody leaves at the rate of the baseline.`,
  ]
}
