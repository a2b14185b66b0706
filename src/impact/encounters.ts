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
  /** The row that each look back belongs to. [looks] */
  readonly encounterOf: Int32Array
  /** The rows of the customers looked at, in tables of their own. */
  readonly relations: BehaviourRelations
}

export interface EncounterRequest {
  readonly program: Program
  readonly relations: BehaviourRelations
  readonly types: readonly string[]
  /** What happens is looked at from days on that lie up to so many days after the encounter. */
  readonly windowDays: number
  /** Days behind those days that must be known. */
  readonly horizonDays: number
  /** Nothing after this day is known. */
  readonly asOf: Day
  /** Most days with events that are compared. */
  readonly mostExposed: number
  readonly seed: number
}

/** Days of others drawn for each of them. Some turn out not to have been there. */
const sparedForEach = 3
/** What goes before lies at most so many days back. */
const precursorDays = 7

/**
 * Finds encounters and, on days alike, customers who met nothing of the kind that day. Where another type of event goes
 * before most encounters, as a ticket before its reopening, most of those spared are drawn from the days after such.
 *
 * Makes the tables `encounters` (row, customer_id, cutoff, joined), cut at the end of the day before, and
 * `encounters_after` with the same columns, cut at days from which an event of the window would be looked back on: several
 * of each encounter, spread evenly over the window. All are of customers at risk at both cutoffs.
 */
export async function findEncounters(database: Database, request: EncounterRequest): Promise<Encounters> {
  await drawExposed(database, request)
  await drawSpared(database, request)
  const relations = await copyRows(database, request)
  await cutRows(database, { ...request, relations })
  const found = await database.columns(`
    select
      (met > 0)::integer as is_exposed,
      met,
      cutoff + 1 - date '1970-01-01' as day,
      dense_rank() over (order by customer_id) as customer
    from encounters
    order by row`)
  const looks = await database.columns('select encounter from encounters_after order by row')
  return {
    isExposed: Uint8Array.from(found.is_exposed as Float64Array),
    events: found.met as Float64Array,
    day: Int32Array.from(found.day as Float64Array),
    customer: Int32Array.from(found.customer as Float64Array),
    encounterOf: Int32Array.from(looks.encounter as Float64Array),
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
  { relations, types, windowDays, horizonDays, asOf, mostExposed, seed }: EncounterRequest,
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
    select distinct everybody.customer_id, drawn.day, (drawn.day - 1)::date as cutoff, place
    from (
      select day, place, ${drawnBy("customer_id || ' ' || day || ' ' || copy", seed)} % ${Math.max(1, customers)} as number
      from moments, range(${sparedForEach}) as copies(copy)
    ) as drawn
    join everybody using (number)`)
  const candidates = 'select customer_id, cutoff from drawn'
  await database.run(`
    create or replace temp table spared as
    select customer_id, day, place
    from drawn
    join (${selectAtRisk({ program, relations, candidates })}) using (customer_id, cutoff)`)
  const precursor = await findPrecursor(database, request)
  if (precursor !== null) await drawAlike(database, precursor, request)
  await database.run(`
    insert into moments
    select (select count(*) from moments) + row_number() over (order by customer_id, day) - 1, customer_id, day, 0
    from (select distinct customer_id, day from spared anti join met using (customer_id, day))`)
}

/**
 * For encounters shortly after what goes before them, puts days in place of random ones that come as long after such
 * events of others.
 */
async function drawAlike(
  database: Database,
  precursor: string,
  { relations, seed }: EncounterRequest,
): Promise<void> {
  await database.run(`
    create or replace temp table gaps as
    select place, gap, row_number() over (order by place) - 1 as number
    from (
      select place, (moments.day - max(earlier.day))::integer as gap
      from moments
      join ${relations.events} as earlier using (customer_id)
      where earlier.type = ${quoteText(precursor)}
        and earlier.day < moments.day and earlier.day >= moments.day - ${precursorDays}
      group by place, moments.day
    )`)
  await database.run('delete from spared where place in (select place from gaps)')
  const count = '(select count(*) from gaps)'
  await database.run(`
    insert into spared
    with precursors as (
      select customer_id, day, row_number() over (order by draw, customer_id, day) - 1 as number
      from (
        select distinct customer_id, day, ${drawnBy("customer_id || ' ' || day", seed)} as draw
        from ${relations.events}
        where type = ${quoteText(precursor)}
      )
      qualify number < ${sparedForEach} * ${count}
    )
    select precursors.customer_id, (precursors.day + gap)::date as day, place
    from precursors
    join gaps on gaps.number = precursors.number % ${count}`)
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

/** Days from which each encounter is looked back on, spread evenly over the window. */
const looksBack = 4

/** Makes the tables of rows, cut before and after. */
async function cutRows(
  database: Database,
  { program, relations, windowDays, horizonDays, asOf, seed }: EncounterRequest,
): Promise<void> {
  const draw = `${drawnBy("customer_id || ' lag ' || day", seed)} % 1000 / 1000`
  await database.run(`
    create or replace temp table looks as
    select
      customer_id,
      day,
      events,
      (day - 1)::date as before_cutoff,
      (day + floor((look + ${draw}) * ${windowDays} / ${looksBack})::integer)::date as after_cutoff
    from moments, range(${looksBack}) as looks(look)
    where after_cutoff <= date ${quoteText(asOf)} - ${horizonDays}`)
  const atRisk = (cutoff: string) =>
    selectAtRisk({ program, relations, candidates: `select customer_id, ${cutoff} as cutoff from looks` })
  await database.run(`
    create or replace temp table seen as
    select
      (dense_rank() over (order by looks.customer_id, looks.day) - 1)::integer as encounter,
      looks.*,
      earlier.joined as before_joined,
      later.joined as after_joined
    from looks
    join (${atRisk('before_cutoff')}) as earlier
      on earlier.customer_id = looks.customer_id and earlier.cutoff = looks.before_cutoff
    join (${atRisk('after_cutoff')}) as later
      on later.customer_id = looks.customer_id and later.cutoff = looks.after_cutoff`)
  await database.run(`
    create or replace temp table encounters as
    select distinct encounter as row, customer_id, events as met, before_cutoff as cutoff, before_joined as joined
    from seen`)
  await database.run(`
    create or replace temp table encounters_after as
    select
      (row_number() over (order by encounter, after_cutoff) - 1)::integer as row,
      encounter,
      customer_id,
      after_cutoff as cutoff,
      after_joined as joined
    from seen`)
}
