import { quoteName, quoteText, quoteTexts } from '../lake/database.ts'
import { type Catalogue, windowsDays } from './catalogue.ts'

/** What a behaviour query reads: a relation of events with `day`, and one of (row, customer_id, cutoff). */
export interface EventSource {
  readonly events: string
  readonly spine: string
  /** Event types whose own features are wanted. Absent: all. */
  readonly eventTypes?: ReadonlySet<string>
}

/** Events as they are seen from some days, to be added up. Excluded types are left out. */
export interface SeenEvents {
  readonly catalogue: Catalogue
  /** What sums are made by: a row of the spine, or a customer. */
  readonly subject: 'row' | 'customer_id'
  /** SQL behind `from`, with the condition that they are seen. */
  readonly from: string
  /** SQL of how many days ago, 0 on the cutoff's own day. */
  readonly age: string
  /** Event types whose own values and properties are wanted. Absent: all. */
  readonly eventTypes?: ReadonlySet<string>
}

/** The events that each spine row's customer had until its cutoff. */
export function seenFromSpine(catalogue: Catalogue, source: EventSource): SeenEvents {
  return {
    catalogue,
    subject: 'row',
    from: `${source.spine} as spine join ${source.events} as events using (customer_id) where day <= cutoff and ${isCounted(catalogue)}`,
    age: '(cutoff - day)::integer',
    ...(source.eventTypes && { eventTypes: source.eventTypes }),
  }
}

/** SQL: whether an event's type is none of those left out. */
export function isCounted({ excluded }: Catalogue): string {
  return excluded.length === 0 ? 'true' : `type not in ${quoteTexts(excluded)}`
}

/** Alias under which the aggregates of a type are joined; null: the pool of the types without their own. */
export function typeAlias(catalogue: Catalogue, type: string | null): string {
  return `event_${kindOf(catalogue, type)}`
}

/** The place of a type in the catalogue, from 1; 0: the pool. */
export function kindOf({ eventTypes }: Catalogue, type: string | null): number {
  return type === null ? 0 : eventTypes.indexOf(type) + 1
}

/** Whether a type's own features are wanted; null: those of the pool of types without. */
export function isWantedType(
  { eventTypes }: Catalogue,
  source: Pick<EventSource, 'eventTypes'>,
  type: string | null,
): boolean {
  if (source.eventTypes === undefined) return true
  return type === null
    ? [...source.eventTypes].some((wanted) => !eventTypes.includes(wanted))
    : source.eventTypes.has(type)
}

/** Names of the properties that any feature needs: the place in this list names their aggregates. */
export function propertyNames(catalogue: Catalogue): string[] {
  return [...new Set(catalogue.properties.map(({ property }) => property))]
}

/** Scratch table of a property's aggregates. */
export function propertyTable(catalogue: Catalogue, property: string): string {
  return `property_${propertyNames(catalogue).indexOf(property)}`
}

/**
 * A column of aggregates, and how those of earlier and later events make one: added up, which makes whole numbers of
 * counts, or the last one counts.
 */
export interface Measure {
  readonly name: string
  readonly sql: string
  readonly joins: 'count' | 'sum' | 'min' | 'max' | 'last'
  /** Of `last`: the column that tells which is later. */
  readonly moment?: string
}

const kindSql = ({ eventTypes }: Catalogue) =>
  `coalesce(list_position([${eventTypes.map(quoteText).join(', ')}]::varchar[], type), 0)::usmallint as kind`

/** Orders events without ties. */
const momentSql = 'epoch_us("at")::hugeint * 18446744073709551616 + row_id'

function sum(name: string, sql: string): Measure {
  return { name, sql, joins: 'sum' }
}

function count(name: string, sql: string): Measure {
  return { name, sql, joins: 'count' }
}

/** Counts by subject and kind, with the first and the last day. */
export const countMeasures: readonly Measure[] = [
  ...windowsDays.map((days) => count(`count_${days}`, `count(*) filter (where age < ${days})`)),
  count('count_before_30', 'count(*) filter (where age between 30 and 59)'),
  count('count_all', 'count(*)'),
  { name: 'first_day', sql: 'min(day)', joins: 'min' },
  { name: 'last_day', sql: 'max(day)', joins: 'max' },
]

/** Sums of values. They are decimals, so that they are exact whatever the order. */
export const valueMeasures: readonly Measure[] = [
  ...windowsDays.map((days) => sum(`value_${days}`, `sum(amount) filter (where age < ${days})`)),
  count('valued_all', 'count(amount)'),
  sum('value_all', 'sum(amount)'),
  { name: 'value_last', sql: 'arg_max(value, moment)', joins: 'last', moment: 'value_moment' },
  { name: 'value_moment', sql: 'max(moment)::decimal(38, 0)', joins: 'max' },
]

/** Of one property; a category has only a last value. */
export function propertyMeasures(catalogue: Catalogue, property: string): Measure[] {
  const index = propertyNames(catalogue).indexOf(property)
  const kind = catalogue.properties.find((reference) => reference.property === property)?.kind
  const last: Measure[] = [
    { name: `last_${index}`, sql: 'arg_max(property, moment)', joins: 'last', moment: `moment_${index}` },
    { name: `moment_${index}`, sql: 'max(moment)::decimal(38, 0)', joins: 'max' },
  ]
  if (kind === 'category') return last
  return [
    ...last,
    sum(`sum_${index}`, 'sum(amount)'),
    count(`counted_${index}`, 'count(amount)'),
    sum(`sum_90_${index}`, 'sum(amount) filter (where age < 90)'),
    count(`counted_90_${index}`, 'count(amount) filter (where age < 90)'),
  ]
}

/** The scratch tables of aggregates, in the order in which they are made: name → select. */
export function aggregateTables(seen: SeenEvents): Record<string, string> {
  return {
    event_days: activeDays(seen),
    events_by_type: countsByType(seen),
    ...amountTables(seen),
    activity_by_row: activity(seen),
  }
}

/**
 * Those of values and properties. Rows are looked at once for each: those without a value or a property, most of them,
 * are not carried through sums over it.
 */
export function amountTables(seen: SeenEvents): Record<string, string> {
  const { catalogue } = seen
  const properties = propertyNames(catalogue).map((name): [string, string] => [
    propertyTable(catalogue, name),
    propertySums(seen, name),
  ])
  return {
    ...(catalogue.valuedTypes.length > 0 && { values_by_type: valueSums(seen) }),
    ...Object.fromEntries(properties),
  }
}

/** On which days each subject had events of each kind. */
function activeDays({ catalogue, subject, from, age }: SeenEvents): string {
  return `select distinct ${subject}, ${kindSql(catalogue)}, ${age} as age from ${from}`
}

function countsByType({ catalogue, subject, from, age }: SeenEvents): string {
  return `
    select *
    from (
      select ${subject}, kind, ${listed(countMeasures)}
      from (select ${subject}, ${kindSql(catalogue)}, ${age} as age, day from ${from})
      group by ${subject}, kind
    )
    join (
      select ${subject}, kind, count(*) as days_all from event_days group by ${subject}, kind
    ) using (${subject}, kind)`
}

function valueSums({ catalogue, subject, from, age, eventTypes }: SeenEvents): string {
  const types = catalogue.valuedTypes.filter((type) => eventTypes?.has(type) ?? true)
  return `
    select ${subject}, kind, ${listed(valueMeasures)}
    from (
      select ${subject}, ${kindSql(catalogue)}, ${age} as age, value, value::decimal(18, 4) as amount, ${momentSql} as moment
      from ${from} and value is not null and type in ${quoteTexts(types)}
    )
    group by ${subject}, kind`
}

function propertySums({ catalogue, subject, from, age, eventTypes }: SeenEvents, property: string): string {
  const own = catalogue.properties.filter((reference) => reference.property === property)
  const types = own.map(({ type }) => type).filter((type) => eventTypes?.has(type) ?? true)
  const column = quoteName(`prop_${property}`)
  const amount = own[0].kind === 'category' ? '' : `, try_cast(${column} as decimal(18, 4)) as amount`
  return `
    select ${subject}, kind, ${listed(propertyMeasures(catalogue, property))}
    from (
      select ${subject}, ${kindSql(catalogue)}, ${age} as age, ${column} as property, ${momentSql} as moment ${amount}
      from ${from} and ${column} is not null and type in ${quoteTexts(types)}
    )
    group by ${subject}, kind`
}

/** Which days each row's customer was active on, whatever it did; counts over all kinds come from those by kind. */
function activity({ subject }: SeenEvents): string {
  return `
    select *
    from (
      select
        ${subject},
        sum(count_30)::bigint as count_30,
        sum(count_before_30)::bigint as count_before_30,
        count(*) filter (where count_90 > 0) as types_90,
        min(first_day) as first_day,
        max(last_day) as last_day
      from events_by_type
      group by ${subject}
    )
    join (
      select
        ${subject},
        count(*) filter (where age < 30) as days_30,
        count(*) filter (where age < 90) as days_90,
        count(*) as days_all
      from (select distinct ${subject}, age from event_days)
      group by ${subject}
    ) using (${subject})`
}

/** SQL: a list of measures, each by its name. */
export function listed(measures: readonly Measure[]): string {
  return measures.map(({ name, sql }) => `${sql} as ${name}`).join(', ')
}
