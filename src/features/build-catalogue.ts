import { addDays, type Day } from '../domain/days.ts'
import type { Program } from '../domain/program.ts'
import { metrics, tableShapes } from '../domain/tables.ts'
import { type Database, quoteName, quoteTexts } from '../lake/database.ts'
import { extraColumns, type Lake } from '../lake/lake.ts'
import type { Catalogue, PropertyRef } from './catalogue.ts'
import { earliestDay, partsBegin } from './data-begins.ts'
import { lakeRelations, validDay } from './relations.ts'

const mostTypes = 24
const mostProperties = 40
const fewestPropertyValues = 50

export interface CatalogueOptions {
  readonly program: Program
  readonly lake: Lake
  /** Only rows up to the end of this day decide what becomes a feature. */
  readonly asOf: Day
  /** Attributes and event types left out, such as leaks. */
  readonly excluded: ReadonlySet<string>
}

/** Decides, from what is known on a day, which features a program has. */
export async function buildCatalogue(database: Database, options: CatalogueOptions): Promise<Catalogue> {
  const { lake, asOf, excluded } = options
  const begins = partsBegin(lake.state, 'events', asOf)
  const answersBegin = partsBegin(lake.state, 'responses', asOf)
  const types = await findTypes(database, options)
  const eventTypes = types.own.map(({ type }) => type)
  const attributes = await findAttributes(database, options)
  return {
    eventTypes,
    hasOtherTypes: types.hasOthers,
    valuedTypes: types.own.filter(({ valued }) => valued > 0).map(({ type }) => type),
    properties: await findProperties(database, { ...options, eventTypes }),
    metrics: metrics.filter((metric) => answersBegin.has(metric) && !excluded.has(metric)),
    ...attributes,
    initiatives: [...partsBegin(lake.state, 'interventions', asOf).keys()]
      .filter((name) => !excluded.has(name))
      .sort(),
    beginsOn: Object.fromEntries(eventTypes.map((type) => [type, begins.get(type) ?? asOf])),
    answersBeginOn: Object.fromEntries(answersBegin),
    eventsBeginOn: earliestDay(begins.values()),
    excluded: [...excluded].sort(),
  }
}

/** Types of most customers first, and those that the program file names; the others are pooled. */
async function findTypes(
  database: Database,
  { program, lake, asOf, excluded }: CatalogueOptions,
): Promise<{ own: { type: string; valued: number }[]; hasOthers: boolean }> {
  const found = await database.rows<{ type: string; valued: number }>(
    `
    select type, count(value) as valued
    from ${lakeRelations(lake).events}
    where day <= $asOf::date
    group by type
    order by count(distinct customer_id) desc, type`,
    { asOf },
  )
  const usable = found.filter(({ type }) => !excluded.has(type))
  const wanted = new Set([
    ...program.outcomes.flatMap((outcome) => outcome.eventTypes),
    ...Object.values(program.meaning).flat(),
  ])
  const own = usable.filter(({ type }, index) => index < mostTypes || wanted.has(type))
  return { own, hasOthers: usable.length > own.length }
}

/** Attributes that have a value in any row valid by then. */
async function findAttributes(
  database: Database,
  { program, lake, asOf, excluded }: CatalogueOptions,
): Promise<Pick<Catalogue, 'attributes' | 'hasAnnualValue'>> {
  const candidates = [...extraColumns(lake.state, 'customers')].filter(([name]) => !excluded.has(name))
  const counts = candidates.map(
    ([name], index) => `count(${quoteName(tableShapes.customers.extraPrefix + name)}) as filled_${index}`,
  )
  const filled = await database.row<Record<string, number>>(
    `
    select ${['count(annual_value) as annual', ...counts].join(', ')}
    from ${lakeRelations(lake).customers}
    where ${validDay(program.timezone)} <= $asOf::date`,
    { asOf },
  )
  return {
    attributes: candidates
      .filter((_, index) => filled[`filled_${index}`] > 0)
      .map(([name, kind]) => ({ name, kind })),
    hasAnnualValue: filled.annual > 0 && !excluded.has('annual_value'),
  }
}

/** Properties that are filled often enough and vary, most filled first. */
async function findProperties(
  database: Database,
  { lake, asOf, eventTypes, excluded }: CatalogueOptions & { eventTypes: readonly string[] },
): Promise<PropertyRef[]> {
  const candidates = [...extraColumns(lake.state, 'events')].filter(([, kind]) => kind !== 'time')
  if (candidates.length === 0 || eventTypes.length === 0) return []
  const measures = candidates.flatMap(([name], index) => {
    const column = quoteName(tableShapes.events.extraPrefix + name)
    return [`count(${column}) as filled_${index}`, `min(${column}) <> max(${column}) as varies_${index}`]
  })
  const rows = await database.rows<Record<string, unknown>>(
    `
    select type, ${measures.join(', ')}
    from ${lakeRelations(lake).events}
    where day between $from::date and $asOf::date and type in ${quoteTexts(eventTypes)}
    group by type
    order by type`,
    { from: addDays(asOf, -730), asOf },
  )
  const found = rows.flatMap((row) =>
    candidates.flatMap(([property, kind], index) => {
      const type = String(row.type)
      const filled = Number(row[`filled_${index}`])
      if (filled < fewestPropertyValues || row[`varies_${index}`] !== true) return []
      return excluded.has(`${type}.${property}`) ? [] : [{ reference: { type, property, kind }, filled }]
    }),
  )
  found.sort((a, b) => b.filled - a.filled)
  return found.slice(0, mostProperties).map(({ reference }) => reference)
}
