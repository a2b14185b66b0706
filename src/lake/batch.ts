import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TableName } from '../domain/program.ts'
import { tableShapes } from '../domain/tables.ts'
import { type LakeFile, paddedSequence, type Span } from './commits.ts'
import { type Database, quoteName, quoteText } from './database.ts'
import { publish } from './durable-files.ts'
import { type Lake, lakeColumns } from './lake.ts'

export interface BatchOptions {
  readonly table: TableName
  readonly source: string
  /** Number of the commit that will name the batch. */
  readonly sequence: number
  readonly lake: Lake
  /** Properties or attributes of this reading. */
  readonly columns: readonly string[]
  /** Folder for what is not finished yet, on the lake's disk. */
  readonly staging: string
}

/** What was written, and what the reading supplied by event type, metric or initiative. */
export interface Batch {
  readonly files: readonly LakeFile[]
  readonly spans: Readonly<Record<string, Span>>
}

/** Writes `fresh` by buckets, durably, where the next commit record will name it. */
export async function writeBatch(database: Database, options: BatchOptions): Promise<Batch> {
  const { table, lake, source, columns, staging } = options
  const folder = join(staging, 'batch')
  await rm(folder, { recursive: true, force: true })
  const wanted = [
    ...lakeColumns[table].map(([name]) => name),
    ...columns.map((name) => tableShapes[table].extraPrefix + name),
  ]
  await database.run(`
    create or replace table customer_buckets as
    select customer_id, (md5_number_lower(customer_id) % ${lake.state.buckets})::integer as bucket
    from (select distinct customer_id from staged where reason is null)`)
  await database.run(`
    copy (
      select ${wanted.map(quoteName).join(', ')}, bucket
      from fresh
      join customer_buckets using (customer_id)
    ) to ${quoteText(folder)} (format parquet, compression zstd, partition_by (bucket))`)
  const written = await writtenFiles(folder)
  const spans = await readSpans(database, table, written)
  const files: LakeFile[] = []
  for (const [place, { path: staged, bucket }] of written.entries()) {
    const { rows } = await database.row<{ rows: number }>(
      `select num_rows as rows from parquet_file_metadata(${quoteText(staged)})`,
    )
    const name = `${paddedSequence(options.sequence)}-${fileName(source)}-${place}.parquet`
    const path = join(table, `bucket=${bucket}`, name)
    await publish(staged, join(lake.folder, path))
    files.push({ path, table, source, bucket, rows })
  }
  return { files, spans }
}

/** A source's key as part of a file name: `events[0]` is `events-0`. */
export function fileName(sourceKey: string): string {
  return sourceKey.replaceAll(/[^a-z0-9]+/g, '-').replace(/-$/, '')
}

async function writtenFiles(folder: string): Promise<{ path: string; bucket: number }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .map((path) => ({ path, bucket: Number(/bucket=(\d+)/.exec(path.slice(folder.length))?.[1]) }))
}

/** Days from all accepted rows of the reading, numbers from what was written. */
async function readSpans(
  database: Database,
  table: TableName,
  written: readonly { path: string }[],
): Promise<Record<string, Span>> {
  if (table === 'customers') return {}
  const part = { events: 'type', responses: 'metric', interventions: 'initiative' }[table]
  const paths = written.map(({ path }) => quoteText(path)).join(', ')
  const stored =
    written.length === 0
      ? 'select null::varchar as part, 0 as rows where false'
      : `select ${part} as part, count(*) as rows from read_parquet([${paths}], hive_partitioning = false) group by all`
  const rows = await database.rows<{ part: string; rows: number; first: string; last: string }>(`
    select read.part, coalesce(stored.rows, 0) as rows, first, last
    from (
      select ${part} as part, min(day)::varchar as first, max(day)::varchar as last
      from staged
      where reason is null
      group by all
    ) as read
    left join (${stored}) as stored using (part)
    order by read.part`)
  return Object.fromEntries(
    rows.map((row) => [row.part, { rows: row.rows, firstDay: row.first, lastDay: row.last }]),
  )
}

/** What was supplied before and now, together. */
export function mergeSpans(
  earlier: Readonly<Record<string, Span>>,
  fresh: Readonly<Record<string, Span>>,
): Record<string, Span> {
  const merged = new Map(Object.entries(earlier))
  for (const [part, span] of Object.entries(fresh)) {
    const known = merged.get(part)
    merged.set(part, known ? joinSpans(known, span) : span)
  }
  return Object.fromEntries(merged)
}

function joinSpans(a: Span, b: Span): Span {
  return {
    rows: a.rows + b.rows,
    firstDay: a.firstDay < b.firstDay ? a.firstDay : b.firstDay,
    lastDay: a.lastDay > b.lastDay ? a.lastDay : b.lastDay,
  }
}
