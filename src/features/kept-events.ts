import { addDays, type Day, daysBetween } from '../domain/days.ts'
import { type Database, quoteName, quoteText } from '../lake/database.ts'
import { ActiveDays } from './active-days.ts'
import { windowsDays } from './catalogue.ts'
import { type Measure, propertyNames } from './event-aggregates.ts'
import { customerMeasures, type Keeping, kindMeasures, worthDays } from './kept-columns.ts'
import {
  ageOn,
  type DayEvents,
  selectCustomers,
  selectKinds,
  selectOlderDays,
  selectSumsByClass,
} from './kept-parts.ts'

/**
 * What is known of all events at the end of a day, by customer and kind and by customer, as relations. From one day to a
 * later one it is carried on by looking at a few days of events: those that came, and those that left a window.
 */
export interface KeptEvents {
  readonly date: Day
  /** Relation of (customer_id, facts). */
  readonly customers: string
  /** Tables of sums by kind → relation of (customer_id, kind, sums). */
  readonly kinds: Readonly<Record<string, string>>
}

export interface KeptDay {
  /** Relation of events. */
  readonly events: string
  readonly date: Day
  /** Of the names of tables. */
  readonly prefix: string
  /** See {@link ActiveDays}. */
  readonly mostWords?: number
}

/** Works out from the events alone what is known at the end of a day. */
export async function keepEvents(
  database: Database,
  keeping: Keeping,
  { events, date, prefix, mostWords }: KeptDay,
): Promise<KeptEvents> {
  const { oldest } = await database.row<{ oldest: number | null }>(
    `select ${ageOn(date, 'min(day)')} as oldest from ${events} as events where day <= date ${quoteText(date)}`,
  )
  const days = new ActiveDays((oldest ?? 0) + 1, mostWords)
  const table = (name: string) => `${prefix}_${name}`
  const create = async (name: string, select: string) => {
    await database.run(`create or replace temp table ${table(name)} as ${select}`)
    return table(name)
  }
  const older = (oldest ?? 0) < days.span ? null : table('older_days')
  const seen: DayEvents = { keeping, events, date, days, byClass: table('sums_by_class'), older }
  await create('sums_by_class', selectSumsByClass(seen))
  if (older !== null) await create('older_days', selectOlderDays(seen))
  const kinds: Record<string, string> = {}
  for (const [name, select] of Object.entries(selectKinds(seen))) kinds[name] = await create(name, select)
  const customers = await create('customers', selectCustomers(seen))
  await database.run(`drop table ${seen.byClass}`)
  if (older !== null) await database.run(`drop table ${older}`)
  return { date, customers, kinds }
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
  const wanted = eventColumns(keeping).map(quoteName).join(', ')
  await database.run(
    `create or replace temp table earlier_days as select ${wanted} from ${earlier} where ${isOfDays}`,
  )
  const all =
    fresh === null ? 'earlier_days' : `(from earlier_days union all by name select ${wanted} from ${fresh})`
  const gone = await keepEvents(database, keeping, {
    events: 'earlier_days',
    date: kept.date,
    prefix: 'gone',
  })
  const now = await keepEvents(database, keeping, { events: all, date, prefix: 'now' })
  const join = (own: (of: KeptEvents) => string, keys: string, measures: readonly Measure[]) => `(
    select * from ${own(kept)} anti join ${own(now)} using (${keys})
    union all by name
    select ${keys}, ${measures.map(joined).join(', ')}
    from ${own(now)} as now
    left join ${own(kept)} as kept using (${keys})
    left join ${own(gone)} as gone using (${keys}))`
  const kinds = Object.entries(kindMeasures(keeping.catalogue)).map(([name, measures]) => [
    name,
    join((of) => of.kinds[name], 'customer_id, kind', measures),
  ])
  return {
    date,
    customers: join((of) => of.customers, 'customer_id', customerMeasures(keeping)),
    kinds: Object.fromEntries(kinds),
  }
}

/** What is looked at of events. */
function eventColumns({ catalogue }: Keeping): string[] {
  const properties = propertyNames(catalogue).map((name) => `prop_${name}`)
  return ['customer_id', 'at', 'day', 'type', 'value', 'row_id', ...properties]
}

function joined({ name, joins, moment }: Measure): string {
  switch (joins) {
    case 'count':
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
