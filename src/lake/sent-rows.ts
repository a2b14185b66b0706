import { apiSourceKey, type Source, type TableName } from '../domain/program.ts'
import { canonicalNames, canonicalType } from './canonical.ts'
import { type Database, quoteName, quoteText } from './database.ts'
import { extraColumns, type Lake, readTable } from './lake.ts'
import type { SourceRelation } from './source.ts'

/** Rows that were sent through the API, in a file with a row a line as JSON. */
export interface SentFile {
  readonly table: TableName
  readonly path: string
  /** The lake before them. */
  readonly lake: Lake
  /** Hears of what is left out. */
  readonly warn: (sentence: string) => void
}

/** Properties or attributes that a table may have: what calls a property by an id would make ever more of them. */
const mostProperties = 1000

/** The source of what was sent to a table. */
export function sentSource(table: TableName): Source {
  return {
    key: apiSourceKey(table),
    table,
    meaning: 'api',
    sql: 'api',
    file: null,
    columns: {},
    coversUntil: null,
    isFullPicture: false,
  }
}

/** Makes sent rows readable as a source is: canonical columns, and a column for each property. */
export async function openSent(
  database: Database,
  { table, path, lake, warn }: SentFile,
): Promise<SourceRelation> {
  const names = canonicalNames(table)
  const typed = names.map((name) => [name, canonicalType(name) === 'double' ? 'DOUBLE' : 'VARCHAR'] as const)
  const shape = [...typed, ['received_at', 'VARCHAR'], ['extra', 'JSON']]
    .map(([name, type]) => `${quoteName(name)}: ${quoteText(type)}`)
    .join(', ')
  // No property can have a name with a star.
  const rows = `
    select * exclude (received_at, extra), received_at as "*received", extra as "*extra", row_number() over () as "*place"
    from read_json(${quoteText(path)}, format = 'newline_delimited', columns = {${shape}}, maximum_object_size = 33554432)`
  const extras = await extraNames(database, {
    rows,
    known: [...extraColumns(lake.state, table).keys()],
    warn,
  })
  const values = [...extras].map(([name, spellings]) => {
    const found = spellings.map((spelling) => `"*extra" ->> ${quoteText(`$."${spelling}"`)}`)
    return `coalesce(${found.join(', ')}, null) as ${quoteName(name)}`
  })
  const picked = ['"*place"', ...names.map(quoteName), ...values].join(', ')
  const isMerged = table === 'customers'
  const all = isMerged ? mergedNames(lake, [...extras.keys()]) : [...extras.keys()]
  const sql = isMerged
    ? `select * exclude ("*place") from (${mergedCustomers(lake, { rows, picked, names: all })}) order by "*place"`
    : `select * exclude ("*place") from (select ${picked} from (${rows}))`
  const columns = new Map<string, string>([...typed, ...all.map((name) => [name, 'VARCHAR'] as const)])
  return { source: sentSource(table), sql, columns, inputs: null }
}

/** Name of each property → how it is spelt: names that differ only in case are one, called as the lake has it, or most rows. */
async function extraNames(
  database: Database,
  { rows, known, warn }: { rows: string; known: readonly string[]; warn: SentFile['warn'] },
): Promise<Map<string, string[]>> {
  const found = await database.rows<{ name: string }>(
    `select name from (select unnest(json_keys("*extra")) as name from (${rows})) group by name order by count(*) desc, name`,
  )
  const names = new Map(known.map((name) => [name.toLowerCase(), name]))
  const spellings = new Map<string, string[]>()
  const leftOut: string[] = []
  for (const { name } of found) {
    if (!names.has(name.toLowerCase()) && names.size >= mostProperties) {
      leftOut.push(name)
      continue
    }
    const own = names.get(name.toLowerCase()) ?? name
    names.set(name.toLowerCase(), own)
    spellings.set(own, [...(spellings.get(own) ?? []), name])
  }
  if (leftOut.length > 0)
    warn(
      `There are ${mostProperties} properties already; ${leftOut.length} others that were sent are left out: ${leftOut.slice(0, 5).join(', ')}${leftOut.length > 5 ? ' …' : ''}.`,
    )
  return spellings
}

/** Attributes of sent customers that a row may lack and keep: those of this file, and those that were sent before. */
function mergedNames(lake: Lake, extras: readonly string[]): string[] {
  const earlier = lake.state.sources.get(apiSourceKey('customers'))
  return [...new Set([...extras, ...Object.keys(earlier?.columns ?? {})])]
}

/**
 * What a customer's row does not say stays as it was: it takes the attributes of the rows, of whatever source, that
 * count before it. Without `valid_from` the first row of a customer counts from joining and others from when they came.
 */
function mergedCustomers(
  lake: Lake,
  { rows, picked, names }: { rows: string; picked: string; names: readonly string[] },
): string {
  const known = new Set(extraColumns(lake.state, 'customers').keys())
  const earlier = names.filter((name) => known.has(name))
  const order = 'partition by customer_id order by "*from", "*ordinal" rows unbounded preceding'
  const merged = names.map(
    (name) => `last_value(${quoteName(name)} ignore nulls) over (${order}) as ${quoteName(name)}`,
  )
  return `
    with incoming as (select ${picked}, "*received" from (${rows})),
    before as (select * from ${readTable(lake, 'customers', { prefix: 'attr_' })} where customer_id in (select customer_id from incoming)),
    sent as (
      select * replace (
        case
          when valid_from is not null then valid_from
          when row_number() over (partition by customer_id order by "*place") > 1
            or customer_id in (select customer_id from before where source = ${quoteText(apiSourceKey('customers'))})
          then "*received"
        end as valid_from)
      from incoming
    ),
    timeline as (
      select
        *,
        coalesce(try_cast(valid_from as timestamptz), ${dawn}) as "*from",
        4611686018427387904 + "*place" as "*ordinal"
      from sent
      union all by name
      select
        customer_id, coalesce(valid_from, ${dawn}) as "*from", ordinal as "*ordinal"
        ${earlier.map((name) => `, ${quoteName(`attr_${name}`)}::varchar as ${quoteName(name)}`).join('')}
      from before
    ),
    merged as (
      select "*place", ${canonicalNames('customers').map(quoteName).join(', ')}${merged.map((one) => `, ${one}`).join('')}
      from timeline
    )
    from merged where "*place" is not null`
}

const dawn = "timestamptz '0001-01-01 00:00:00+00'"
