import { tableShapes } from '../domain/tables.ts'
import { quoteName, quoteText, quoteTexts } from '../lake/database.ts'
import type { Catalogue, FeatureColumn, FeatureGroup } from './catalogue.ts'
import { validDay, validOrder } from './relations.ts'

const prefix = tableShapes.customers.extraPrefix

export interface AttributeSource {
  readonly customers: string
  readonly spine: string
  readonly timezone: string
  /** Attribute → keys of the sources that have it. */
  readonly suppliers: ReadonlyMap<string, readonly string[]>
}

/** Features of attributes. A date after the cutoff is missing. */
export function attributeGroup(catalogue: Catalogue, source: AttributeSource): FeatureGroup {
  const columns = attributeColumns(catalogue, source.timezone)
  if (columns.length === 0) return { reads: 'customers', tables: {}, parts: [] }
  return {
    reads: 'customers',
    tables: {},
    parts: [
      { join: { alias: 'attributes', relation: `(${attributeAggregates(catalogue, source)})` }, columns },
    ],
  }
}

/**
 * Attributes as known at the cutoff: of the rows valid then, the latest of any source that has the attribute. A select
 * of (row, annual_value, a column for each).
 */
export function attributeAggregates(
  { attributes }: Pick<Catalogue, 'attributes'>,
  { customers, spine, timezone, suppliers }: AttributeSource,
): string {
  const picks = attributes.map(({ name }) => {
    const column = quoteName(prefix + name)
    return `arg_max_null(${column}, valid_order) filter (where source in ${quoteTexts(suppliers.get(name) ?? [])}) as ${column}`
  })
  return `
    select
      row,
      arg_max(annual_value, valid_order) as annual_value
      ${picks.map((pick) => `,\n      ${pick}`).join('')}
    from ${spine} as spine
    join (
      select *, ${validDay(timezone)} as valid_day, ${validOrder} as valid_order
      from ${customers}
    ) as customers using (customer_id)
    where valid_day <= cutoff
    group by row`
}

function attributeColumns(catalogue: Catalogue, timezone: string): FeatureColumn[] {
  const columns = catalogue.attributes.map((attribute) => attributeColumn(attribute, timezone))
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

function attributeColumn({ name, kind }: Catalogue['attributes'][number], timezone: string): FeatureColumn {
  const column = `attributes.${quoteName(prefix + name)}`
  const words = name.replaceAll('_', ' ')
  const base = { name, windowDays: null, words, origin: name }
  switch (kind) {
    case 'category':
      return { feature: { ...base, kind, unit: 'category' }, sql: column }
    case 'boolean':
      return { feature: { ...base, kind: 'number', unit: 'yes or no' }, sql: `${column}::integer` }
    case 'number':
      return { feature: { ...base, kind, unit: name }, sql: column }
    case 'time': {
      const days = `spine.cutoff - (${column} at time zone ${quoteText(timezone)})::date`
      return {
        feature: { ...base, kind: 'number', unit: 'days', words: `days since ${words}` },
        sql: `case when ${days} >= 0 then ${days} end`,
      }
    }
  }
}
