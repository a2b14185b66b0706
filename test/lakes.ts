import type { Program, TableName } from '../src/domain/program.ts'
import { silentReporter } from '../src/domain/progress.ts'
import { tableShapes } from '../src/domain/tables.ts'
import { type IngestReport, ingest } from '../src/jobs/ingest.ts'
import { quoteText } from '../src/lake/database.ts'
import { openLake, readTable } from '../src/lake/lake.ts'
import { type FileRow, type MadeProgram, queryRows } from './programs.ts'

/** The clock of tests. */
export const now = '2026-11-20T12:00:00Z'

/** An ingest that also tells what it warned of. */
export interface Ingested extends IngestReport {
  readonly notes: readonly string[]
}

/** Ingests a made program, or another program into its lake. */
export async function ingestMade(
  made: Pick<MadeProgram, 'dataFolder' | 'program'>,
  options: { program?: Program; now?: string; isRebuild?: boolean; buckets?: number } = {},
): Promise<Ingested> {
  const notes: string[] = []
  const reporter = { ...silentReporter, warn: (sentence: string) => notes.push(sentence) }
  const { program = made.program, ...more } = options
  const report = await ingest(program, { dataFolder: made.dataFolder, now, reporter, ...more })
  return { ...report, notes }
}

/** What an ingest counted, source by source: `[read, stored, duplicate, quarantined]`. */
export function countsOf(report: IngestReport): number[][] {
  return report.sources.map(({ read, stored, duplicate, quarantined }) => [
    read,
    stored,
    duplicate,
    quarantined,
  ])
}

/** A query over a table of the lake, called `rows`; instants are shown in UTC. */
export async function queryLake<T extends FileRow = FileRow>(
  made: Pick<MadeProgram, 'dataFolder' | 'program'>,
  table: TableName,
  query = 'select * from rows',
): Promise<T[]> {
  const lake = await openLake(made.dataFolder, made.program)
  const relation = readTable(lake, table, { prefix: tableShapes[table].extraPrefix })
  return queryRows<T>(`with rows as ${relation} ${query}`)
}

/** The refused rows of all sources: `source source_row reason row`. */
export async function refusedRows(
  made: Pick<MadeProgram, 'dataFolder' | 'program'>,
): Promise<{ source: string; row: number; reason: string; raw: Record<string, unknown> }[]> {
  const { folder, state } = await openLake(made.dataFolder, made.program)
  const paths = [...state.sources.values()].flatMap(({ quarantine }) => quarantine)
  if (paths.length === 0) return []
  const files = paths.map((path) => quoteText(`${folder}/${path}`)).join(', ')
  const rows = await queryRows<{ source: string; row: number; reason: string; raw: string }>(
    `select source, source_row as row, reason, row as raw from read_parquet([${files}]) order by source, source_row`,
  )
  return rows.map((row) => ({ ...row, raw: JSON.parse(row.raw) }))
}
