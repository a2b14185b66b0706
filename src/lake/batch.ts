import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { TableName } from '../domain/program.ts'
import type { LakeFile } from './commits.ts'
import { type Database, quoteName, quoteText } from './database.ts'
import { publish } from './durable-files.ts'
import { type Lake, lakeColumns, readTable } from './lake.ts'

export interface BatchOptions {
  readonly table: TableName
  readonly source: string
  /** Number of the commit that will name the batch. */
  readonly sequence: number
  /** The lake before this batch, less what this source's full picture replaces. */
  readonly lake: Lake
  readonly timezone: string
  /** The clock, ISO 8601. */
  readonly now: string
  /** Prefix of the lake's columns for properties and attributes, and which the batch has. */
  readonly prefix: string
  readonly extras: readonly string[]
}

/** Column of each table that carries a row's own identity, where its source gives one. */
const ownIdentity: Readonly<Record<TableName, string | null>> = {
  events: 'event_id',
  responses: 'response_id',
  interventions: 'intervention_id',
  customers: null,
}

/**
 * From `staged`, the rows the lake does not have yet, into the table `fresh`.
 *
 * A row is known by its own id, else by the hash of its columns plus its occurrence number among equal rows of the
 * reading: genuine repeats stay, a file read again adds nothing.
 */
export async function selectFresh(database: Database, options: BatchOptions): Promise<void> {
  const { table, lake, prefix, timezone } = options
  await database.run('drop table if exists fresh')
  if (table === 'customers') {
    await selectFreshCustomers(database, options)
    return
  }
  const id = ownIdentity[table] as string
  await database.run(`
    create table fresh as
    with numbered as (
      select
        * exclude (reason, raw_row),
        ("at" at time zone ${quoteText(timezone)})::date as day,
        row_number() over (partition by content order by source_row) as occurrence
      from staged
      where reason is null
    ),
    identified as (
      select
        * exclude (content, occurrence),
        case
          when ${id} is not null then md5_number_lower('id=' || ${id})
          when occurrence = 1 then content
          else md5_number_lower(content::varchar || '#' || occurrence::varchar)
        end as row_id
      from numbered
    )
    select * from identified
    where row_id not in (select row_id from ${readTable(lake, table, { prefix })})
    qualify row_number() over (partition by row_id order by source_row) = 1`)
}

/**
 * Customers keep their history. A row with `valid_from` counts from then on. Without it the first row counts from
 * joining; a row that changed in a later reading counts from that reading, and one with a later `joined_at` from there.
 */
async function selectFreshCustomers(
  database: Database,
  { lake, source, sequence, now, prefix }: BatchOptions,
): Promise<void> {
  const earlier = readTable(lake, 'customers', { prefix })
  await database.run(`
    update staged set
      reason = 'second_undated_row',
      raw_row = to_json(staged)::varchar
    where reason is null and valid_from is null and content <> (
      select arg_min(first.content, first.source_row) from staged as first
      where first.reason is null and first.valid_from is null
        and first.customer_id = staged.customer_id
        and first.joined_at is not distinct from staged.joined_at
    )`)
  await database.run(`
    create table fresh as
    with latest as (
      select customer_id, joined_at, arg_max(row_id, ordinal) as row_id
      from ${earlier}
      where undated and source = ${quoteText(source)}
      group by customer_id, joined_at
    ),
    candidates as (
      select
        * exclude (reason, raw_row, content),
        content as row_id,
        valid_from is null as undated,
        min(joined_at) over (partition by customer_id) as first_joined_at
      from staged
      where reason is null
      qualify row_number() over (partition by content order by source_row) = 1
    )
    select
      candidates.* exclude (first_joined_at) replace (
        case
          when not candidates.undated then candidates.valid_from
          when latest.row_id is not null then timestamptz ${quoteText(now)}
          when candidates.joined_at > candidates.first_joined_at then candidates.joined_at
        end as valid_from
      ),
      ${quoteText(source)} as source,
      ${sequence}::bigint * 4294967296 + candidates.source_row as ordinal
    from candidates
    left join latest
      on candidates.undated
      and latest.customer_id = candidates.customer_id
      and latest.joined_at is not distinct from candidates.joined_at
    where case
      when candidates.undated then latest.row_id is distinct from candidates.row_id
      else candidates.row_id not in (select row_id from ${earlier} where not undated)
    end`)
}

/** Writes `fresh` as one Parquet file a bucket, durably, where the next commit record will name it. */
export async function writeBatch(
  database: Database,
  stagingFolder: string,
  options: BatchOptions,
): Promise<LakeFile[]> {
  const { table, sequence, lake, source } = options
  const { buckets } = lake.state
  const order = table === 'customers' ? 'customer_id, source_row' : 'day, customer_id, source_row'
  const wanted = [
    ...lakeColumns[table].map(([name]) => name),
    ...options.extras.map((name) => options.prefix + name),
  ]
  const bucketRows = await database.rows<{ bucket: number; rows: number }>(
    `select (md5_number_lower(customer_id) % ${buckets})::integer as bucket, count(*) as rows from fresh group by bucket order by bucket`,
  )
  const files: LakeFile[] = []
  for (const { bucket, rows } of bucketRows) {
    const name = `${String(sequence).padStart(8, '0')}-${source.replaceAll(/[^a-z0-9]+/g, '-').replace(/-$/, '')}.parquet`
    const path = join(table, `bucket=${bucket}`, name)
    const staged = join(stagingFolder, table, `bucket=${bucket}`, name)
    await mkdir(join(staged, '..'), { recursive: true })
    await database.run(`
      copy (
        select ${wanted.map(quoteName).join(', ')}
        from fresh
        where md5_number_lower(customer_id) % ${buckets} = ${bucket}
        order by ${order}
      ) to ${quoteText(staged)} (format parquet, compression zstd)`)
    await publish(staged, join(lake.folder, path))
    files.push({ path, table, source, bucket, rows })
  }
  return files
}
