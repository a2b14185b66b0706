import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { apiSourceKey, type Program, type TableName, tableNames } from '../domain/program.ts'
import { silentReporter } from '../domain/progress.ts'
import { tableShapes } from '../domain/tables.ts'
import type { SourceReading } from './commits.ts'
import { type Database, quoteName, quoteText } from './database.ts'
import { selectFresh } from './fresh.ts'
import { bucketSql, extraColumns, type Lake, lakeColumns, readTable } from './lake.ts'
import { openSent } from './sent-rows.ts'
import { stageSource } from './staging.ts'

export interface CustomerRowsOptions {
  readonly program: Program
  readonly lake: Lake
  readonly customerId: string
  /** Rows of the customer that the lake does not have yet, as lines of JSON. */
  readonly waiting: Readonly<Record<TableName, readonly string[]>>
  /** The clock, ISO 8601. */
  readonly now: string
  /** Of the database, for files. */
  readonly scratchFolder: string
}

/**
 * Everything about one customer, as the tables `customer_events`, `customer_customers` and so on: what the lake has and
 * what waits for the next ingest, read as that would read it.
 *
 * @returns the lake with the columns of what waits.
 */
export async function makeCustomerTables(database: Database, options: CustomerRowsOptions): Promise<Lake> {
  const { lake, customerId } = options
  const { bucket } = await database.row<{ bucket: number }>(
    `select ${bucketSql(lake.state.buckets)} as bucket from (select $customer as customer_id)`,
    { customer: customerId },
  )
  const sources = new Map(lake.state.sources)
  for (const table of tableNames) {
    const rows = readTable(lake, table, { prefix: tableShapes[table].extraPrefix, buckets: [bucket] })
    await database.run(
      `create table customer_${table} as select * from ${rows} where customer_id = ${quoteText(customerId)}`,
    )
    const columns = await addWaiting(database, { ...options, table })
    if (columns === null) continue
    const key = apiSourceKey(table)
    const earlier = sources.get(key) ?? nothingRead(key, table)
    sources.set(key, { ...earlier, columns: { ...earlier.columns, ...columns } })
  }
  return { ...lake, state: { ...lake.state, sources } }
}

/** Null where nothing waits. */
async function addWaiting(
  database: Database,
  { program, lake, waiting, now, scratchFolder, table }: CustomerRowsOptions & { table: TableName },
): Promise<SourceReading['columns'] | null> {
  if (waiting[table].length === 0) return null
  const path = join(scratchFolder, `waiting-${table}.ndjson`)
  await writeFile(path, `${waiting[table].join('\n')}\n`)
  const key = apiSourceKey(table)
  const relation = await openSent(database, { table, path, lake, warn: silentReporter.warn })
  const { columns, identity } = await stageSource(database, relation, {
    ...{ program, now, reporter: silentReporter, isFirst: false },
    known: extraColumns(lake.state, table),
    earlier: Object.keys(lake.state.sources.get(key)?.columns ?? {}),
  })
  const names = Object.keys(columns)
  const sequence = lake.state.sequence + 1
  await selectFresh(database, { table, source: key, lake, sequence, now, columns: names, identity })
  const own = lakeColumns[table]
    .filter(([name]) => name !== 'day')
    .map(([name, type]) => `${quoteName(name)}::${type} as ${quoteName(name)}`)
  const extras = names.map((name) => quoteName(tableShapes[table].extraPrefix + name))
  const more =
    table === 'customers'
      ? `${quoteText(key)} as source`
      : `("at" at time zone ${quoteText(program.timezone)})::date as day`
  await database.run(`
    create or replace table customer_${table} as
    from customer_${table}
    union all by name
    select ${[...own, ...extras, more].join(', ')} from fresh`)
  return columns
}

function nothingRead(key: string, table: TableName): SourceReading {
  return {
    ...{ key, table, meaning: '', definition: '', inputs: null, reasons: {}, spans: {}, columns: {} },
    counts: { read: 0, stored: 0, duplicate: 0, quarantined: 0 },
    quarantine: [],
    inbox: null,
  }
}
