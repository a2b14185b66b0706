import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TableName } from '../domain/program.ts'
import { tableShapes } from '../domain/tables.ts'
import { type LakeFile, paddedSequence, type Span } from './commits.ts'
import { type Database, quoteName, quoteText } from './database.ts'
import { publish } from './durable-files.ts'
import { bucketSql, type Lake, lakeColumns } from './lake.ts'

export interface BatchOptions {
  readonly table: TableName
  readonly source: string
  /** Number of the commit that will name the batch. */
  readonly sequence: number
  readonly lake: Lake
  /** Days are cut in it. */
  readonly timezone: string
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
  const { table, lake, source, staging } = options
  const folder = join(staging, 'batch')
  await rm(folder, { recursive: true, force: true })
  await copyFresh(database, folder, options)
  const written = await writtenFiles(folder)
  const spans = await readSpans(database, written, options)
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

/** Of zstd: the lowest, which packs nearly as well as the next ones: keys and times do not get smaller by any. */
const level = 1

/** All buckets in one pass. What is dear to work out, hashes and local days, is worked out once a value. */
async function copyFresh(database: Database, folder: string, options: BatchOptions): Promise<void> {
  const { table, lake, columns, timezone } = options
  const own = lakeColumns[table]
    .filter(([name]) => name !== 'day')
    .map(([name, type]) => `${quoteName(name)}::${type} as ${quoteName(name)}`)
  const wanted = [...own, ...columns.map((name) => quoteName(tableShapes[table].extraPrefix + name))]
  const isDated = table !== 'customers'
  await database.run(`
    create or replace table customer_buckets as
    select customer_id, ${bucketSql(lake.state.buckets)} as bucket
    from (select distinct customer_id from staged where reason is null)`)
  if (isDated) await makeLocalDays(database, timezone)
  // Its guess of how many rows match a local day is far too low: it would put all rows into a table to look for the days.
  await database.run("set disabled_optimizers = 'join_order,build_side_probe_side'")
  await database
    .run(`
    copy (
      select
        ${wanted.join(', ')},
        ${isDated ? `coalesce(local_days.day, ${localDay('"at"', timezone)}) as day,` : ''}
        bucket
      from fresh
      join customer_buckets using (customer_id)
      ${isDated ? `join local_days on local_days.quarter = epoch_us("at") // ${quarterMicros}` : ''}
    ) to ${quoteText(folder)} (format parquet, compression zstd, compression_level ${level}, partition_by (bucket))`)
    .finally(() => database.run('reset disabled_optimizers'))
}

/** A quarter of an hour in microseconds: in most zones days begin only between two of them. */
const quarterMicros = 900_000_000

/** The local day of each quarter of an hour that occurs; null where a new day begins within it. */
async function makeLocalDays(database: Database, timezone: string): Promise<void> {
  const dayOf = (micros: string) => localDay(`make_timestamptz(${micros})`, timezone)
  await database.run(`
    create or replace table local_days as
    select
      quarter,
      case
        when ${dayOf(`quarter * ${quarterMicros}`)} = ${dayOf(`(quarter + 1) * ${quarterMicros} - 1`)}
        then ${dayOf(`quarter * ${quarterMicros}`)}
      end as day
    from (select distinct epoch_us("at") // ${quarterMicros} as quarter from staged where reason is null)`)
}

function localDay(instant: string, timezone: string): string {
  return `(${instant} at time zone ${quoteText(timezone)})::date`
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
  written: readonly { path: string }[],
  { table, timezone }: BatchOptions,
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
      select ${part} as part, ${localDay('min("at")', timezone)}::varchar as first, ${localDay('max("at")', timezone)}::varchar as last
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
