import type { Day } from '../domain/days.ts'
import type { Program } from '../domain/program.ts'
import { type Database, quoteName, quoteText, type ResultColumn } from '../lake/database.ts'
import type { Lake } from '../lake/lake.ts'
import { activityGroup } from './activity-features.ts'
import { attributeGroup } from './attribute-features.ts'
import type { BehaviourTable, Catalogue, Feature, FeatureGroup, FeaturePart } from './catalogue.ts'
import { eventGroup } from './event-features.ts'
import { initiativeGroup } from './initiative-features.ts'
import { alwaysThere, selectAtRisk, selectEverybody } from './population.ts'
import type { BehaviourRelations } from './relations.ts'
import { responseGroup } from './response-features.ts'

export { type BehaviourRelations, lakeRelations } from './relations.ts'

/** Features of some customers at some cutoffs. **Shape** every column has one entry a row: NaN or null is missing. */
export interface FeatureFrame {
  readonly rows: number
  readonly features: readonly Feature[]
  readonly columns: readonly ResultColumn[]
}

/** The named rows of a frame. */
export function pickFrame(frame: FeatureFrame, rows: Int32Array): FeatureFrame {
  const columns = frame.columns.map((column) => {
    const picked = column instanceof Float64Array ? new Float64Array(rows.length) : new Array(rows.length)
    for (let at = 0; at < rows.length; at++) picked[at] = column[rows[at]]
    return picked
  })
  return { rows: rows.length, features: frame.features, columns }
}

/** The rows of a frame from one up to before another. Numbers are not copied. */
export function sliceFrame({ features, columns }: FeatureFrame, from: number, to: number): FeatureFrame {
  const own = columns.map((column) =>
    column instanceof Float64Array ? column.subarray(from, to) : column.slice(from, to),
  )
  return { rows: to - from, features, columns: own }
}

export interface FeatureRequest {
  readonly program: Program
  readonly lake: Lake
  readonly catalogue: Catalogue
  readonly relations: BehaviourRelations
  /** Name of a table of (row, customer_id, cutoff, joined), rows numbered from 0 without gaps. */
  readonly spine: string
  /** Which features are wanted; the frame has no others. Default: all. */
  readonly isWanted?: (feature: Feature, reads: BehaviourTable | null) => boolean
  /** Event types whose own features are wanted, beside those over all events. Default: all. */
  readonly eventTypes?: ReadonlySet<string>
}

/** Every feature of a catalogue, in the order of the frame's columns. */
export function listFeatures(catalogue: Catalogue, program: Program): Feature[] {
  const nothing = { events: '', customers: '', responses: '', interventions: '', beginsOn: new Map() }
  const source = { relations: nothing, spine: '', suppliers: new Map() }
  const parts = partsOf(catalogue, groupsOf(catalogue, program, source))
  return parts.flatMap(({ columns }) => columns.map(({ feature }) => feature))
}

interface GroupSource {
  readonly relations: BehaviourRelations
  readonly spine: string
  readonly suppliers: ReadonlyMap<string, readonly string[]>
  readonly eventTypes?: ReadonlySet<string>
}

function groupsOf(
  catalogue: Catalogue,
  { timezone }: Program,
  { relations, spine, suppliers, eventTypes }: GroupSource,
): FeatureGroup[] {
  const { events, kept, customers, responses, interventions } = relations
  return [
    tenure,
    eventGroup(catalogue, { events, spine, ...(kept && { kept }), ...(eventTypes && { eventTypes }) }),
    activityGroup(catalogue, kept),
    responseGroup(catalogue, { responses, spine }),
    initiativeGroup(catalogue, { interventions, spine }),
    attributeGroup(catalogue, { customers, spine, timezone, suppliers }),
  ]
}

const tenure: FeatureGroup = {
  reads: null,
  tables: {},
  parts: [
    {
      join: null,
      columns: [
        {
          feature: {
            name: 'tenure_days',
            kind: 'number',
            unit: 'days',
            windowDays: null,
            words: 'days since joining',
            origin: 'tenure',
          },
          sql: `case when spine.joined > ${alwaysThere} then spine.cutoff - spine.joined end`,
        },
      ],
    },
  ],
}

/** The parts of all groups without what is excluded. A name that is taken already gets ` #2`, ` #3`, … */
function partsOf(catalogue: Catalogue, groups: readonly FeatureGroup[]): SourcedPart[] {
  const excluded = new Set(catalogue.excluded)
  const parts = groups
    .flatMap(({ reads, parts }) => parts.map((part) => ({ ...part, reads })))
    .map(({ columns, ...part }) => ({
      ...part,
      columns: columns.filter(({ feature }) => !excluded.has(feature.origin)),
    }))
    .filter(({ columns }) => columns.length > 0)
  const wanted = new Set(parts.flatMap(({ columns }) => columns.map(({ feature }) => feature.name)))
  const taken = new Set<string>()
  const unique = (feature: Feature): Feature => {
    let { name } = feature
    for (let next = 2; taken.has(name); next++) {
      const other = `${feature.name} #${next}`
      if (!wanted.has(other)) name = other
    }
    taken.add(name)
    return { ...feature, name }
  }
  return parts.map(({ columns, ...part }) => ({
    ...part,
    columns: columns.map(({ feature, sql }) => ({ feature: unique(feature), sql })),
  }))
}

type SourcedPart = FeaturePart & Pick<FeatureGroup, 'reads'>

/**
 * What is known about each spine row's customer at its cutoff. Nothing at or after the cutoff is seen.
 *
 * The one path to features: training, daily run, API and what-if all call it.
 */
export async function readFeatures(database: Database, request: FeatureRequest): Promise<FeatureFrame> {
  const { catalogue, program, lake, spine, isWanted = () => true } = request
  const groups = groupsOf(catalogue, program, { ...request, suppliers: attributeSuppliers(lake) })
  const parts = partsOf(catalogue, groups).flatMap(({ join, reads, columns, isLeftOut }) => {
    const wanted = isLeftOut ? [] : columns.filter(({ feature }) => isWanted(feature, reads))
    return wanted.length > 0 ? [{ join, columns: wanted }] : []
  })
  const tables = tablesOf(groups, parts)
  for (const [name, select] of tables) await database.run(`create or replace temp table ${name} as ${select}`)
  const features: Feature[] = []
  const columns: ResultColumn[] = []
  for (const part of parts) {
    const found = await database.columns(partSql(spine, part))
    for (const [index, { feature }] of part.columns.entries()) {
      features.push(feature)
      columns.push(found[`f${index}`])
    }
  }
  for (const [name] of tables) await database.run(`drop table ${name}`)
  const { rows } = await database.row<{ rows: number }>(`select count(*) as rows from ${spine}`)
  return { rows, features, columns }
}

/** The scratch tables that the parts are read from, with those that these use, in the order in which they are made. */
function tablesOf(groups: readonly FeatureGroup[], parts: readonly FeaturePart[]): [string, string][] {
  const readings = parts.flatMap(({ join }) => (join === null ? [] : [join.relation]))
  const needed: [string, string][] = []
  for (const [name, select] of groups.flatMap(({ tables }) => Object.entries(tables)).reverse()) {
    if (!readings.some((reading) => reading.includes(name))) continue
    readings.push(select)
    needed.unshift([name, select])
  }
  return needed
}

/**
 * A part's features in the order of the spine. One query a part: joining all of them at once would carry every
 * column through every join. NaN instead of null: a vector without nulls is read several times faster.
 */
function partSql(spine: string, { join, columns }: FeaturePart): string {
  const picks = columns.map(({ feature, sql }, index) =>
    feature.kind === 'category'
      ? `(${sql})::varchar as f${index}`
      : `coalesce((${sql})::double, 'nan'::double) as f${index}`,
  )
  return `
    select ${picks.join(',\n      ')}
    from ${spine} as spine
    ${join === null ? '' : `left join ${join.relation} as ${join.alias} on ${join.alias}.${join.by ?? 'row'} = spine.${join.by ?? 'row'}`}
    order by spine.row`
}

/** Attribute → keys of the sources that have it. */
export function attributeSuppliers(lake: Lake): Map<string, string[]> {
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

/** The spine of everybody at risk at the end of a day: one row a customer. Returns how many there are. */
export function makeDaySpine(
  database: Database,
  name: string,
  { program, relations, date }: { program: Program; relations: BehaviourRelations; date: Day },
): Promise<number> {
  const candidates = `select customer_id, date ${quoteText(date)} as cutoff from (${selectEverybody(relations)})`
  return makeSpine(database, name, selectAtRisk({ program, relations, candidates }))
}
