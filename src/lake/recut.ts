import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Commit, type LakeFile, type LakeState, paddedSequence, type SourceReading } from './commits.ts'
import { type Database, quoteText } from './database.ts'
import { publish } from './durable-files.ts'

export interface RecutOptions {
  readonly folder: string
  readonly staging: string
  readonly before: LakeState
  readonly record: Commit
}

/**
 * Cuts the days of a source's rows anew, in the record's timezone: of rows that no source can give again. Writes other
 * files in place of its files and puts both into the record, which is not written yet.
 */
export async function recutDays(
  database: Database,
  reading: SourceReading,
  { folder, staging, before, record }: RecutOptions,
): Promise<void> {
  if (reading.table === 'customers') return
  const part = { events: 'type', responses: 'metric', interventions: 'initiative' }[reading.table]
  const own = before.files.filter(({ source }) => source === reading.key)
  const day = `("at" at time zone ${quoteText(record.timezone)})::date`
  const written: LakeFile[] = []
  for (const [place, file] of own.entries()) {
    const staged = join(staging, 'recut.parquet')
    await rm(staged, { force: true })
    await database.run(`
      copy (
        select * replace (${day} as day)
        from read_parquet(${quoteText(join(folder, file.path))}, hive_partitioning = false)
      ) to ${quoteText(staged)} (format parquet, compression zstd)`)
    const name = `${paddedSequence(record.sequence)}-recut-${reading.table}-${place}.parquet`
    const path = join(reading.table, `bucket=${file.bucket}`, name)
    await publish(staged, join(folder, path))
    written.push({ ...file, path })
  }
  record.remove.push(...own.map(({ path }) => path))
  record.add.push(...written)
  const paths = written.map(({ path }) => quoteText(join(folder, path))).join(', ')
  if (written.length === 0) return
  const spans = await database.rows<{ part: string; rows: number; firstDay: string; lastDay: string }>(`
    select ${part} as part, count(*) as rows, min(day)::varchar as "firstDay", max(day)::varchar as "lastDay"
    from read_parquet([${paths}], union_by_name = true, hive_partitioning = false)
    group by all
    order by all`)
  record.sources.push({
    ...reading,
    spans: Object.fromEntries(spans.map(({ part, ...span }) => [part, span])),
  })
}
