import type { Day } from '../domain/days.ts'
import type { BehaviourRelations } from '../features/features.ts'
import type { Database } from '../lake/database.ts'
import type { Asked } from './question.ts'

/**
 * 1 for each customer of the table `scope` who may be offered an initiative on a day: not put into any of its arms so
 * lately that the longest horizon, within which it is observed, has not ended. The control arm counts: treating it would
 * spoil the comparison. [customers]
 */
export async function offeredTo(
  database: Database,
  {
    asked: { program },
    relations,
    initiative,
    date,
  }: {
    readonly asked: Pick<Asked, 'program'>
    readonly relations: BehaviourRelations
    readonly initiative: string
    readonly date: Day
  },
): Promise<Uint8Array> {
  const longest = program.horizonsDays[program.horizonsDays.length - 1]
  const found = await database.columns(
    `
    select (customer_id not in (
      select customer_id
      from ${relations.interventions}
      where initiative = $initiative and day <= $date::date and day - 1 + $longest::integer > $date::date
    ))::integer as is_offered
    from scope
    order by row`,
    { initiative, date, longest },
  )
  return Uint8Array.from(found.is_offered as Float64Array)
}
