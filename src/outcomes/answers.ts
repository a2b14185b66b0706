import type { Day } from '../domain/days.ts'
import type { BehaviourRelations } from '../features/relations.ts'

/** Days between the day after the cutoff and the answer at which an answer is used as a label. */
export const answerLeadsDays = [0, 30, 60, 90] as const

/**
 * Every NPS answer as a label, as a select of (customer_id, cutoff, lead, score, survey_weight, answer): an answer on
 * day R belongs with lead k to the cutoff at the end of day R − 1 − k. No other answer of day R is known there.
 */
export function selectAnswerLabels({ responses }: Pick<BehaviourRelations, 'responses'>, asOf: Day): string {
  return `
    select
      customer_id,
      day - 1 - lead as cutoff,
      lead,
      score::integer as score,
      coalesce(weight, 1) as survey_weight,
      row_id as answer
    from ${responses}, (select unnest([${answerLeadsDays.join(', ')}]) as lead) as leads
    where metric = 'nps' and day <= date '${asOf}'`
}
