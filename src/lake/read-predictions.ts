import type { PredictionColumn } from '../domain/prediction.ts'
import { Database, type Parameters, quoteName, quoteText } from './database.ts'
import type { PredictionRow } from './predictions.ts'

/** A published file of predictions and the columns it has: a program may have got other outcomes since. */
export interface PredictionFile {
  /** Absolute. */
  readonly path: string
  readonly columns: ReadonlySet<string>
}

/** Where a page begins: after this customer, whose sorted column holds this value. */
export interface PageStart {
  readonly customerId: string
  /** Null where the column is empty, or where rows are ordered by customer alone. */
  readonly value: number | null
}

export interface PageQuestion {
  /** What to read; a column that the file does not have is null. */
  readonly columns: readonly PredictionColumn[]
  /** Highest first, empty last; null: by customer. */
  readonly sortColumn: string | null
  /** Null: from the start. */
  readonly after: PageStart | null
  readonly limit: number
}

/** Most rows of a page. */
export const longestPage = 1000

/** A database to read predictions with. It first picks the rows of a page, then reads their wide columns. */
export async function openReadingDatabase(options: {
  readonly spillFolder: string
  readonly memoryLimit: string
}): Promise<Database> {
  const database = await Database.open({ ...options, timezone: 'UTC' })
  await database.run(`set late_materialization_max_rows = ${longestPage + 1}`)
  return database
}

/** Opens a published file. **Errors** DuckDB's own where it is not there or not readable. */
export async function openPredictions(database: Database, path: string): Promise<PredictionFile> {
  const found = await database.rows<{ name: string }>(
    `select name from parquet_schema(${quoteText(path)}) where num_children is null`,
  )
  return { path, columns: new Set(found.map(({ name }) => name)) }
}

/** The row of one customer; null where the file has none. */
export async function readPrediction(
  database: Database,
  file: PredictionFile,
  { columns, customerId }: { columns: readonly PredictionColumn[]; customerId: string },
): Promise<PredictionRow | null> {
  const rows = await database.rows<PredictionRow>(
    `select ${selected(file, columns)} from ${rowsOf(file)} where customer_id = $customer`,
    { customer: customerId },
  )
  return rows[0] ?? null
}

/** The next rows in an order that no two rows share: by the sorted column, then by customer. */
export async function readPredictionPage(
  database: Database,
  file: PredictionFile,
  question: PageQuestion,
): Promise<PredictionRow[]> {
  const sort = question.sortColumn === null ? null : columnOrNull(file, question.sortColumn, 'double')
  const [condition, parameters] = whatFollows(sort, question.after)
  return database.rows<PredictionRow>(
    `
    select ${selected(file, question.columns)}
    from ${rowsOf(file)}
    where ${condition}
    order by ${sort === null ? '' : `${sort} desc nulls last, `}customer_id
    limit $limit`,
    { ...parameters, limit: question.limit },
  )
}

/** Rows behind the start in the order of the page. */
function whatFollows(sort: string | null, after: PageStart | null): [condition: string, Parameters] {
  if (after === null) return ['true', {}]
  if (sort === null) return ['customer_id > $customer', { customer: after.customerId }]
  if (after.value === null) {
    return [`${sort} is null and customer_id > $customer`, { customer: after.customerId }]
  }
  return [
    `(${sort} < $value or (${sort} = $value and customer_id > $customer) or ${sort} is null)`,
    { customer: after.customerId, value: after.value },
  ]
}

function selected(file: PredictionFile, columns: readonly PredictionColumn[]): string {
  return columns
    .map(
      ({ name, type }) =>
        `${columnOrNull(file, name, type === 'double' ? 'double' : 'varchar')} as ${quoteName(name)}`,
    )
    .join(', ')
}

/** A column as that type; null for every row where the file does not have it. */
export function columnOrNull(file: PredictionFile, name: string, type: 'double' | 'varchar'): string {
  return file.columns.has(name) ? `${quoteName(name)}::${type}` : `null::${type}`
}

/** The file as a relation. */
export function rowsOf(file: PredictionFile): string {
  return `read_parquet(${quoteText(file.path)}, hive_partitioning = false)`
}
