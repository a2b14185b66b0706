import { quoteName, quoteText, quoteTexts } from '../lake/database.ts'
import { type Catalogue, windowsDays } from './catalogue.ts'

/** What a behaviour query reads: a relation of events with `day`, and one of (row, customer_id, cutoff). */
export interface EventSource {
  readonly events: string
  readonly spine: string
  /** Event types whose own features are wanted. Absent: all. */
  readonly eventTypes?: ReadonlySet<string>
}

/** Alias under which the aggregates of a type are joined; null: the pool of the types without their own. */
export function typeAlias(catalogue: Catalogue, type: string | null): string {
  return `event_${kindOf(catalogue, type)}`
}

function kindOf({ eventTypes }: Catalogue, type: string | null): number {
  return type === null ? 0 : eventTypes.indexOf(type) + 1
}

/** Whether a type's own features are wanted; null: those of the pool of types without. */
export function isWantedType({ eventTypes }: Catalogue, source: EventSource, type: string | null): boolean {
  if (source.eventTypes === undefined) return true
  return type === null
    ? [...source.eventTypes].some((wanted) => !eventTypes.includes(wanted))
    : source.eventTypes.has(type)
}

/** Names of the properties that any feature needs: the place in this list names their aggregates. */
export function propertyNames(catalogue: Catalogue): string[] {
  return [...new Set(catalogue.properties.map(({ property }) => property))]
}

/**
 * The events seen from each spine row, excluded types left out. `kind` is the place of the type in the catalogue, from
 * 1, or 0; `age` is 0 on the cutoff's own day; `moment` orders events without ties.
 */
function selectSeen(
  catalogue: Catalogue,
  { events, spine }: EventSource,
  columns: readonly string[],
): string {
  const { eventTypes, excluded } = catalogue
  return `
    select
      row,
      coalesce(list_position([${eventTypes.map(quoteText).join(', ')}]::varchar[], type), 0)::usmallint as kind,
      (cutoff - day)::integer as age
      ${columns.map((column) => `,\n      ${column}`).join('')}
    from ${spine} as spine
    join ${events} as events using (customer_id)
    where day <= cutoff ${excluded.length === 0 ? '' : `and type not in ${quoteTexts(excluded)}`}`
}

function isWantedKind(catalogue: Catalogue, source: EventSource): string {
  if (source.eventTypes === undefined) return 'true'
  const kinds = [...catalogue.eventTypes, null]
    .filter((type) => isWantedType(catalogue, source, type))
    .map((type) => kindOf(catalogue, type))
  return kinds.length === 0 ? 'false' : `kind in (${kinds.join(', ')})`
}

/** How many events of each kind each spine row's customer had on each day with any. */
export function eventsByDay(catalogue: Catalogue, source: EventSource): string {
  return `
    select row, kind, age, count(*) as events
    from (${selectSeen(catalogue, source, [])})
    group by row, kind, age`
}

/** Counts and rhythm by spine row and kind of event, from `events_by_day`. */
export function eventsByType(catalogue: Catalogue, source: EventSource): string {
  const counts = windowsDays.map(
    (days) => `sum(events) filter (where age < ${days})::bigint as count_${days}`,
  )
  return `
    select
      row,
      kind,
      ${counts.join(',\n      ')},
      sum(events) filter (where age between 30 and 59)::bigint as count_before_30,
      sum(events)::bigint as count_all,
      count(*) as days_all,
      max(age) as first_age,
      min(age) as last_age
    from events_by_day
    where ${isWantedKind(catalogue, source)}
    group by row, kind`
}

/** Values and properties by spine row and kind of event. Sums are decimals, so that they are exact whatever the order. */
export function amountsByType(catalogue: Catalogue, source: EventSource): string {
  const columns = ['epoch_us("at")::hugeint * 18446744073709551616 + row_id as moment']
  const measures: string[] = []
  if (catalogue.valuedTypes.length > 0) {
    columns.push('value', 'value::decimal(18, 4) as amount')
    measures.push(
      ...windowsDays.map((days) => `sum(amount) filter (where age < ${days}) as value_${days}`),
      'count(amount) as valued_all',
      'sum(amount) as value_all',
      'arg_max(value, moment) as value_last',
    )
  }
  for (const [index, name] of propertyNames(catalogue).entries()) {
    const kind = catalogue.properties.find(({ property }) => property === name)?.kind
    columns.push(`${quoteName(`prop_${name}`)} as property_${index}`)
    measures.push(`arg_max(property_${index}, moment) as last_${index}`)
    if (kind === 'category') continue
    columns.push(`try_cast(property_${index} as decimal(18, 4)) as amount_${index}`)
    measures.push(
      `sum(amount_${index}) / count(amount_${index}) as mean_${index}`,
      `sum(amount_${index}) filter (where age < 90) / count(amount_${index}) filter (where age < 90) as mean_90_${index}`,
    )
  }
  return `
    select ${['row', 'kind', ...measures].join(',\n      ')}
    from (${selectSeen(catalogue, source, columns)})
    where ${isWantedKind(catalogue, source)}
    group by row, kind`
}

/** Activity of any type by spine row, from `events_by_day`: which days were active. */
export const activityByRow = `
    select *
    from (
      select
        row,
        sum(events) filter (where age < 30)::bigint as count_30,
        sum(events) filter (where age between 30 and 59)::bigint as count_before_30,
        count(*) filter (where age < 30) as days_30,
        count(*) filter (where age < 90) as days_90,
        count(*) as days_all,
        max(age) as first_age,
        min(age) as last_age
      from (select row, age, sum(events) as events from events_by_day group by row, age)
      group by row
    )
    left join (
      select row, count(*) as types_90
      from (select distinct row, kind from events_by_day where age < 90)
      group by row
    ) using (row)`
