import type { Day } from '../domain/days.ts'
import type { BehaviourRelations } from '../features/relations.ts'
import { quoteTexts } from '../lake/database.ts'

/** Days within which an invitation, or a customer who may have been asked or not, is seen to have answered. */
export const answeringDays = { invitations: 14, customers: 30 } as const

/**
 * Every invitation whose time to answer was over by `asOf`, as a select of (customer_id, cutoff, known_on, has_answered,
 * survey_weight): the cutoff is the end of the day before, so that what is known there is what was known when asked.
 *
 * @param asked types of the events that are invitations.
 */
export function selectInvitations(
  { events, responses }: Pick<BehaviourRelations, 'events' | 'responses'>,
  asked: readonly string[],
  asOf: Day,
): string {
  return `
    select
      invitations.customer_id,
      invitations.day - 1 as cutoff,
      invitations.day + ${answeringDays.invitations} as known_on,
      coalesce(answers.day <= invitations.day + ${answeringDays.invitations}, false) as has_answered,
      1 as survey_weight
    from (select distinct customer_id, day from ${events} where type in ${quoteTexts(asked)}) as invitations
    asof left join (${selectAnswerDays(responses)}) as answers
      on answers.customer_id = invitations.customer_id and answers.day >= invitations.day
    where invitations.day + ${answeringDays.invitations} <= date '${asOf}'`
}

/**
 * Whether each candidate answered within 30 days after its cutoff, where that is known by `asOf`; the same columns.
 * Where the survey weighs its answers, those weights mend who was asked, which is a part of who answers here: they go
 * along, so that it is not mended twice.
 *
 * @param candidates relation of (customer_id, cutoff).
 */
export function selectWhoAnswers(
  { responses }: Pick<BehaviourRelations, 'responses'>,
  candidates: string,
  asOf: Day,
): string {
  return `
    select
      candidates.customer_id,
      candidates.cutoff,
      candidates.cutoff + ${answeringDays.customers} as known_on,
      coalesce(answers.day <= candidates.cutoff + ${answeringDays.customers}, false) as has_answered,
      coalesce(answers.survey_weight, 1) as survey_weight
    from ${candidates} as candidates
    asof left join (${selectAnswerDays(responses)}) as answers
      on answers.customer_id = candidates.customer_id and answers.day > candidates.cutoff
    where candidates.cutoff + ${answeringDays.customers} <= date '${asOf}'`
}

function selectAnswerDays(responses: string): string {
  return `
    select customer_id, day, max(coalesce(weight, 1)) as survey_weight
    from ${responses}
    where metric = 'nps'
    group by customer_id, day`
}
