import type { Day } from '../domain/days.ts'
import {
  type Catalogue,
  type FeatureColumn,
  type FeatureGroup,
  type PropertyRef,
  windowsDays,
} from './catalogue.ts'
import { isCovered } from './data-begins.ts'
import {
  aggregateTables,
  type EventSource,
  isWantedType,
  kindOf,
  propertyNames,
  propertyTable,
  seenFromSpine,
  typeAlias,
} from './event-aggregates.ts'
import type { KeptEvents } from './kept-events.ts'

/** Origin of the features of all types without features of their own. */
export const otherTypes = 'other_events'

/** Features of each event type, of the pool of the others, and of properties. */
export function eventGroup(
  catalogue: Catalogue,
  source: EventSource & { readonly kept?: KeptEvents },
): FeatureGroup {
  const types: (string | null)[] = [...catalogue.eventTypes, ...(catalogue.hasOtherTypes ? [null] : [])]
  const { kept } = source
  const subject = kept ? 'customer_id' : 'row'
  const own = { subject, relationOf: (table: string) => kept?.kinds[table] ?? table } as const
  return {
    reads: 'events',
    tables: kept ? {} : aggregateTables(seenFromSpine(catalogue, source)),
    parts: types.map((type) => {
      const properties = catalogue.properties.filter((reference) => reference.type === type)
      return {
        isLeftOut: !isWantedType(catalogue, source, type),
        join: {
          alias: typeAlias(catalogue, type),
          by: subject,
          relation: aggregatesOf(catalogue, type, own),
        },
        columns: [
          ...typeColumns(catalogue, type),
          ...properties.flatMap((reference) => propertyColumns(catalogue, reference)),
        ],
      }
    }),
  }
}

/** The aggregates of one kind of event: those of its values and properties beside its counts. */
function aggregatesOf(
  catalogue: Catalogue,
  type: string | null,
  { subject, relationOf }: { subject: 'row' | 'customer_id'; relationOf: (table: string) => string },
): string {
  const properties = catalogue.properties.filter((reference) => reference.type === type)
  const tables = [
    'events_by_type',
    ...(type !== null && catalogue.valuedTypes.includes(type) ? ['values_by_type'] : []),
    ...new Set(properties.map(({ property }) => propertyTable(catalogue, property))),
  ]
  const kind = kindOf(catalogue, type)
  const [first, ...others] = tables.map((table) => `(from ${relationOf(table)} where kind = ${kind})`)
  return `(from ${first}${others.map((other) => ` left join ${other} using (${subject}, kind)`).join('')})`
}

/** What the expressions of one type's features share. */
interface TypeContext {
  readonly name: string
  readonly words: string
  /** Alias of the type's aggregates. */
  readonly of: string
  readonly begin: Day
}

function typeColumns(catalogue: Catalogue, type: string | null): FeatureColumn[] {
  const name = type ?? otherTypes
  const context: TypeContext = {
    name,
    words: name.replaceAll('_', ' '),
    of: typeAlias(catalogue, type),
    begin: (type === null ? null : catalogue.beginsOn[type]) ?? catalogue.eventsBeginOn ?? '1970-01-01',
  }
  const hasValue = type !== null && catalogue.valuedTypes.includes(type)
  return [...countColumns(context), ...rhythmColumns(context), ...(hasValue ? valueColumns(context) : [])]
}

/** A feature of a type; one over a window is missing where the window reaches back before the data. */
function typeFeature(
  { name, words, begin }: TypeContext,
  measure: string,
  more: { unit: string; words: string; sql: string; windowDays?: number },
): FeatureColumn {
  const windowDays = more.windowDays ?? null
  return {
    feature: {
      name: `${name}_${measure}`,
      kind: 'number',
      unit: more.unit,
      windowDays,
      words: `${words}: ${more.words}`,
      origin: name,
    },
    sql: windowDays === null ? more.sql : `case when ${isCovered(begin, windowDays)} then ${more.sql} end`,
  }
}

function countColumns(context: TypeContext): FeatureColumn[] {
  const { of } = context
  const half = (measure: string) => `(coalesce(${of}.${measure}, 0) + 0.5)`
  return [
    ...windowsDays.map((days) =>
      typeFeature(context, `count_${days}`, {
        unit: 'events',
        words: `how many in the last ${days} days`,
        windowDays: days,
        sql: `coalesce(${of}.count_${days}, 0)`,
      }),
    ),
    typeFeature(context, 'count_all', {
      unit: 'events',
      words: 'how many ever',
      sql: `coalesce(${of}.count_all, 0)`,
    }),
    typeFeature(context, 'trend', {
      unit: 'log ratio',
      words: 'last 30 days against the 30 before',
      windowDays: 60,
      sql: `ln(${half('count_30')} / ${half('count_before_30')})`,
    }),
    typeFeature(context, 'trend_90', {
      unit: 'log ratio',
      words: 'last 30 days against the last 90',
      windowDays: 90,
      sql: `ln(${half('count_30')} / (coalesce(${of}.count_90, 0) / 3 + 0.5))`,
    }),
  ]
}

/** Days between the first and the last active day over the gaps between them; missing with one day only. */
export function gapSql(alias: string): string {
  return `(${alias}.last_day - ${alias}.first_day) / nullif(${alias}.days_all - 1, 0)`
}

/** Days from a day to the cutoff. */
export function ageSql(day: string): string {
  return `(spine.cutoff - ${day})`
}

function rhythmColumns(context: TypeContext): FeatureColumn[] {
  const { of } = context
  return [
    typeFeature(context, 'days_since', {
      unit: 'days',
      words: 'days since the last one',
      sql: ageSql(`${of}.last_day`),
    }),
    typeFeature(context, 'days_since_first', {
      unit: 'days',
      words: 'days since the first one',
      sql: ageSql(`${of}.first_day`),
    }),
    typeFeature(context, 'gap', { unit: 'days', words: 'typical days between two', sql: gapSql(of) }),
    typeFeature(context, 'overdue', {
      unit: 'gaps',
      words: 'how overdue the next one is, in typical gaps',
      sql: `${ageSql(`${of}.last_day`)} / nullif(${gapSql(of)}, 0)`,
    }),
  ]
}

function valueColumns(context: TypeContext): FeatureColumn[] {
  const { of } = context
  return [
    ...windowsDays.map((days) =>
      typeFeature(context, `value_${days}`, {
        unit: 'value',
        words: `total value in the last ${days} days`,
        windowDays: days,
        sql: `coalesce(${of}.value_${days}, 0)`,
      }),
    ),
    typeFeature(context, 'value_mean', {
      unit: 'value',
      words: 'typical value',
      sql: `${of}.value_all / nullif(${of}.valued_all, 0)`,
    }),
    typeFeature(context, 'value_last', {
      unit: 'value',
      words: 'value of the last one',
      sql: `${of}.value_last`,
    }),
  ]
}

/** Features of a property: its last value and, for numbers, means. Leaks are named `type.property`. */
function propertyColumns(catalogue: Catalogue, { type, property, kind }: PropertyRef): FeatureColumn[] {
  if (kind === 'time') return []
  const name = `${type}.${property}`
  const of = typeAlias(catalogue, type)
  const index = propertyNames(catalogue).indexOf(property)
  const unit = kind === 'category' ? 'category' : property
  const base = { origin: name, behaviour: type, windowDays: null, unit } as const
  const words = `${property.replaceAll('_', ' ')} of ${type.replaceAll('_', ' ')}`
  const last: FeatureColumn = {
    feature: {
      ...base,
      name: `${name}_last`,
      kind: kind === 'category' ? 'category' : 'number',
      words: `${words}: the last one`,
    },
    sql: `${of}.last_${index}`,
  }
  if (kind === 'category') return [last]
  const begin = catalogue.beginsOn[type] ?? '1970-01-01'
  return [
    last,
    {
      feature: { ...base, name: `${name}_mean`, kind: 'number', words: `${words}: mean` },
      sql: `${of}.sum_${index} / nullif(${of}.counted_${index}, 0)`,
    },
    {
      feature: {
        ...base,
        name: `${name}_mean_90`,
        kind: 'number',
        words: `${words}: mean of the last 90 days`,
        windowDays: 90,
      },
      sql: `case when ${isCovered(begin, 90)} then ${of}.sum_90_${index} / nullif(${of}.counted_90_${index}, 0) end`,
    },
  ]
}
