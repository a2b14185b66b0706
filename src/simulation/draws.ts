import type { Day } from '../domain/days.ts'
import type { BehaviourRelations, FeatureFrame } from '../features/features.ts'
import { readFeatures } from '../features/features.ts'
import { type Database, quoteText, quoteTexts } from '../lake/database.ts'
import { type EditContext, editRelations } from './edits.ts'
import type { PopulationRows } from './population-rows.ts'
import type { Asked } from './question.ts'
import type { Scenario } from './scenario.ts'

export interface DrawRequest {
  readonly asked: Asked
  readonly scenario: Scenario
  readonly population: PopulationRows
  readonly from: Day
  readonly date: Day
  readonly seed: number
  /** Numbers of the draws. */
  readonly draws: readonly number[]
}

/** Customers whose behaviour changed in some draws, each draw's after the other. **Shape** arrays are [rows]. */
export interface Drawn {
  /** Which of the draws: its place in the request. */
  readonly draw: Int32Array
  /** Which customer: row of the population. */
  readonly customer: Int32Array
  readonly frame: FeatureFrame
  /** Contacts not made in each draw, all customers together. [draws] */
  readonly contactsAvoided: readonly number[]
}

/**
 * Draws a scenario's random choices some times and reads the features of everybody whose rows then differ.
 *
 * All draws are read at once: a customer goes by another name in each of them.
 */
export async function drawScenario(database: Database, request: DrawRequest): Promise<Drawn> {
  const { asked, scenario, population, from, date, seed, draws } = request
  const { program, lake, predictor } = asked
  const { relations } = population
  await database.run(
    'create or replace temp table drawn (draw integer, customer integer, customer_id varchar, own_id varchar, cutoff date, joined date)',
  )
  for (const [table, relation] of [
    ['drawn_events', relations.events],
    ['drawn_customers', relations.customers],
  ])
    await database.run(`create or replace temp table ${table} as select * from ${relation} where false`)
  for (const [place, replication] of draws.entries()) {
    const context: EditContext = {
      ...{ scope: 'scope', from, date, seed, replication },
      timezone: program.timezone,
      reach: scenario.reach,
    }
    const edited = editRelations(relations, scenario.changes, { context, donors: population.donors })
    await database.run(`
      insert into drawn
      select ${place}, row, '${place} ' || customer_id, customer_id, cutoff, joined
      from scope
      where customer_id in (${edited.touched})`)
    await database.run(`insert into drawn_events ${renamed(edited.events, place)}`)
    await database.run(`insert into drawn_customers ${renamed(edited.customers, place)}`)
  }
  await database.run(`
    create or replace temp table drawn_spine as
    select (row_number() over (order by draw, customer) - 1)::integer as row, *
    from drawn`)
  const scoped: BehaviourRelations = {
    events: 'drawn_events',
    customers: 'drawn_customers',
    responses: renamedInAll(relations.responses),
    interventions: renamedInAll(relations.interventions),
    beginsOn: relations.beginsOn,
  }
  const frame = await readFeatures(database, {
    ...{ program, lake, catalogue: predictor.catalogue, relations: scoped, spine: 'drawn_spine' },
  })
  const found = await database.columns('select draw, customer from drawn_spine order by row')
  return {
    draw: Int32Array.from(found.draw as Float64Array),
    customer: Int32Array.from(found.customer as Float64Array),
    frame,
    contactsAvoided: await countAvoided(database, request),
  }
}

/** Rows of the customers who differ in a draw, under their names in it. */
function renamed(relation: string, place: number): string {
  return `
    select rows.* replace ('${place} ' || rows.customer_id as customer_id)
    from ${relation} as rows
    where rows.customer_id in (select own_id from drawn where draw = ${place})`
}

/** Rows of the customers who differ in any draw, under their names in each. */
function renamedInAll(relation: string): string {
  return `(
    select rows.* replace (drawn.customer_id as customer_id)
    from ${relation} as rows
    join drawn on drawn.own_id = rows.customer_id
  )`
}

/** Contacts as they are less contacts as they would be, while the changes are in force. */
async function countAvoided(
  database: Database,
  { asked, population, from, date, draws }: DrawRequest,
): Promise<number[]> {
  const { contact } = asked.program.meaning
  const isContact = `type in ${quoteTexts(contact)} and day > date ${quoteText(from)} and day <= date ${quoteText(date)}`
  const found = await database.rows<{ draw: number; contacts: number }>(`
    select draw, sum(contacts) as contacts
    from (
      select draw, count(*) as contacts
      from ${population.relations.events} as events
      join drawn on drawn.own_id = events.customer_id
      where ${isContact}
      group by draw
      union all
      select draw, -count(*) as contacts
      from drawn_events as events
      join drawn using (customer_id)
      where ${isContact}
      group by draw
    )
    group by draw`)
  const avoided = new Map(found.map(({ draw, contacts }) => [draw, contacts]))
  return draws.map((_, place) => avoided.get(place) ?? 0)
}
