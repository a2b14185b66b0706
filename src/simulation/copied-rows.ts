import type { Day } from '../domain/days.ts'
import type { BehaviourRelations } from '../features/relations.ts'
import { type Database, quoteText } from '../lake/database.ts'

/** Customers whose rows are copied and looked at at once: more are looked at in parts. */
export const mostAtOnce = 15_000

/** Copies all rows of the customers of a table up to a day into tables of their own, since they are read many times. */
export async function copyRows(
  database: Database,
  all: BehaviourRelations,
  { customers, date }: { customers: string; date: Day },
): Promise<BehaviourRelations> {
  const copy = async (table: string, relation: string, condition: string) => {
    await database.run(`
      create or replace temp table ${table} as
      select *
      from ${relation} as rows
      where customer_id in (select customer_id from ${customers}) and ${condition}`)
    return table
  }
  const isPast = `day <= date ${quoteText(date)}`
  return {
    events: await copy('studied_events', all.events, isPast),
    customers: await copy('studied_customers', all.customers, 'true'),
    responses: await copy('studied_responses', all.responses, isPast),
    interventions: await copy('studied_interventions', all.interventions, isPast),
    beginsOn: all.beginsOn,
  }
}
