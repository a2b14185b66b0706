import type { Day } from '../domain/days.ts'
import type { BehaviourRelations } from '../features/relations.ts'
import { type Database, quoteText } from '../lake/database.ts'
import { donorsOf } from './edits.ts'
import type { Scenario } from './scenario.ts'
import type { Scope } from './scope.ts'

/** Customers that others are compared with to see whether they look like any. */
const referenceCustomers = 2000
/** Events that added ones are modelled on. */
const mostDonors = 2000

/** What the draws of a scenario start from. */
export interface PopulationRows {
  /** All rows of the customers in the table `studied` up to the day, in tables of their own. */
  readonly relations: BehaviourRelations
  /** Rows in `studied`: the population first, in its order, then others to compare with. */
  readonly studied: number
  /** A table for each change that adds events; null for others. */
  readonly donors: readonly (string | null)[]
}

export interface PopulationRequest {
  readonly scenario: Scenario
  readonly scope: Scope
  readonly from: Day
  readonly date: Day
  readonly seed: number
}

/**
 * Copies all rows of the population and of some others, since every draw reads them. Answers given while the changes are
 * in force are left out. Makes the table `studied` (row, customer_id, cutoff, joined).
 */
export async function copyPopulation(
  database: Database,
  all: BehaviourRelations,
  { scenario, scope, from, date, seed }: PopulationRequest,
): Promise<PopulationRows> {
  const others = scenario.population.kind === 'all' ? 0 : referenceCustomers
  await database.run(`
    create or replace temp table studied as
    select row, customer_id, cutoff, joined from scope
    union all
    select
      (${scope.sampled} + row_number() over (order by draw) - 1)::integer as row,
      customer_id,
      cutoff,
      joined
    from (
      select *, md5_number_upper(customer_id || ' reference ${seed}') as draw
      from day_spine
      where customer_id not in (select customer_id from scope)
      order by draw
      limit ${others}
    )`)
  const copy = (table: string, relation: string, condition: string) =>
    database.run(`
      create or replace temp table ${table} as
      select *
      from ${relation} as rows
      where customer_id in (select customer_id from studied) and ${condition}`)
  const isPast = (day: Day) => `day <= date ${quoteText(day)}`
  await copy('studied_events', all.events, isPast(date))
  await copy('studied_customers', all.customers, 'true')
  await copy('studied_responses', all.responses, isPast(from))
  await copy('studied_interventions', all.interventions, isPast(date))
  const { studied } = await database.row<{ studied: number }>('select count(*) as studied from studied')
  const relations = {
    events: 'studied_events',
    customers: 'studied_customers',
    responses: 'studied_responses',
    interventions: 'studied_interventions',
    beginsOn: all.beginsOn,
  }
  return { relations, studied, donors: await copyDonors(database, all, scenario) }
}

/** A table for each change that adds events: some of their kind, of those studied where they have any. */
async function copyDonors(
  database: Database,
  all: BehaviourRelations,
  { changes }: Scenario,
): Promise<(string | null)[]> {
  const tables: (string | null)[] = []
  for (const [place, change] of changes.entries()) {
    const isAdding = change.kind === 'events' && change.add !== null
    tables.push(isAdding ? `donors_${place}` : null)
    if (!isAdding) continue
    for (const events of ['studied_events', all.events]) {
      await database.run(
        `create or replace temp table donors_${place} as ${donorsOf(events, change, mostDonors)}`,
      )
      const { found } = await database.row<{ found: number }>(`select count(*) as found from donors_${place}`)
      if (found > 0) break
    }
  }
  return tables
}
