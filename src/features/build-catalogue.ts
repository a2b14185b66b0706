import type { Day } from '../domain/days.ts'
import { addDays } from '../domain/days.ts'
import type { Program } from '../domain/program.ts'
import { metrics, tableShapes } from '../domain/tables.ts'
import type { LakeState, SourceReading } from '../lake/commits.ts'
import { type Database, quoteName, quoteText } from '../lake/database.ts'
import { extraColumns, type Lake } from '../lake/lake.ts'
import type { Catalogue, PropertyRef } from './catalogue.ts'
import { lakeRelations } from './features.ts'

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
  const { program, lake, asOf, excluded } = options
  const { events } = lakeRelations(lake)
  const found = await database.rows<{ type: string; valued: number }>(
    `select type, count(value) as valued from ${events} where day <= $asOf::date group by type order by count(distinct customer_id) desc, type`,
    { asOf },
  )
  const usable = found.filter(({ type }) => !excluded.has(type))
  const wanted = new Set([
    ...program.outcomes.flatMap((outcome) => outcome.eventTypes),
    ...Object.values(program.meaning).flat(),
  ])
  const own = usable.filter(({ type }, index) => index < mostTypes || wanted.has(type))
  const eventTypes = own.map(({ type }) => type)
  const state = lake.state
  const attributes = [...extraColumns(state, 'customers')].map(([name, kind]) => ({ name, kind }))
  const { annual } = await database.row<{ annual: number }>(
    `select count(annual_value) as annual from ${lakeRelations(lake).customers}`,
  )
  return {
    eventTypes,
    hasOtherTypes: usable.length > own.length,
    valuedTypes: own.filter(({ valued }) => valued > 0).map(({ type }) => type),
    properties: await findProperties(database, { ...options, eventTypes }),
    metrics: metrics.filter(
      (metric) => (firstDay(state, 'responses', metric) ?? '9999') <= asOf && !excluded.has(metric),
    ),
    attributes: attributes.filter(({ name }) => !excluded.has(name)),
    hasAnnualValue: annual > 0 && !excluded.has('annual_value'),
    initiatives: partsOf(state, 'interventions').filter(
      (name) => (firstDay(state, 'interventions', name) ?? '9999') <= asOf,
    ),
    beginsOn: Object.fromEntries(eventTypes.map((type) => [type, sourceBegin(state, type) ?? asOf])),
    eventsBeginOn: earliest(
      readings(state, 'events').flatMap((reading) =>
        Object.values(reading.spans).map((span) => span.firstDay),
      ),
    ),
  }
}

function readings(state: LakeState, table: string): SourceReading[] {
  return [...state.sources.values()].filter((reading) => reading.table === table)
}

function partsOf(state: LakeState, table: string): string[] {
  return [...new Set(readings(state, table).flatMap((reading) => Object.keys(reading.spans)))].sort()
}

function firstDay(state: LakeState, table: string, part: string): Day | null {
  return earliest(readings(state, table).flatMap((reading) => reading.spans[part]?.firstDay ?? []))
}

/** First day of any row of the sources that supply a type. */
function sourceBegin(state: LakeState, type: string): Day | null {
  const suppliers = readings(state, 'events').filter((reading) => reading.spans[type])
  return earliest(suppliers.flatMap((reading) => Object.values(reading.spans).map((span) => span.firstDay)))
}

function earliest(days: readonly Day[]): Day | null {
  return days.length === 0 ? null : days.reduce((first, day) => (day < first ? day : first))
}

/** Properties that are filled often enough and vary, most filled first. */
async function findProperties(
  database: Database,
  { lake, asOf, eventTypes, excluded }: CatalogueOptions & { eventTypes: readonly string[] },
): Promise<PropertyRef[]> {
  const candidates = [...extraColumns(lake.state, 'events')].filter(
    ([name, kind]) => kind !== 'time' && !excluded.has(name),
  )
  if (candidates.length === 0 || eventTypes.length === 0) return []
  const { events } = lakeRelations(lake)
  const measures = candidates.flatMap(([name], index) => {
    const column = quoteName(tableShapes.events.extraPrefix + name)
    return [`count(${column}) as filled_${index}`, `min(${column}) <> max(${column}) as varies_${index}`]
  })
  const rows = await database.rows<Record<string, unknown>>(
    `select type, ${measures.join(', ')} from ${events}
     where day between $from::date and $asOf::date and type in (${eventTypes.map(quoteText).join(', ')})
     group by type order by type`,
    { from: addDays(asOf, -730), asOf },
  )
  const found = rows.flatMap((row) =>
    candidates.flatMap(([property, kind], index) => {
      const filled = Number(row[`filled_${index}`])
      if (filled < fewestPropertyValues || row[`varies_${index}`] !== true) return []
      return [{ reference: { type: String(row.type), property, kind }, filled }]
    }),
  )
  found.sort((a, b) => b.filled - a.filled)
  return found.slice(0, mostProperties).map(({ reference }) => reference)
}
