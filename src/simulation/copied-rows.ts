import type { Day } from '../domain/days.ts'
import type { BehaviourRelations } from '../features/relations.ts'
import { type Database, quoteText } from '../lake/database.ts'

/** Customers whose rows are copied and looked at at once: more are looked at in parts, from the lake's own rows. */
export const mostAtOnce = 15_000

/** Copies rows of the customers of a table up to a day into tables of their own, since they are read many times. */
export async function copyRows(
  database: Database,
  all: BehaviourRelations,
  { customers, date }: { customers: string; date: Day },
): Promise<BehaviourRelations> {
  const isPast = `day <= date ${quoteText(date)}`
  const copied: { -readonly [Key in keyof BehaviourRelations]: BehaviourRelations[Key] } = { ...all }
  for (const table of ['events', 'customers', 'responses', 'interventions'] as const) {
    await database.run(`
      create or replace temp table studied_${table} as
      select *
      from ${all[table]} as rows
      where customer_id in (select customer_id from ${customers}) and ${table === 'customers' ? 'true' : isPast}`)
    copied[table] = `studied_${table}`
  }
  return copied
}
