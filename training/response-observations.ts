import type { Day } from '../src/domain/days.ts'
import type { Program } from '../src/domain/program.ts'
import type { Catalogue } from '../src/features/catalogue.ts'
import {
  type BehaviourRelations,
  type FeatureFrame,
  makeSpine,
  readFeatures,
} from '../src/features/features.ts'
import { selectAtRisk } from '../src/features/population.ts'
import type { Database } from '../src/lake/database.ts'
import type { Lake } from '../src/lake/lake.ts'
import { detractorUpTo, promoterFrom } from '../src/model/answer-metrics.ts'
import { selectInvitations, selectWhoAnswers } from '../src/outcomes/answering.ts'

/** Moments at which customers could have answered, and whether they did. **Shape** all [observations]. */
export interface ResponseObservations {
  /** One for each invitation, or, where invitations are not known, for each customer at each cutoff. */
  readonly kind: 'invitations' | 'customers'
  /** What was known just before, without what comes of being asked. */
  readonly frame: FeatureFrame
  readonly customer: Int32Array
  /** Day by which it is known whether an answer came, in days since 1970-01-01. */
  readonly knownOn: Int32Array
  /** 1 or 0. */
  readonly hasAnswered: Uint8Array
  /** How many such moments each stands for, times the weight that the survey gave the answer. */
  readonly weight: Float32Array
  /** Mean net score, -100 to 100, of what the customer answered at other times; NaN where nothing. */
  readonly otherNetScore: Float64Array
}

/** Of those who answered and of those who did not so many are drawn; each then stands for several. */
export const mostOfASide = 10_000
/** Invitations tell who answers where at least this share of the answers followed one. */
const leastInvited = 0.5

export interface ObservationRequest {
  readonly program: Program
  readonly lake: Lake
  readonly catalogue: Catalogue
  readonly relations: BehaviourRelations
  readonly asOf: Day
  /** Table of (customer_id, cutoff): everybody at every cutoff that is learned from. */
  readonly population: string
}

/** Reads who answered when asked, or else who answered at all. Null where nothing of it is known by `asOf`. */
export async function readResponseObservations(
  database: Database,
  request: ObservationRequest,
): Promise<ResponseObservations | null> {
  const { program, relations, asOf, population } = request
  const { asked } = program.meaning
  const isInvited = asked.length > 0 && (await followInvitations(database, request))
  const select = isInvited
    ? selectInvitations(relations, asked, asOf)
    : selectWhoAnswers(relations, population, asOf)
  await database.run(`create or replace temp table answering as ${selectDrawn(select)}`)
  const candidates = 'select customer_id, cutoff from answering'
  const spine = 'answering_spine'
  if ((await makeSpine(database, spine, selectAtRisk({ program, relations, candidates }))) === 0) return null
  const frame = await readFeatures(database, { ...request, spine })
  const columns = (await database.columns(`
    select
      dense_rank() over (order by customer_id) - 1 as customer,
      known_on - date '1970-01-01' as known_on,
      has_answered::integer as has_answered,
      survey_weight,
      stands_for,
      other_net_score
    from ${spine}
    join answering using (customer_id, cutoff)
    left join (${selectOtherAnswers(relations, asOf)}) using (customer_id, cutoff)
    order by row`)) as Record<string, Float64Array>
  return {
    kind: isInvited ? 'invitations' : 'customers',
    frame: withoutOrigins(frame, asked),
    customer: Int32Array.from(columns.customer),
    knownOn: Int32Array.from(columns.known_on),
    hasAnswered: Uint8Array.from(columns.has_answered),
    weight: weighObservations(columns),
    otherNetScore: Float64Array.from(columns.other_net_score),
  }
}

/** What those in `answering` answered before and after, as far as it is known by `asOf`. */
function selectOtherAnswers({ responses }: BehaviourRelations, asOf: Day): string {
  return `
    select
      customer_id,
      cutoff,
      avg(100 * ((score >= ${promoterFrom})::integer - (score <= ${detractorUpTo})::integer)) as other_net_score
    from answering join ${responses} using (customer_id)
    where metric = 'nps' and day <= date '${asOf}' and day not between cutoff + 1 and known_on
    group by customer_id, cutoff`
}

/** Weights of the survey have mean 1 over those who answered: they don't change how many did. */
function weighObservations(columns: Record<string, Float64Array>): Float32Array {
  const { has_answered: hasAnswered, survey_weight: survey, stands_for: standsFor } = columns
  let sum = 0
  let answered = 0
  hasAnswered.forEach((one, i) => {
    answered += one
    if (one) sum += survey[i]
  })
  return Float32Array.from(standsFor, (own, i) =>
    hasAnswered[i] && sum > 0 ? (own * survey[i] * answered) / sum : own,
  )
}

/** Some of each side, the same ones every time. */
function selectDrawn(answering: string): string {
  return `
    select
      customer_id, cutoff, known_on, has_answered,
      survey_weight::double as survey_weight,
      greatest(1, count(*) over (partition by has_answered) / ${mostOfASide}) as stands_for
    from (${answering})
    qualify row_number() over (
      partition by has_answered order by md5(customer_id || ' ' || cutoff::varchar), customer_id, cutoff
    ) <= ${mostOfASide}`
}

async function followInvitations(
  database: Database,
  { program, relations, asOf }: ObservationRequest,
): Promise<boolean> {
  const { answered, answers } = await database.row<{ answered: number; answers: number }>(`
    with invitations as (${selectInvitations(relations, program.meaning.asked, asOf)})
    select
      (select count(*) from invitations where has_answered) as answered,
      (
        select count(distinct (customer_id, day))
        from ${relations.responses}
        where metric = 'nps' and day <= date '${asOf}' and day > (select min(cutoff) from invitations)
      ) as answers`)
  return answered > 0 && answered >= leastInvited * answers
}

/** Just after an invitation its own traces are everywhere; at any other time they are not. */
function withoutOrigins(frame: FeatureFrame, origins: readonly string[]): FeatureFrame {
  const isKept = frame.features.map(
    ({ origin }) => !origins.some((type) => origin === type || origin.startsWith(`${type}.`)),
  )
  return {
    rows: frame.rows,
    features: frame.features.filter((_, index) => isKept[index]),
    columns: frame.columns.filter((_, index) => isKept[index]),
  }
}
