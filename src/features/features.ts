import type { Program } from '../domain/program.ts'
import { tableShapes } from '../domain/tables.ts'
import { type Database, quoteName, type ResultColumn } from '../lake/database.ts'
import { type Lake, readTable } from '../lake/lake.ts'
import { activityAggregates, activityColumns } from './activity-features.ts'
import { attributeAggregates, attributeColumns } from './attribute-features.ts'
import type { Catalogue, Feature, FeatureColumn } from './catalogue.ts'
import { eventAggregates, eventColumns } from './event-features.ts'
import { initiativeAggregates, initiativeColumns } from './initiative-features.ts'
import { responseAggregates, responseColumns } from './response-features.ts'

/** Features of some customers at some cutoffs. **Shape** every column has one entry a row: NaN or null is missing. */
export interface FeatureFrame {
  readonly rows: number
  readonly features: readonly Feature[]
  readonly columns: readonly ResultColumn[]
}

/** Where behaviour is read from. A what-if replaces one of them by edited rows; nothing else changes. */
export interface BehaviourRelations {
  readonly events: string
  readonly customers: string
  readonly responses: string
  readonly interventions: string
}

/**
 * The lake's own rows, all buckets or some.
 *
 * @param excluded names of leaks; `observed_until` among them makes every customer observed without a planned end.
 */
export function lakeRelations(
  lake: Lake,
  { buckets, excluded }: { buckets?: readonly number[]; excluded?: ReadonlySet<string> } = {},
): BehaviourRelations {
  const read = (table: 'events' | 'customers' | 'responses' | 'interventions') =>
    readTable(lake, table, { prefix: tableShapes[table].extraPrefix, ...(buckets && { buckets }) })
  return {
    events: read('events'),
    customers: excluded?.has('observed_until')
      ? `(select * replace (null::date as observed_until) from ${read('customers')})`
      : read('customers'),
    responses: read('responses'),
    interventions: read('interventions'),
  }
}

export interface FeatureRequest {
  readonly program: Program
  readonly lake: Lake
  readonly catalogue: Catalogue
  readonly relations: BehaviourRelations
  /** Table or relation of (row, customer_id, cutoff, joined), rows numbered from 0 without gaps. */
  readonly spine: string
}

/** Every feature of a catalogue, in the order of the frame's columns. */
export function listFeatures(catalogue: Catalogue, program: Program): Feature[] {
  return Object.values(columnsByKind(catalogue, program)).flatMap((columns) =>
    columns.map((column) => column.feature),
  )
}

function columnsByKind(catalogue: Catalogue, program: Program): Record<'own' | Kind, FeatureColumn[]> {
  const tenure = {
    name: 'tenure_days',
    kind: 'number',
    unit: 'days',
    windowDays: null,
    words: 'days since joining',
    origin: 'tenure',
  } as const
  return {
    own: [{ feature: tenure, sql: 'spine.cutoff - spine.joined' }],
    events: eventColumns(catalogue),
    activity: activityColumns(catalogue),
    responses: responseColumns(catalogue),
    initiatives: initiativeColumns(catalogue),
    attributes: attributeColumns(catalogue, program.timezone),
  }
}

type Kind = 'events' | 'activity' | 'responses' | 'initiatives' | 'attributes'

/**
 * What is known about each spine row's customer at its cutoff. Nothing at or after the cutoff is seen.
 *
 * The one path to features: training, daily run, API and what-if all call it.
 */
export async function readFeatures(database: Database, request: FeatureRequest): Promise<FeatureFrame> {
  const byKind = columnsByKind(request.catalogue, request.program)
  const features = Object.values(byKind).flatMap((columns) => columns.map((column) => column.feature))
  const found = await database.columns(featureSql(request, byKind))
  const columns = features.map((_, index) => found[`f${index}`])
  return { rows: found.row.length, features, columns }
}

function featureSql(request: FeatureRequest, byKind: Record<'own' | Kind, FeatureColumn[]>): string {
  const { catalogue, relations, spine, lake, program } = request
  let index = 0
  const picks: string[] = []
  const wide: Record<string, string[]> = { events: [], responses: [], initiatives: [] }
  for (const [kind, columns] of Object.entries(byKind)) {
    for (const { feature, sql } of columns) {
      const alias = `f${index++}`
      const cast = feature.kind === 'category' ? 'varchar' : 'double'
      if (kind in wide) {
        wide[kind].push(`(${sql})::${cast} as ${alias}`)
        picks.push(`${kind}.${alias}`)
      } else picks.push(`(${sql})::${cast} as ${alias}`)
    }
  }
  const attributes = attributeAggregates(catalogue, {
    customers: relations.customers,
    spine,
    timezone: program.timezone,
    suppliers: attributeSuppliers(lake),
  })
  return `
    with
    events as (${pivot(spine, eventAggregates(catalogue, { events: relations.events, spine }), wide.events)}),
    responses as (${pivot(spine, responseAggregates({ responses: relations.responses, spine }), wide.responses)}),
    initiatives as (${pivot(spine, initiativeAggregates({ interventions: relations.interventions, spine }), wide.initiatives)}),
    activity as (${activityAggregates({ events: relations.events, spine })}),
    attributes as (${attributes})
    select spine.row, ${picks.join(', ')}
    from ${spine} as spine
    left join events using (row)
    left join responses using (row)
    left join initiatives using (row)
    left join activity using (row)
    left join attributes using (row)
    order by spine.row`
}

/** Long aggregates to one row a spine row; also for rows that have none. */
function pivot(spine: string, aggregates: string, expressions: readonly string[]): string {
  if (expressions.length === 0) return `select row from ${spine} where false`
  return `
    select row, ${expressions.join(', ')}
    from (select row, cutoff as spine_cutoff from ${spine}) as rows
    left join (${aggregates}) as aggregates using (row)
    group by row`
}

/** Attribute → keys of the sources that have it. */
function attributeSuppliers(lake: Lake): Map<string, string[]> {
  const suppliers = new Map<string, string[]>()
  for (const reading of lake.state.sources.values()) {
    if (reading.table !== 'customers') continue
    for (const name of Object.keys(reading.columns))
      suppliers.set(name, [...(suppliers.get(name) ?? []), reading.key])
  }
  return suppliers
}

/** Puts rows of (customer_id, cutoff, joined) into a numbered spine table, in the order of customer and cutoff. */
export async function makeSpine(database: Database, name: string, population: string): Promise<number> {
  await database.run(`
    create or replace temp table ${quoteName(name)} as
    select
      (row_number() over (order by customer_id, cutoff) - 1)::integer as row,
      customer_id,
      cutoff,
      joined
    from (${population})`)
  return (await database.row<{ rows: number }>(`select count(*) as rows from ${quoteName(name)}`)).rows
}
