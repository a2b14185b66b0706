import type { Program, TableName } from '../domain/program.ts'
import { tableShapes } from '../domain/tables.ts'
import type { ColumnKind } from './commits.ts'
import {
  booleanOf,
  categoryOf,
  finiteNumberOf,
  instantOf,
  isNumber,
  isText,
  lastObservedDayOf,
  numberOf,
  type SourceValue,
  textOf,
} from './conversions.ts'
import { quoteName } from './database.ts'
import { refusalCase, refusalType } from './refusals.ts'
import type { SourceRelation } from './source.ts'

/** Properties or attributes of a source: its own column → its name in the lake and what it holds. */
export type ExtraColumns = ReadonlyMap<string, { readonly name: string; readonly kind: ColumnKind }>

export interface CanonicalOptions {
  readonly program: Program
  /** The clock, ISO 8601: what lies more than a year after it cannot have happened. */
  readonly now: string
  readonly extras: ExtraColumns
  /** Properties or attributes that make a row's identity: those of this reading and of all earlier ones. */
  readonly identity: readonly string[]
}

/** Column of each table that carries a row's own identity, where its source gives one. */
export const ownIdentity: Readonly<Record<TableName, string | null>> = {
  events: 'event_id',
  responses: 'response_id',
  interventions: 'intervention_id',
  customers: null,
}

const instants = ['at', 'valid_from', 'joined_at']
const numbers = ['value', 'score', 'weight', 'cost', 'annual_value']

/** Canonical column → what its type is in the lake. */
export function canonicalType(name: string): string {
  if (instants.includes(name)) return 'timestamptz'
  if (name === 'observed_until') return 'date'
  return numbers.includes(name) ? 'double' : 'varchar'
}

/** Required and optional columns of a table, in order. */
export function canonicalNames(table: TableName): string[] {
  const { required, optional } = tableShapes[table]
  return [...required, ...optional]
}

/**
 * The select that turns a source's rows into canonical ones: typed columns, the `reason` why a row
 * cannot be taken (null where it can) with the raw row as JSON, its `key` (see {@link keyOf}), and `unread`: the places
 * of texts among the extra columns that are not what the column holds and count as missing.
 */
export function canonicalSelect(relation: SourceRelation, options: CanonicalOptions): string {
  const { table } = relation.source
  const { extras, identity } = options
  const prefix = tableShapes[table].extraPrefix
  const names = [...canonicalNames(table), ...[...extras.values()].map(({ name }) => prefix + name)]
  const columns = names.map(quoteName).join(', ')
  const isAbsent = (name: string) =>
    table !== 'customers' &&
    tableShapes[table].optional.includes(name) &&
    findColumn(relation, name) === undefined
  // A byte a row in the scratch table instead of sixteen for what no row has.
  const staged = names.map((name) =>
    isAbsent(name) ? `null::boolean as ${quoteName(name)}` : quoteName(name),
  )
  const absent = identity.filter((name) => ![...extras.values()].some((extra) => extra.name === name))
  return `
    select
      ${staged.join(', ')},
      unread,
      reason::${refusalType} as reason,
      case when reason is null then ${keyOf(table, identity, new Set(absent))} end as key,
      case when reason is not null then to_json(raw)::varchar end as raw_row
    from (
      select ${columns}, unread, raw, ${refusalCase(table, options.now)} as reason
      from (
        select
          ${canonicalColumns(relation, options.program.timezone).join(',\n          ')},
          ${extraColumnsOf(relation, options).join(',\n          ')},
          "loyalcast row" as raw
        from (${relation.sql}\n) as "loyalcast row"
      )
    )`
}

/**
 * What two equal rows share, as a hash: their own id where they have one, else all their columns. It is only ever
 * compared with keys made by the same expression in the same process; a date that ingest made up is no part of it.
 *
 * @param identity properties or attributes, unprefixed. @param absent those of them to be taken as missing.
 */
export function keyOf(
  table: TableName,
  identity: readonly string[],
  absent: ReadonlySet<string> = new Set(),
): string {
  const { extraPrefix } = tableShapes[table]
  const extras = identity.map((name) => (absent.has(name) ? 'null' : quoteName(extraPrefix + name)))
  const whole = `hash(${[...canonicalNames(table).map(quoteName), ...extras].join(', ')})`
  const id = ownIdentity[table]
  return id === null ? whole : `case when ${id} is not null then hash(${id}) else ${whole} end`
}

function sourceValue(relation: SourceRelation, own: string): SourceValue {
  return { sql: `"loyalcast row".${quoteName(own)}`, type: relation.columns.get(own) ?? 'VARCHAR' }
}

/** The canonical columns, and whether a time or a number is there that could not be read. */
function canonicalColumns(relation: SourceRelation, timezone: string): string[] {
  const unreadable = { time: [] as string[], number: [] as string[] }
  const columns = canonicalNames(relation.source.table).map((name) => {
    const own = findColumn(relation, name)
    if (own === undefined) return `null::${canonicalType(name)} as ${quoteName(name)}`
    const value = sourceValue(relation, own)
    const sql = canonicalValue(name, value, timezone)
    const isBad = `(${textOf(value)} is not null and (${sql}) is null)`
    if (isText(value) && canonicalType(name) !== 'varchar')
      unreadable[canonicalType(name) === 'double' ? 'number' : 'time'].push(isBad)
    return `${sql} as ${quoteName(name)}`
  })
  const any = (conditions: readonly string[]) => (conditions.length > 0 ? conditions.join(' or ') : 'false')
  return [...columns, `${any(unreadable.time)} as "bad time"`, `${any(unreadable.number)} as "bad number"`]
}

function canonicalValue(name: string, value: SourceValue, timezone: string): string {
  if (instants.includes(name)) return instantOf(value, timezone)
  if (name === 'observed_until') return lastObservedDayOf(value, timezone)
  if (numbers.includes(name)) return numberOf(value)
  if (name === 'metric') return `lower(${textOf(value)})`
  // A customer called NaN is one that a data frame did not know.
  return name === 'customer_id' ? categoryOf(value) : textOf(value)
}

function extraColumnsOf(relation: SourceRelation, { program, extras }: CanonicalOptions): string[] {
  const { extraPrefix } = tableShapes[relation.source.table]
  const unread: string[] = []
  const columns = [...extras].map(([own, { name, kind }], place) => {
    const value = sourceValue(relation, own)
    const sql = extraValue(kind, value, program.timezone)
    // What is a number already is one, or missing.
    if (kind !== 'category' && !(kind === 'number' && isNumber(value)))
      unread.push(`case when ${categoryOf(value)} is not null and (${sql}) is null then '${place}' end`)
    return `${sql} as ${quoteName(extraPrefix + name)}`
  })
  return [
    ...columns,
    `${unread.length > 0 ? `concat_ws(' ', ${unread.join(', ')})` : 'null::boolean'} as unread`,
  ]
}

function extraValue(kind: ColumnKind, value: SourceValue, timezone: string): string {
  switch (kind) {
    case 'number':
      return finiteNumberOf(value)
    case 'boolean':
      return booleanOf(value)
    case 'time': {
      const instant = instantOf(value, timezone)
      return `case when isfinite(${instant}) then ${instant} end`
    }
    case 'category':
      return categoryOf(value)
  }
}

/** The source's column of that name, whatever its case. */
export function findColumn(relation: SourceRelation, name: string): string | undefined {
  return [...relation.columns.keys()].find((own) => own.toLowerCase() === name)
}
