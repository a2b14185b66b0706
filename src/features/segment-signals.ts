import type { Program } from '../domain/program.ts'
import type { SegmentSignals } from '../domain/segment.ts'
import { type Database, quoteTexts } from '../lake/database.ts'
import type { BehaviourRelations } from './features.ts'

/** What segments look at, for each spine row in row order. Nothing after the cutoff is seen. */
export async function readSegmentSignals(
  database: Database,
  { program, relations, spine }: { program: Program; relations: BehaviourRelations; spine: string },
): Promise<SegmentSignals[]> {
  const { usage, contact, feedback } = program.meaning
  const isUsage = usage.length > 0 ? `type in ${quoteTexts(usage)}` : 'true'
  const found = await database.columns(`
    with behaviour as (
      select
        row,
        count(*) filter (where day > cutoff - 90 and type in ${quoteTexts([...contact, ...feedback])}) as contacts_90,
        count(*) filter (where day > cutoff - 30 and type in ${quoteTexts(feedback)}) as feedback_30,
        count(*) filter (where day > cutoff - 30 and ${isUsage}) as usage_30,
        count(*) filter (where day > cutoff - 60 and day <= cutoff - 30 and ${isUsage}) as usage_before_30
      from ${spine} as spine
      join ${relations.events} as events using (customer_id)
      where day <= cutoff
      group by row
    ),
    answers as (
      select row, count(*) as responses_90
      from ${spine} as spine
      join ${relations.responses} as responses using (customer_id)
      where day <= cutoff and day > cutoff - 90
      group by row
    )
    select
      spine.row,
      (coalesce(contacts_90, 0) + coalesce(responses_90, 0) > 0)::integer as is_heard,
      (coalesce(feedback_30, 0) > 0 or ${usage.length > 0} and coalesce(usage_30, 0) > coalesce(usage_before_30, 0))::integer as is_engaging,
      (coalesce(usage_30, 0) < 0.7 * coalesce(usage_before_30, 0))::integer as is_fading
    from ${spine} as spine
    left join behaviour using (row)
    left join answers using (row)
    order by spine.row`)
  const column = (name: string) => found[name] as Float64Array
  return Array.from(column('row'), (_, row) => ({
    isHeard: column('is_heard')[row] === 1,
    isEngaging: column('is_engaging')[row] === 1,
    isFading: column('is_fading')[row] === 1,
  }))
}
