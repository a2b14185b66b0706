import type { PredictionColumn } from '../domain/prediction.ts'
import { Database, type Parameters, quoteName, quoteText } from './database.ts'

/** A published file of predictions and the columns it has: a program may have got other outcomes since. */
export interface PredictionFile {
  /** Absolute. */
  readonly path: string
  readonly columns: ReadonlySet<string>
  readonly rows: number
}

/** What rows are put in order by; where it is equal, by customer. Empty ones are last. */
export interface RowOrder {
  /** A column of numbers. */
  readonly column: string
  readonly isDescending: boolean
}

/** A row within its file, which is in the order of `customer_id`, and what it was put in order by. */
export interface PickedRow {
  /** From 0. */
  readonly row: number
  /** Null where the column is empty, or where rows are in the order of the file. */
  readonly value: number | null
}

export interface RowQuestion {
  /** SQL over the columns of the file and `file_row_number`, with what is bound in it. */
  readonly where: { readonly sql: string; readonly parameters: Parameters } | null
  /** Null: the order of the file. */
  readonly order: RowOrder | null
  /** Null: from the start. */
  readonly after: PickedRow | null
  /** Null: all. */
  readonly limit: number | null
  /** Rows that are passed over first. @default 0 */
  readonly offset?: number
}

/** Most rows of a page. */
export const longestPage = 1000

/** A database to read predictions with. */
export function openReadingDatabase(options: {
  readonly spillFolder: string
  readonly memoryLimit: string
}): Promise<Database> {
  return Database.open({ ...options, timezone: 'UTC' })
}

/** Opens a published file. **Errors** DuckDB's own where it is not there or not readable. */
export async function openPredictions(database: Database, path: string): Promise<PredictionFile> {
  const found = await database.rows<{ name: string }>(
    `select name from parquet_schema(${quoteText(path)}) where num_children is null`,
  )
  const { rows } = await database.row<{ rows: number }>(
    `select num_rows as rows from parquet_file_metadata(${quoteText(path)})`,
  )
  return { path, columns: new Set(found.map(({ name }) => name)), rows }
}

/** Columns that hold JSON as text. They stand last in a row. */
const nested: Readonly<Record<string, string>> = { top_drivers: '[]', flags: '{}' }

/** SQL: a row as one JSON text, drivers and flags nested; a column that the file does not have is null. */
export function lineSql(file: PredictionFile, columns: readonly PredictionColumn[]): string {
  const plain = columns
    .filter(({ name }) => !(name in nested))
    .map(({ name, type }) => `${quoteName(name)} := ${columnOrNull(file, name, typeOf(type))}`)
  const json = columns
    .filter(({ name }) => name in nested)
    .map(
      ({ name }) =>
        ` || ',"${name}":' || coalesce(${columnOrNull(file, name, 'varchar')}, ${quoteText(nested[name])})`,
    )
  return `left(to_json(struct_pack(${plain.join(', ')}))::varchar, -1)${json.join('')} || '}'`
}

function typeOf(type: PredictionColumn['type']): 'double' | 'varchar' {
  return type === 'double' ? 'double' : 'varchar'
}

/** The row of one customer as JSON; null where the file has none. */
export async function readLine(
  database: Database,
  file: PredictionFile,
  { columns, customerId }: { columns: readonly PredictionColumn[]; customerId: string },
): Promise<string | null> {
  const rows = await database.rows<{ line: string }>(
    `select ${lineSql(file, columns)} as line from ${rowsOf(file)} where customer_id = $customer`,
    { customer: customerId },
  )
  return rows[0]?.line ?? null
}

/** Rows by their place in the file as JSON, in the order in which they are asked for. */
export async function readLines(
  database: Database,
  file: PredictionFile,
  { columns, rows }: { columns: readonly PredictionColumn[]; rows: readonly number[] },
): Promise<string[]> {
  if (rows.length === 0) return []
  const found = await database.rows<{ row: number; line: string }>(`
    select file_row_number as row, ${lineSql(file, columns)} as line
    from ${numberedRowsOf(file)}
    where file_row_number between ${Math.min(...rows)} and ${Math.max(...rows)}
      and file_row_number in (${rows.join(', ')})`)
  const lines = new Map(found.map(({ row, line }) => [row, line]))
  return rows.map((row) => lines.get(row) as string)
}

/** Which rows a question is about, in an order that no two rows share. */
export async function pickRows(
  database: Database,
  file: PredictionFile,
  question: RowQuestion,
): Promise<PickedRow[]> {
  const { sql, parameters } = selectRows(file, question)
  return database.rows<PickedRow & Record<string, unknown>>(sql, parameters)
}

/** The same as SQL, to be read from. */
export function selectRows(
  file: PredictionFile,
  { where, order, after, limit, offset = 0 }: RowQuestion,
): { readonly sql: string; readonly parameters: Parameters } {
  const value = order === null ? null : columnOrNull(file, order.column, 'double')
  const following = after === null ? null : whatFollows(value, order, after)
  const conditions = [where?.sql, following?.sql].filter((sql) => sql !== undefined)
  const sql = `
    select file_row_number as row, ${value ?? 'null::double'} as value
    from ${numberedRowsOf(file)}
    ${conditions.length === 0 ? '' : `where ${conditions.map((one) => `(${one})`).join(' and ')}`}
    order by ${value === null ? '' : `value ${order?.isDescending ? 'desc' : 'asc'} nulls last, `}row
    ${limit === null ? '' : `limit ${limit} offset ${offset}`}`
  return { sql, parameters: { ...where?.parameters, ...following?.parameters } }
}

/** Rows behind the start in the order of the page. */
function whatFollows(
  value: string | null,
  order: RowOrder | null,
  after: PickedRow,
): { sql: string; parameters: Parameters } {
  const later = `file_row_number > ${after.row}`
  if (value === null) return { sql: later, parameters: {} }
  if (after.value === null) return { sql: `${value} is null and ${later}`, parameters: {} }
  const beyond = order?.isDescending ? '<' : '>'
  return {
    sql: `${value} ${beyond} $after or (${value} = $after and ${later}) or ${value} is null`,
    parameters: { after: after.value },
  }
}

/** A column as that type; null for every row where the file does not have it. */
export function columnOrNull(file: PredictionFile, name: string, type: 'double' | 'varchar'): string {
  return file.columns.has(name) ? `${quoteName(name)}::${type}` : `null::${type}`
}

/** The file as a relation. */
export function rowsOf(file: PredictionFile): string {
  return `read_parquet(${quoteText(file.path)}, hive_partitioning = false)`
}

/** The file as a relation with `file_row_number`, from 0. */
export function numberedRowsOf(file: PredictionFile): string {
  return `read_parquet(${quoteText(file.path)}, hive_partitioning = false, file_row_number = true)`
}
