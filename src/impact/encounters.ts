import type { Day } from '../domain/days.ts'
import type { Program } from '../domain/program.ts'
import type { BehaviourRelations } from '../features/features.ts'
import { selectAtRisk, selectEverybody } from '../features/population.ts'
import { type Database, quoteText, quoteTexts } from '../lake/database.ts'

/** Days on which customers met events of some types, and days on which others might have. **Shape** all [rows]. */
export interface Encounters {
  readonly isExposed: Uint8Array
  /** Events of the types met on the day; 0 for those spared. */
  readonly events: Float64Array
  /** The day, in days since 1970-01-01. */
  readonly day: Int32Array
  /** Rows of one customer share a number. */
  readonly customer: Int32Array
  /** The rows of the customers looked at, in tables of their own. */
  readonly relations: BehaviourRelations
}

export interface EncounterRequest {
  readonly program: Program
  readonly relations: BehaviourRelations
  readonly types: readonly string[]
  /** What happens is looked at from a day on that lies up to so many days after the encounter. */
  readonly windowDays: number
  /** Fewest days behind that day that must be known. */
  readonly horizonDays: number
  /** Nothing after this day is known. */
  readonly asOf: Day
  readonly seed: number
}

/** Most days with events that are looked at. */
const mostExposed = 2500
/** Days of others for each of them: at random, of whom many were not there, and shortly after what goes before. */
const sparedAtRandom = 3
const sparedAlike = 2
/** What goes before lies at most so many days back. */
const precursorDays = 7

/**
 * Finds encounters and, on days alike, customers who met nothing of the kind that day. Where another type of event goes
 * before most encounters, as a ticket before its reopening, most of those spared are drawn from the days after such.
 *
 * Makes the tables `encounters_before` (row, customer_id, cutoff, joined), cut at the end of the day before the
 * encounter, and `encounters_after`, cut where an event of the window would be looked back on: at a day drawn evenly
 * from the window. Both hold the same rows, those of customers at risk at both cutoffs.
 */
export async function findEncounters(database: Database, request: EncounterRequest): Promise<Encounters> {
  await drawExposed(database, request)
  await drawSpared(database, request)
  const relations = await copyRows(database, request)
  await cutRows(database, { ...request, relations })
  const found = await database.columns(`
    select
      (events > 0)::integer as is_exposed,
      events,
      day - date '1970-01-01' as day,
      dense_rank() over (order by customer_id) as customer
    from encounters
    order by row`)
  return {
    isExposed: Uint8Array.from(found.is_exposed as Float64Array),
    events: found.events as Float64Array,
    day: Int32Array.from(found.day as Float64Array),
    customer: Int32Array.from(found.customer as Float64Array),
    relations,
  }
}

/** A number from 0 on drawn by what SQL gives as text. */
function drawnBy(text: string, seed: number): string {
  return `md5_number_upper(${text} || ' ${seed}')`
}

/** Makes the tables `met`, all days with events, and `moments`, a sample of them. */
async function drawExposed(
  database: Database,
  { relations, types, windowDays, horizonDays, asOf, seed }: EncounterRequest,
): Promise<void> {
  // Of the first days little is known before that could be adjusted for.
  await database.run(`
    create or replace temp table met as
    select customer_id, day, count(*) as events
    from ${relations.events}
    where type in ${quoteTexts(types)} and day <= date ${quoteText(asOf)} - ${horizonDays}
      and day > (select min(day) from ${relations.events}) + ${windowDays}
    group by customer_id, day`)
  await database.run(`
    create or replace temp table moments as
    select (row_number() over (order by draw, customer_id, day) - 1)::integer as place, customer_id, day, events
    from (select *, ${drawnBy("customer_id || ' ' || day", seed)} as draw from met)
    qualify place < ${mostExposed}`)
}

/** Adds days on which nothing was met to `moments`: at random, then shortly after what goes before encounters. */
async function drawSpared(database: Database, request: EncounterRequest): Promise<void> {
  const { program, relations, seed } = request
  await database.run(`
    create or replace temp table everybody as
    select customer_id, row_number() over (order by customer_id) - 1 as number
    from (${selectEverybody(relations)})`)
  const { customers } = await database.row<{ customers: number }>(
    'select count(*) as customers from everybody',
  )
  await database.run(`
    create or replace temp table drawn as
    select distinct everybody.customer_id, drawn.day, (drawn.day - 1)::date as cutoff
    from (
      select day, ${drawnBy("customer_id || ' ' || day || ' ' || copy", seed)} % ${Math.max(1, customers)} as number
      from moments, range(${sparedAtRandom}) as copies(copy)
    ) as drawn
    join everybody using (number)`)
  const candidates = 'select customer_id, cutoff from drawn'
  await database.run(`
    create or replace temp table spared as
    select customer_id, day
    from drawn
    join (${selectAtRisk({ program, relations, candidates })}) using (customer_id, cutoff)`)
  const precursor = await findPrecursor(database, request)
  if (precursor !== null)
    await database.run(`
      insert into spared
      with gaps as (
        select place, moments.day - max(earlier.day) as gap
        from moments
        join ${relations.events} as earlier using (customer_id)
        where earlier.type = ${quoteText(precursor)}
          and earlier.day < moments.day and earlier.day >= moments.day - ${precursorDays}
        group by place, moments.day
      ),
      numbered_gaps as (select gap, row_number() over (order by place) - 1 as number from gaps),
      precursors as (
        select customer_id, day, row_number() over (order by draw, customer_id, day) - 1 as number
        from (
          select distinct customer_id, day, ${drawnBy("customer_id || ' ' || day", seed)} as draw
          from ${relations.events}
          where type = ${quoteText(precursor)}
        )
        qualify number < ${sparedAlike} * (select count(*) from gaps)
      )
      select precursors.customer_id, (precursors.day + gap::integer)::date as day
      from precursors
      join numbered_gaps on numbered_gaps.number = precursors.number % (select count(*) from gaps)`)
  await database.run(`
    insert into moments
    select (select count(*) from moments) + row_number() over (order by customer_id, day) - 1, customer_id, day, 0
    from (select distinct customer_id, day from spared anti join met using (customer_id, day))`)
}

/** At least this share of encounters must come after a type of event, and so many times as often as at random. */
const fewestAfter = 0.3
const timesAsOften = 2

/** The type of event that goes before encounters far more often than before other days; null where there is none. */
async function findPrecursor(
  database: Database,
  { relations, types }: EncounterRequest,
): Promise<string | null> {
  const share = (table: string) => `
    select type, count(distinct (customer_id, ${table}.day)) / (select count(*) from ${table}) as share
    from ${table}
    join ${relations.events} as earlier using (customer_id)
    where earlier.day < ${table}.day and earlier.day >= ${table}.day - ${precursorDays}
      and type not in ${quoteTexts(types)}
    group by type`
  const [found] = await database.rows<{ type: string }>(`
    select type
    from (${share('moments')}) as own
    left join (${share('spared')}) as others using (type)
    where own.share >= ${fewestAfter} and own.share >= ${timesAsOften} * coalesce(others.share, 0)
    order by own.share / greatest(coalesce(others.share, 0), 0.001) desc, type
    limit 1`)
  return found?.type ?? null
}

/** Copies all rows of the customers looked at, since much is read of them. */
async function copyRows(database: Database, { relations }: EncounterRequest): Promise<BehaviourRelations> {
  for (const name of ['events', 'customers', 'responses', 'interventions'] as const)
    await database.run(`
      create or replace temp table encounter_${name} as
      select * from ${relations[name]} as rows where customer_id in (select customer_id from moments)`)
  return {
    events: 'encounter_events',
    customers: 'encounter_customers',
    responses: 'encounter_responses',
    interventions: 'encounter_interventions',
    beginsOn: relations.beginsOn,
  }
}

/** Makes the tables of rows, cut before and after. */
async function cutRows(
  database: Database,
  { program, relations, windowDays, horizonDays, asOf, seed }: EncounterRequest,
): Promise<void> {
  await database.run(`
    create or replace temp table cut_moments as
    select
      customer_id,
      day,
      events,
      (day - 1)::date as before_cutoff,
      (day + (${drawnBy("customer_id || ' lag ' || day", seed)} % ${windowDays})::integer)::date as after_cutoff
    from moments
    where after_cutoff <= date ${quoteText(asOf)} - ${horizonDays}`)
  const atRisk = (cutoff: string) =>
    selectAtRisk({
      program,
      relations,
      candidates: `select customer_id, ${cutoff} as cutoff from cut_moments`,
    })
  await database.run(`
    create or replace temp table encounters as
    select
      (row_number() over (order by rows.customer_id, rows.day) - 1)::integer as row,
      rows.*,
      earlier.joined as before_joined,
      later.joined as after_joined
    from cut_moments as rows
    join (${atRisk('before_cutoff')}) as earlier
      on earlier.customer_id = rows.customer_id and earlier.cutoff = rows.before_cutoff
    join (${atRisk('after_cutoff')}) as later
      on later.customer_id = rows.customer_id and later.cutoff = rows.after_cutoff`)
  for (const name of ['before', 'after'])
    await database.run(`
      create or replace temp table encounters_${name} as
      select row, customer_id, ${name}_cutoff as cutoff, ${name}_joined as joined from encounters order by row`)
}
