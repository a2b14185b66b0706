import { tableShapes } from '../domain/tables.ts'
import { quoteName, quoteText } from '../lake/database.ts'
import type { Catalogue, FeatureColumn } from './catalogue.ts'

const prefix = tableShapes.customers.extraPrefix

/**
 * Attributes as known at the cutoff: of the rows valid then, the latest of any source that has the attribute.
 *
 * @param suppliers attribute → keys of the sources that have it.
 */
export function attributeAggregates(
  catalogue: Catalogue,
  relations: {
    customers: string
    spine: string
    timezone: string
    suppliers: ReadonlyMap<string, readonly string[]>
  },
): string {
  const { customers, spine, timezone, suppliers } = relations
  const picks = catalogue.attributes.map(({ name }) => {
    const sources = (suppliers.get(name) ?? []).map(quoteText).join(', ') || "''"
    return `arg_max_null(${quoteName(prefix + name)}, known_order) filter (where source in (${sources})) as ${quoteName(prefix + name)}`
  })
  return `
    select
      row,
      arg_max(annual_value, known_order) as annual_value
      ${picks.map((pick) => `,\n      ${pick}`).join('')}
    from ${spine} as spine
    join (
      select
        *,
        (coalesce((valid_from at time zone ${quoteText(timezone)})::date, date '0001-01-01'), coalesce(valid_from, timestamptz '0001-01-01'), ordinal) as known_order,
        coalesce((valid_from at time zone ${quoteText(timezone)})::date, date '0001-01-01') as valid_day
      from ${customers}
    ) as customers
      using (customer_id)
    where valid_day <= cutoff
    group by row`
}

/** Features of attributes, as expressions over {@link attributeAggregates}. A date after the cutoff is missing. */
export function attributeColumns(catalogue: Catalogue, timezone: string): FeatureColumn[] {
  const columns: FeatureColumn[] = catalogue.attributes.map(({ name, kind }) => {
    const column = `attributes.${quoteName(prefix + name)}`
    const words = name.replaceAll('_', ' ')
    const base = { name, windowDays: null, words, origin: name }
    if (kind === 'category') return { feature: { ...base, kind: 'category', unit: 'category' }, sql: column }
    if (kind === 'boolean')
      return { feature: { ...base, kind: 'number', unit: 'yes or no' }, sql: `${column}::integer` }
    if (kind === 'number') return { feature: { ...base, kind: 'number', unit: name }, sql: column }
    const days = `spine.cutoff - (${column} at time zone ${quoteText(timezone)})::date`
    return {
      feature: { ...base, kind: 'number', unit: 'days', words: `days since ${words}` },
      sql: `case when ${days} >= 0 then ${days} end`,
    }
  })
  if (!catalogue.hasAnnualValue) return columns
  const feature = {
    name: 'annual_value',
    kind: 'number',
    unit: 'currency',
    windowDays: null,
    words: 'value in a year',
    origin: 'annual_value',
  } as const
  return [...columns, { feature, sql: 'attributes.annual_value' }]
}
