import { join } from 'node:path'
import type { Program, TableName } from '../domain/program.ts'
import { type ColumnKind, type LakeFile, type LakeState, readLakeState } from './commits.ts'
import { quoteName, quoteText } from './database.ts'

/** Columns every row of a table has in the lake, whatever its source gave. */
export const lakeColumns: Readonly<Record<TableName, readonly (readonly [name: string, type: string])[]>> = {
  events: [
    ['customer_id', 'varchar'],
    ['at', 'timestamptz'],
    ['day', 'date'],
    ['type', 'varchar'],
    ['value', 'double'],
    ['event_id', 'varchar'],
    ['row_id', 'ubigint'],
  ],
  customers: [
    ['customer_id', 'varchar'],
    ['valid_from', 'timestamptz'],
    ['joined_at', 'timestamptz'],
    ['observed_until', 'date'],
    ['annual_value', 'double'],
    ['account_id', 'varchar'],
    ['undated', 'boolean'],
    ['ordinal', 'bigint'],
    ['row_id', 'ubigint'],
  ],
  responses: [
    ['customer_id', 'varchar'],
    ['at', 'timestamptz'],
    ['day', 'date'],
    ['metric', 'varchar'],
    ['score', 'double'],
    ['comment', 'varchar'],
    ['touchpoint', 'varchar'],
    ['channel', 'varchar'],
    ['weight', 'double'],
    ['response_id', 'varchar'],
    ['row_id', 'ubigint'],
  ],
  interventions: [
    ['customer_id', 'varchar'],
    ['at', 'timestamptz'],
    ['day', 'date'],
    ['initiative', 'varchar'],
    ['arm', 'varchar'],
    ['cost', 'double'],
    ['intervention_id', 'varchar'],
    ['row_id', 'ubigint'],
  ],
}

/** DuckDB's type of a property or attribute of that kind. */
export const kindTypes: Readonly<Record<ColumnKind, string>> = {
  number: 'double',
  category: 'varchar',
  boolean: 'boolean',
  time: 'timestamptz',
}

/** A lake as of one commit: what is in it and how to read it. */
export interface Lake {
  readonly folder: string
  readonly state: LakeState
}

/** The folder of a program's lake. */
export function lakeFolder(dataFolder: string, program: Pick<Program, 'name'>): string {
  return join(dataFolder, program.name)
}

/** @param commit as of which it is wanted. Default: the latest. */
export async function openLake(
  dataFolder: string,
  program: Pick<Program, 'name'>,
  commit?: number,
): Promise<Lake> {
  const folder = lakeFolder(dataFolder, program)
  return { folder, state: await readLakeState(folder, commit) }
}

/** Properties (events, responses) or attributes (customers) of a table over all its sources: name → kind. */
export function extraColumns(state: LakeState, table: TableName): Map<string, ColumnKind> {
  const merged = new Map<string, ColumnKind>()
  for (const reading of state.sources.values()) {
    if (reading.table !== table) continue
    for (const [name, kind] of Object.entries(reading.columns)) if (!merged.has(name)) merged.set(name, kind)
  }
  return new Map([...merged].sort(([a], [b]) => (a < b ? -1 : 1)))
}

export interface TableReading {
  /** Default: all. */
  readonly buckets?: readonly number[]
  /** Only the rows of this source. Default: all sources. */
  readonly source?: string
  /** Only the rows of these files. Default: all. */
  readonly files?: readonly LakeFile[]
  /** Of the columns of properties and attributes. */
  readonly prefix: string
}

/** SQL: the bucket of a customer, of so many. */
export function bucketSql(buckets: number): string {
  return `(md5_number_lower(customer_id) % ${buckets})::integer`
}

/**
 * A parenthesised relation over a table's rows in the lake. Customers also say which `source` a row comes from.
 *
 * It always has the table's columns and every known extra column, also where no file has them or there is no file.
 */
export function readTable(lake: Lake, table: TableName, options: TableReading): string {
  const files = (options.files ?? lake.state.files).filter(
    (file) =>
      file.table === table &&
      (options.buckets?.includes(file.bucket) ?? true) &&
      file.source === (options.source ?? file.source),
  )
  const extras = [...extraColumns(lake.state, table)].map(
    ([name, kind]) => [options.prefix + name, kindTypes[kind]] as const,
  )
  const wanted = [
    ...lakeColumns[table],
    ...extras,
    ...(table === 'customers' ? [['source', 'varchar'] as const] : []),
  ]
  const empty = `select ${wanted.map(([name, type]) => `null::${type} as ${quoteName(name)}`).join(', ')} where false`
  const read = (files: readonly LakeFile[], more = '') => {
    const paths = files.map((file) => quoteText(join(lake.folder, file.path))).join(', ')
    return `select *${more} from read_parquet([${paths}], union_by_name = true, hive_partitioning = false)`
  }
  const sources = table === 'customers' ? [...new Set(files.map((file) => file.source))] : null
  const selects = sources
    ? sources.map((key) =>
        read(
          files.filter(({ source }) => source === key),
          `, ${quoteText(key)} as source`,
        ),
      )
    : files.length > 0
      ? [read(files)]
      : []
  return `(${[empty, ...selects].join(' union all by name ')})`
}
