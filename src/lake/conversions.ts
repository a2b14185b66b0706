import { quoteText } from './database.ts'

/** A column of a source as SQL, and its DuckDB type. */
export interface SourceValue {
  readonly sql: string
  readonly type: string
}

/** JSON values of several kinds in one column, as texts. */
function unwrapped({ sql, type }: SourceValue): SourceValue {
  return type === 'JSON' ? { sql: `(${sql} ->> '$')`, type: 'VARCHAR' } : { sql, type }
}

/** True where the values are texts that may or may not say what they should. */
export function isText({ type }: SourceValue): boolean {
  return type === 'VARCHAR' || type === 'JSON'
}

/** True where the values are numbers. */
export function isNumber({ type }: Pick<SourceValue, 'type'>): boolean {
  return /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|DOUBLE|FLOAT|DECIMAL.*)$/.test(type)
}

/** A text without surrounding blanks; null where nothing is left. Whole floating numbers lose their `.0`. */
export function textOf(value: SourceValue): string {
  const { sql, type } = unwrapped(value)
  if (type === 'DOUBLE' || type === 'FLOAT') {
    return `case when not isfinite(${sql}) then null when ${sql} = trunc(${sql}) and abs(${sql}) < 1e15 then ${sql}::bigint::varchar else ${sql}::varchar end`
  }
  if (/\]$|^(STRUCT|MAP|UNION)/.test(type)) return `to_json(${sql})::varchar`
  return `nullif(trim(${sql}::varchar), '')`
}

/** A category: like a text, but a written-out NaN is missing. */
export function categoryOf(value: SourceValue): string {
  const text = textOf(value)
  return isText(value) ? `case when ${text} not in ('nan', 'NaN') then ${text} end` : text
}

/** A number, also one that is not finite; null where there is none or the text is no number. */
export function numberOf(value: SourceValue): string {
  const { sql, type } = unwrapped(value)
  return type === 'VARCHAR' ? `try_cast(nullif(trim(${sql}), '') as double)` : `try_cast(${sql} as double)`
}

/** A finite number. */
export function finiteNumberOf(value: SourceValue): string {
  const number = numberOf(value)
  return `case when isfinite(${number}) then ${number} end`
}

/** True or false; null where the text says neither. */
export function booleanOf(value: SourceValue): string {
  const { sql, type } = unwrapped(value)
  return `try_cast(${type === 'VARCHAR' ? `trim(${sql})` : sql} as boolean)`
}

/** An instant; times without a zone are local. A date alone is the start of that day. */
export function instantOf(value: SourceValue, timezone: string): string {
  const { sql, type } = unwrapped(value)
  const local = (expression: string) => `timezone(${quoteText(timezone)}, ${expression})`
  if (type === 'TIMESTAMP WITH TIME ZONE') return sql
  if (type === 'DATE' || type.startsWith('TIMESTAMP')) return local(`${sql}::timestamp`)
  if (type !== 'VARCHAR') return 'null::timestamptz'
  const text = `trim(${sql})`
  const zoned = `regexp_matches(substr(${text}, 11), '[A-SU-Za-z+-]')`
  return `case when ${zoned} then ${zonedInstant(text)} else ${local(`try_cast(${text} as timestamp)`)} end`
}

/** DuckDB wants seconds before a zone, and a capital Z. */
function zonedInstant(text: string): string {
  const repaired = String.raw`regexp_replace(upper(${text}), '([ T]\d\d?:\d\d)(Z|[+-])', '\1:00\2')`
  return `coalesce(try_cast(${text} as timestamptz), try_cast(${repaired} as timestamptz))`
}

/** The last whole local day of observation: a date (or a midnight) includes that day, a time of day does not. */
export function lastObservedDayOf(value: SourceValue, timezone: string): string {
  const instant = instantOf(value, timezone)
  const local = `(${instant} at time zone ${quoteText(timezone)})`
  return `case when not isfinite(${instant}) then null when ${local} = date_trunc('day', ${local}) then ${local}::date else ${local}::date - 1 end`
}
