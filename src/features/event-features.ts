import { quoteName, quoteText } from '../lake/database.ts'
import { type Catalogue, type FeatureColumn, type PropertyRef, windowsDays } from './catalogue.ts'

/** Name under which the types without features of their own are pooled. */
export const otherTypes = 'other_events'

/** Types that have features: the catalogue's own and, where there are others, their pool. */
export function featuredTypes(catalogue: Catalogue): string[] {
  return catalogue.hasOtherTypes ? [...catalogue.eventTypes, otherTypes] : [...catalogue.eventTypes]
}

/**
 * Long aggregates: one row a spine row and event type. Sums are decimals, so that they are exact whatever the order.
 *
 * @param events relation of events, with `day`; @param spine relation of (row, customer_id, cutoff).
 */
export function eventAggregates(
  catalogue: Catalogue,
  { events, spine }: { events: string; spine: string },
): string {
  const own = catalogue.eventTypes.map(quoteText).join(', ') || "''"
  const measures = windowsDays.flatMap((days) => [
    `count(*) filter (where day > cutoff - ${days}) as count_${days}`,
    `sum(value::decimal(18, 4)) filter (where day > cutoff - ${days}) as value_${days}`,
  ])
  return `
    select
      row,
      case when type in (${own}) then type else ${quoteText(otherTypes)} end as type,
      ${measures.join(',\n      ')},
      count(*) filter (where day > cutoff - 60 and day <= cutoff - 30) as count_before_30,
      count(*) as count_all,
      count(value) as valued_all,
      sum(value::decimal(18, 4)) as value_all,
      arg_max(value, ("at", row_id)) as value_last,
      count(distinct day) as days_all,
      count(distinct day) filter (where day > cutoff - 90) as days_90,
      min(day) as first_day,
      max(day) as last_day
      ${catalogue.properties.flatMap(propertyMeasures).join('')}
    from ${spine} as spine
    join ${events} as events
      using (customer_id)
    where day <= cutoff
    group by all`
}

/** Column names of a property's aggregates: unique whatever the property is called. */
function propertyName(reference: PropertyRef, measure: string): string {
  return quoteName(`${reference.type}.${reference.property} ${measure}`)
}

function propertyMeasures(reference: PropertyRef): string[] {
  const column = quoteName(`prop_${reference.property}`)
  const isType = `type = ${quoteText(reference.type)}`
  const last = `,\n      arg_max(${column}, ("at", row_id)) filter (where ${isType} and ${column} is not null) as ${propertyName(reference, 'last')}`
  if (reference.kind === 'category' || reference.kind === 'time') return [last]
  const number = reference.kind === 'boolean' ? `${column}::integer` : `try_cast(${column} as decimal(18, 4))`
  return [
    last,
    `,\n      sum(${number}) filter (where ${isType}) / count(${number}) filter (where ${isType}) as ${propertyName(reference, 'mean')}`,
    `,\n      sum(${number}) filter (where ${isType} and day > cutoff - 90) / count(${number}) filter (where ${isType} and day > cutoff - 90) as ${propertyName(reference, 'mean 90')}`,
  ]
}

/** Features of each event type, as expressions over {@link eventAggregates} grouped by spine row. */
export function eventColumns(catalogue: Catalogue): FeatureColumn[] {
  return [
    ...featuredTypes(catalogue).flatMap((type) => typeColumns(catalogue, type)),
    ...catalogue.properties.flatMap(propertyColumns),
  ]
}

function typeColumns(catalogue: Catalogue, type: string): FeatureColumn[] {
  const words = type.replaceAll('_', ' ')
  const of = (measure: string) => `max(${measure}) filter (where type = ${quoteText(type)})`
  const begin = catalogue.beginsOn[type] ?? catalogue.eventsBeginOn ?? '1970-01-01'
  const known = (days: number, sql: string) =>
    `case when any_value(spine_cutoff) - ${days - 1} >= date '${begin}' then ${sql} end`
  const feature = (name: string, unit: string, more: { words: string; windowDays?: number }) =>
    ({
      name: `${type}_${name}`,
      kind: 'number',
      unit,
      windowDays: more.windowDays ?? null,
      words: more.words,
      origin: type,
    }) as const
  const columns: FeatureColumn[] = windowsDays.map((days) => ({
    feature: feature(`count_${days}`, 'events', {
      words: `${words}: how many in the last ${days} days`,
      windowDays: days,
    }),
    sql: known(days, `coalesce(${of(`count_${days}`)}, 0)`),
  }))
  columns.push(
    {
      feature: feature('count_all', 'events', { words: `${words}: how many ever` }),
      sql: `coalesce(${of('count_all')}, 0)`,
    },
    {
      feature: feature('days_since', 'days', { words: `${words}: days since the last one` }),
      sql: `any_value(spine_cutoff) - ${of('last_day')}`,
    },
    {
      feature: feature('days_since_first', 'days', { words: `${words}: days since the first one` }),
      sql: `any_value(spine_cutoff) - ${of('first_day')}`,
    },
    { feature: feature('gap', 'days', { words: `${words}: typical days between two` }), sql: gapSql(of) },
    {
      feature: feature('overdue', 'gaps', {
        words: `${words}: how overdue the next one is, in typical gaps`,
      }),
      sql: `(any_value(spine_cutoff) - ${of('last_day')}) / nullif(${gapSql(of)}, 0)`,
    },
    {
      feature: feature('trend', 'log ratio', {
        words: `${words}: last 30 days against the 30 before`,
        windowDays: 60,
      }),
      sql: known(
        60,
        `ln((coalesce(${of('count_30')}, 0) + 0.5) / (coalesce(${of('count_before_30')}, 0) + 0.5))`,
      ),
    },
    {
      feature: feature('trend_90', 'log ratio', {
        words: `${words}: last 30 days against the last 90`,
        windowDays: 90,
      }),
      sql: known(
        90,
        `ln((coalesce(${of('count_30')}, 0) + 0.5) / (coalesce(${of('count_90')}, 0) / 3 + 0.5))`,
      ),
    },
  )
  if (!catalogue.valuedTypes.includes(type)) return columns
  for (const days of windowsDays) {
    columns.push({
      feature: feature(`value_${days}`, 'value', {
        words: `${words}: total value in the last ${days} days`,
        windowDays: days,
      }),
      sql: known(days, `coalesce(${of(`value_${days}`)}, 0)`),
    })
  }
  columns.push(
    {
      feature: feature('value_mean', 'value', { words: `${words}: typical value` }),
      sql: `${of('value_all')} / nullif(${of('valued_all')}, 0)`,
    },
    {
      feature: feature('value_last', 'value', { words: `${words}: value of the last one` }),
      sql: of('value_last'),
    },
  )
  return columns
}

function gapSql(of: (measure: string) => string): string {
  return `(${of('last_day')} - ${of('first_day')}) / nullif(${of('days_all')} - 1, 0)`
}

function propertyColumns(reference: PropertyRef): FeatureColumn[] {
  const { type, property, kind } = reference
  const words = `${property.replaceAll('_', ' ')} of ${type.replaceAll('_', ' ')}`
  const base = { origin: type, windowDays: null }
  const name = `${type}.${property}`
  const pick = (measure: string) => `max(${propertyName(reference, measure)})`
  if (kind === 'time') return []
  if (kind === 'category') {
    return [
      {
        feature: {
          ...base,
          name: `${name}_last`,
          kind: 'category',
          unit: 'category',
          words: `${words}: the last one`,
        },
        sql: pick('last'),
      },
    ]
  }
  return [
    {
      feature: {
        ...base,
        name: `${name}_last`,
        kind: 'number',
        unit: property,
        words: `${words}: the last one`,
      },
      sql: pick('last'),
    },
    {
      feature: { ...base, name: `${name}_mean`, kind: 'number', unit: property, words: `${words}: mean` },
      sql: pick('mean'),
    },
    {
      feature: {
        ...base,
        name: `${name}_mean_90`,
        kind: 'number',
        unit: property,
        words: `${words}: mean of the last 90 days`,
        windowDays: 90,
      },
      sql: pick('mean 90'),
    },
  ]
}
