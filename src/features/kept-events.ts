import { addDays, type Day, daysBetween } from '../domain/days.ts'
import type { Program } from '../domain/program.ts'
import { type Database, quoteText, quoteTexts } from '../lake/database.ts'
import { type Catalogue, windowsDays } from './catalogue.ts'
import {
  aggregateTables,
  countMeasures,
  dayMeasures,
  isCounted,
  type Measure,
  propertyMeasures,
  propertyNames,
  type SeenEvents,
  valueMeasures,
} from './event-aggregates.ts'
import { terminalTypes } from './terminal-types.ts'

/**
 * What is known of all events at the end of a day, by customer and kind and by customer, as two relations. From one day
 * to a later one it is carried on by looking at a few days of events: those that came, and those that left a window.
 */
export interface KeptEvents {
  readonly date: Day
  /** Relation of (customer_id, kind, aggregates). */
  readonly kinds: string
  /** Relation of (customer_id, facts). */
  readonly customers: string
}

/** What is kept, and for which program: two programs, or catalogues, that differ in it keep other things. */
export interface Keeping {
  readonly program: Pick<Program, 'outcomes' | 'meaning' | 'value'>
  readonly catalogue: Catalogue
}

/** What is kept of each customer whatever the kind of event, over all rows, also those of excluded types and later days. */
function factMeasures({ program }: Keeping, date: Day): Measure[] {
  const { usage, contact, feedback } = program.meaning
  const terminal = quoteTexts(terminalTypes(program))
  const until = `day <= date ${quoteText(date)}`
  const within = (from: number, to: number) =>
    `${until} and day > date ${quoteText(addDays(date, -to))} and day <= date ${quoteText(addDays(date, -from))}`
  const count = (
    name: string,
    [from, to]: readonly [number, number],
    types: readonly string[] | null,
  ): Measure => ({
    name,
    sql: `count(*) filter (where ${within(from, to)} ${types === null ? '' : `and type in ${quoteTexts(types)}`})`,
    joins: 'sum',
  })
  const used = usage.length > 0 ? usage : null
  return [
    {
      name: 'first_dated',
      sql: `min(day) filter (where coalesce(type not in ${terminal}, true))`,
      joins: 'min',
    },
    { name: 'seen_until', sql: `max(day) filter (where ${until})`, joins: 'max' },
    { name: 'ended_at', sql: `max("at") filter (where ${until} and type in ${terminal})`, joins: 'max' },
    count('contacts_90', [0, 90], [...contact, ...feedback]),
    count('feedback_30', [0, 30], feedback),
    count('usage_30', [0, 30], used),
    count('usage_before_30', [30, 60], used),
    ...worthMeasures(program.value.annualValue, within),
  ]
}

/** Days over which a customer's worth is added up; null: it is no sum of events. */
function worthDays({ annualValue }: Keeping['program']['value']): number | null {
  return annualValue !== null && 'sumOf' in annualValue ? annualValue.days : null
}

function worthMeasures(
  annualValue: Keeping['program']['value']['annualValue'],
  within: (from: number, to: number) => string,
): Measure[] {
  if (annualValue === null || !('sumOf' in annualValue)) return []
  const where = `${within(0, annualValue.days)} and type in ${quoteTexts(annualValue.sumOf)}`
  return [{ name: 'worth', sql: `sum(value::decimal(18, 4)) filter (where ${where})`, joins: 'sum' }]
}

function kindMeasures({ catalogue }: Keeping): Measure[] {
  return [
    ...countMeasures,
    { name: 'days_all', sql: '', joins: 'sum' },
    ...(catalogue.valuedTypes.length > 0 ? valueMeasures : []),
    ...propertyNames(catalogue).flatMap((name) => propertyMeasures(catalogue, name)),
  ]
}

/** Facts of {@link KeptEvents.customers} on how many days a customer was active. */
export const keptDays = dayMeasures.map(({ name }) => name)

/** Works out from the events alone what is known at the end of a day. Tables are named with the prefix. */
export async function keepEvents(
  database: Database,
  keeping: Keeping,
  { events, date, prefix }: { events: string; date: Day; prefix: string },
): Promise<KeptEvents> {
  const { catalogue } = keeping
  const seen: SeenEvents = {
    catalogue,
    subject: 'customer_id',
    from: `${events} as events where day <= date ${quoteText(date)} and ${isCounted(catalogue)}`,
    age: `(date ${quoteText(date)} - day)::integer`,
  }
  const { activity_by_row: _, ...tables } = aggregateTables(seen)
  const names = Object.keys(tables)
  for (const [name, select] of Object.entries(tables))
    await database.run(`create or replace temp table ${name} as ${select}`)
  const kinds = `${prefix}_kinds`
  const customers = `${prefix}_customers`
  const own = names.filter((name) => name !== 'event_days' && name !== 'events_by_type')
  await database.run(`
    create or replace temp table ${kinds} as
    select customer_id, kind, ${pick(kindMeasures(keeping))}
    from events_by_type ${own.map((name) => `left join ${name} using (customer_id, kind)`).join(' ')}`)
  const facts = factMeasures(keeping, date)
  await database.run(`
    create or replace temp table ${customers} as
    select customer_id, ${pick([...facts, ...dayMeasures])}
    from (
      select customer_id, ${facts.map(({ name, sql }) => `${sql} as ${name}`).join(', ')}
      from ${events} as events
      group by customer_id
    )
    left join (
      select customer_id, ${dayMeasures.map(({ name, sql }) => `${sql} as ${name}`).join(', ')}
      from (select distinct customer_id, age from event_days)
      group by customer_id
    ) using (customer_id)`)
  for (const name of names) await database.run(`drop table ${name}`)
  return { date, kinds, customers }
}

/** Sums of nothing are 0, whichever way they came about. */
function pick(measures: readonly Measure[]): string {
  return measures
    .map(({ name, joins }) => (joins === 'sum' ? `coalesce(${name}, 0) as ${name}` : name))
    .join(', ')
}

/** Events as of the day before, and those that came since. */
export interface EventNews {
  readonly date: Day
  /** Relation of the events that are in what was kept. */
  readonly earlier: string
  /** Relation of those that are not; null: none. */
  readonly fresh: string | null
}

/** Beyond so many days that must be looked at again, all is worked out anew. */
const mostDays = 90

/** The days that tell what changes between two days; null: too many. */
export async function changedDays(
  database: Database,
  keeping: Keeping,
  { before, date, fresh }: { before: Day; date: Day; fresh: string | null },
): Promise<Day[] | null> {
  const edges = [0, 30, 60, 90, ...windowsDays, worthDays(keeping.program.value) ?? 0]
  const days = new Set<Day>()
  const passed = daysBetween(before, date)
  if (passed < 0 || passed > mostDays / 6) return null
  for (const edge of edges) for (let step = 1; step <= passed; step++) days.add(addDays(before, step - edge))
  if (fresh !== null) {
    const found = await database.rows<{ day: string }>(
      `select distinct day::varchar as day from ${fresh} limit ${mostDays + 1}`,
    )
    for (const { day } of found) days.add(day as Day)
  }
  return days.size > mostDays ? null : [...days].sort()
}

/**
 * Carries what was kept on to a later day, or to events that came late: what the days in question say now, in place of
 * what they said then. Sums are exact, so that it makes no difference in what order they came about.
 */
export async function carryOn(
  database: Database,
  keeping: Keeping,
  { kept, news, days }: { kept: KeptEvents; news: EventNews; days: readonly Day[] },
): Promise<KeptEvents> {
  const { earlier, fresh, date } = news
  const isOfDays =
    days.length === 0 ? 'false' : `day in (${days.map((day) => `date ${quoteText(day)}`).join(', ')})`
  await database.run(
    `create or replace temp table earlier_days as select * from ${earlier} where ${isOfDays}`,
  )
  const all = fresh === null ? 'earlier_days' : `(from earlier_days union all by name from ${fresh})`
  const gone = await keepEvents(database, keeping, {
    events: 'earlier_days',
    date: kept.date,
    prefix: 'gone',
  })
  const now = await keepEvents(database, keeping, { events: all, date, prefix: 'now' })
  await database.run('drop table earlier_days')
  const facts = [...factMeasures(keeping, date), ...dayMeasures]
  const join = (part: 'kinds' | 'customers', keys: string, measures: readonly Measure[]) => `
    select * from ${kept[part]} anti join ${now[part]} using (${keys})
    union all by name
    select ${keys}, ${measures.map(joined).join(', ')}
    from ${now[part]} as now
    left join ${kept[part]} as kept using (${keys})
    left join ${gone[part]} as gone using (${keys})`
  return {
    date,
    kinds: `(${join('kinds', 'customer_id, kind', kindMeasures(keeping))})`,
    customers: `(${join('customers', 'customer_id', facts)})`,
  }
}

function joined({ name, joins, moment }: Measure): string {
  switch (joins) {
    case 'sum':
      return `coalesce(kept.${name}, 0) - coalesce(gone.${name}, 0) + now.${name} as ${name}`
    case 'min':
      return `least(kept.${name}, now.${name}) as ${name}`
    case 'max':
      return `greatest(kept.${name}, now.${name}) as ${name}`
    case 'last':
      return `case when kept.${moment} is null or now.${moment} > kept.${moment} then now.${name} else kept.${name} end as ${name}`
  }
}
