import type { Program } from '../domain/program.ts'
import type { SegmentSignals } from '../domain/segment.ts'
import { type Database, quoteTexts } from '../lake/database.ts'
import { allBegin, earliestDay, isCovered } from './data-begins.ts'
import type { BehaviourRelations } from './relations.ts'

/**
 * What segments look at, for each spine row in row order. Nothing after the cutoff is seen.
 *
 * Usage rises or fades against the 30 days before only where the data reach back that far. Without configured
 * `usage`, all activity stands in for it when fading is judged.
 */
export async function readSegmentSignals(
  database: Database,
  { program, relations, spine }: { program: Program; relations: BehaviourRelations; spine: string },
): Promise<SegmentSignals[]> {
  const { usage } = program.meaning
  const { beginsOn } = relations
  const begin = usage.length > 0 ? allBegin(beginsOn, usage) : earliestDay(beginsOn.values())
  const isComparable = begin === null ? 'false' : isCovered(begin, 60)
  const found = await database.columns(`
    with behaviour as (${selectBehaviour(program, relations, spine)}),
    answers as (
      select row, count(*) as responses_90
      from ${spine} as spine
      join ${relations.responses} as responses using (customer_id)
      where day <= cutoff and day > cutoff - 90
      group by row
    ),
    signals as (
      select
        spine.row,
        coalesce(contacts_90, 0) + coalesce(responses_90, 0) as heard_90,
        coalesce(feedback_30, 0) as feedback_30,
        coalesce(usage_30, 0) as usage_30,
        coalesce(usage_before_30, 0) as usage_before_30,
        ${isComparable} as is_comparable
      from ${spine} as spine
      left join behaviour using (row)
      left join answers using (row)
    )
    select
      row,
      (heard_90 > 0)::integer as is_heard,
      (feedback_30 > 0 or ${usage.length > 0} and is_comparable and usage_30 > usage_before_30)::integer as is_engaging,
      (is_comparable and usage_30 < 0.7 * usage_before_30)::integer as is_fading
    from signals
    order by row`)
  const column = (name: string) => found[name] as Float64Array
  return Array.from(column('row'), (_, row) => ({
    isHeard: column('is_heard')[row] === 1,
    isEngaging: column('is_engaging')[row] === 1,
    isFading: column('is_fading')[row] === 1,
  }))
}

/** Counts of the events that segments look at, by spine row: of the events, or as they are kept. */
function selectBehaviour(program: Program, { events, kept }: BehaviourRelations, spine: string): string {
  const { usage, contact, feedback } = program.meaning
  if (kept !== undefined)
    return `
      select row, contacts_90, feedback_30, usage_30, usage_before_30
      from ${spine} as spine
      join ${kept.customers} as kept using (customer_id)`
  const isUsage = usage.length > 0 ? `type in ${quoteTexts(usage)}` : 'true'
  return `
      select
        row,
        count(*) filter (where day > cutoff - 90 and type in ${quoteTexts([...contact, ...feedback])}) as contacts_90,
        count(*) filter (where day > cutoff - 30 and type in ${quoteTexts(feedback)}) as feedback_30,
        count(*) filter (where day > cutoff - 30 and ${isUsage}) as usage_30,
        count(*) filter (where day > cutoff - 60 and day <= cutoff - 30 and ${isUsage}) as usage_before_30
      from ${spine} as spine
      join ${events} as events using (customer_id)
      where day <= cutoff and day > cutoff - 90
      group by row`
}
