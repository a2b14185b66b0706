import type { Program, TableName } from '../domain/program.ts'
import { metricRanges, metrics, tableShapes } from '../domain/tables.ts'
import type { ColumnKind } from './commits.ts'
import { quoteName, quoteText } from './database.ts'
import type { SourceRelation } from './source.ts'

/** Properties or attributes of a source: its own column → what it holds. */
export type ExtraColumns = ReadonlyMap<string, ColumnKind>

export interface CanonicalOptions {
  readonly program: Program
  /** The clock, ISO 8601: what lies more than a year after it cannot have happened. */
  readonly now: string
  readonly extras: ExtraColumns
}

/**
 * The select that turns a source's rows into canonical ones: typed columns, the reason why a row cannot be taken
 * (null where it can), its content hash, and the raw row as JSON where it is refused.
 */
export function canonicalSelect(relation: SourceRelation, options: CanonicalOptions): string {
  const { table } = relation.source
  const fields = [...canonicalFields(relation, options), ...extraFields(relation, options)]
  const identity = fields.map(([name, sql]) => `${quoteText(`${name}=`)} || (${identityText(name, sql)})`)
  return `
    select
      row_number as source_row,
      ${fields.map(([name, sql]) => `${sql} as ${quoteName(name)}`).join(',\n      ')},
      ${reasonCase(table, fields, relation, options)} as reason,
      md5_number_lower(concat_ws(chr(31), ${identity.join(', ')})) as content,
      case when reason is not null then to_json(source)::varchar end as raw_row
    from (select row_number() over () as row_number, * from (${relation.sql}\n)) as source`
}

type Field = readonly [name: string, sql: string]

function canonicalFields(relation: SourceRelation, { program }: CanonicalOptions): Field[] {
  const { required, optional } = tableShapes[relation.source.table]
  return [...required, ...optional].map((name): Field => {
    const column = findColumn(relation, name)
    if (!column) return [name, `null::${absentType(name)}`]
    const [own, type] = column
    const sql = `source.${quoteName(own)}`
    switch (name) {
      case 'at':
      case 'valid_from':
      case 'joined_at':
        return [name, instant(sql, type, program.timezone)]
      case 'observed_until':
        return [name, lastObservedDay(sql, type, program.timezone)]
      case 'value':
      case 'score':
      case 'weight':
      case 'cost':
      case 'annual_value':
        return [name, number(sql, type)]
      case 'metric':
        return [name, `lower(${text(sql, type)})`]
      default:
        return [name, text(sql, type)]
    }
  })
}

function extraFields(relation: SourceRelation, { program, extras }: CanonicalOptions): Field[] {
  const { extraPrefix } = tableShapes[relation.source.table]
  return [...extras].map(([own, kind]): Field => {
    const type = relation.columns.get(own) ?? 'VARCHAR'
    const sql = `source.${quoteName(own)}`
    const converted = {
      number: `case when isfinite(${number(sql, type)}) then ${number(sql, type)} end`,
      boolean: `try_cast(${sql} as boolean)`,
      time: instant(sql, type, program.timezone),
      category: text(sql, type),
    }[kind]
    return [extraPrefix + own, converted]
  })
}

/** The source's column of that name, whatever its case. */
export function findColumn(relation: SourceRelation, name: string): readonly [string, string] | undefined {
  return [...relation.columns].find(([own]) => own.toLowerCase() === name)
}

function absentType(name: string): string {
  if (name === 'valid_from' || name === 'joined_at') return 'timestamptz'
  if (name === 'observed_until') return 'date'
  return ['value', 'score', 'weight', 'cost', 'annual_value'].includes(name) ? 'double' : 'varchar'
}

/** A text without surrounding blanks; null where nothing is left. Whole floating numbers lose their `.0`. */
function text(sql: string, type: string): string {
  if (type === 'DOUBLE' || type === 'FLOAT') {
    return `case when ${sql} = trunc(${sql}) and abs(${sql}) < 1e15 then ${sql}::bigint::varchar else ${sql}::varchar end`
  }
  if (/\[\]$|^(STRUCT|MAP|UNION)/.test(type)) return `to_json(${sql})::varchar`
  return `nullif(trim(${sql}::varchar), '')`
}

function number(sql: string, type: string): string {
  return type === 'VARCHAR' ? `try_cast(nullif(trim(${sql}), '') as double)` : `try_cast(${sql} as double)`
}

/** An instant; times without a zone are local. A date alone is the start of that day. */
function instant(sql: string, type: string, timezone: string): string {
  const local = (expression: string) => `timezone(${quoteText(timezone)}, ${expression})`
  if (type === 'TIMESTAMP WITH TIME ZONE') return sql
  if (type === 'DATE' || type.startsWith('TIMESTAMP')) return local(`${sql}::timestamp`)
  if (type !== 'VARCHAR') return 'null::timestamptz'
  const trimmed = `trim(${sql})`
  const zoned = String.raw`regexp_matches(${trimmed}, '\d:\d\d.*(Z|[+-]\d\d(:?\d\d)?)$')`
  return `case when ${zoned} then try_cast(${trimmed} as timestamptz) else ${local(`try_cast(${trimmed} as timestamp)`)} end`
}

/** The last whole local day of observation: a date (or a midnight) includes that day, a time of day does not. */
function lastObservedDay(sql: string, type: string, timezone: string): string {
  const local = `(${instant(sql, type, timezone)} at time zone ${quoteText(timezone)})`
  return `case when ${local} = date_trunc('day', ${local}) then ${local}::date else ${local}::date - 1 end`
}

/** Text that tells two values apart and does not depend on how DuckDB prints times. */
function identityText(name: string, sql: string): string {
  if (name === 'observed_until') return `(${sql})::varchar`
  return isInstant(name, sql) ? `epoch_us(${sql})::varchar` : `(${sql})::varchar`
}

function isInstant(name: string, sql: string): boolean {
  return name === 'at' || name === 'valid_from' || name === 'joined_at' || /timezone\(|timestamptz/i.test(sql)
}

function reasonCase(
  table: TableName,
  fields: readonly Field[],
  relation: SourceRelation,
  { now }: CanonicalOptions,
): string {
  const sql = Object.fromEntries(fields)
  const latest = `timestamptz ${quoteText(now)} + interval 366 days`
  const cases: string[] = [`when ${sql.customer_id} is null then 'no_customer'`]
  if (table === 'customers') {
    for (const name of ['valid_from', 'joined_at', 'observed_until'])
      cases.push(...unreadable(relation, name, sql[name], 'bad_time'))
    cases.push(...unreadable(relation, 'annual_value', sql.annual_value, 'bad_value'))
    return `case ${cases.join(' ')} end`
  }
  cases.push(
    `when ${sql.at} is null or not isfinite(${sql.at}) then 'bad_time'`,
    `when ${sql.at} < timestamptz '1970-01-02 00:00:00+00' then 'empty_time'`,
    `when ${sql.at} > ${latest} then 'far_future'`,
  )
  if (table === 'events') cases.push(`when ${sql.type} is null then 'no_type'`)
  if (table === 'interventions')
    cases.push(`when ${sql.initiative} is null or ${sql.arm} is null then 'no_arm'`)
  if (table === 'responses') {
    const bounds = metrics.map(
      (metric) =>
        `when '${metric}' then not (${sql.score} between ${metricRanges[metric][0]} and ${metricRanges[metric][1]})`,
    )
    cases.push(
      `when ${sql.metric} is null or ${sql.metric} not in ('${metrics.join("', '")}') then 'unknown_metric'`,
      `when ${sql.score} is null or not isfinite(${sql.score}) then 'bad_value'`,
      `when case ${sql.metric} ${bounds.join(' ')} end then 'score_out_of_range'`,
      `when ${sql.metric} = 'nps' and ${sql.score} <> trunc(${sql.score}) then 'score_out_of_range'`,
      `when ${sql.weight} < 0 then 'bad_value'`,
    )
  }
  for (const name of ['value', 'weight', 'cost'])
    if (sql[name]) cases.push(...unreadable(relation, name, sql[name], 'bad_value'))
  return `case ${cases.join(' ')} end`
}

/** A value that is there but could not be converted, or is beyond what money and amounts can be. */
function unreadable(relation: SourceRelation, name: string, sql: string, reason: string): string[] {
  const column = findColumn(relation, name)
  if (!column) return []
  const isBad = `${text(`source.${quoteName(column[0])}`, column[1])} is not null and (${sql}) is null`
  if (reason === 'bad_time') return [`when ${isBad} then 'bad_time'`]
  return [`when ${isBad} or not isfinite(${sql}) or abs(${sql}) > 1e12 then 'bad_value'`]
}
