import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { failure } from '../domain/errors.ts'
import type { Program, Source } from '../domain/program.ts'
import { tableNames } from '../domain/program.ts'
import type { Reporter } from '../domain/progress.ts'
import { tableShapes } from '../domain/tables.ts'
import { selectFresh, writeBatch } from '../lake/batch.ts'
import {
  appendCommit,
  applyCommit,
  type Commit,
  type Counts,
  type LakeState,
  type SourceReading,
  type Span,
} from '../lake/commits.ts'
import { Database, quoteText } from '../lake/database.ts'
import { publish } from '../lake/durable-files.ts'
import { extraColumns, lakeFolder, openLake } from '../lake/lake.ts'
import { whileLocked } from '../lake/lock.ts'
import { listInputs, openSource } from '../lake/source.ts'
import { stageSource, writeQuarantine } from '../lake/staging.ts'

export interface IngestOptions {
  readonly dataFolder: string
  /** The clock, ISO 8601. */
  readonly now: string
  readonly reporter: Reporter
  /** Forget what the lake holds of the sources and read them anew. */
  readonly isRebuild?: boolean
}

export interface SourceReport extends Counts {
  readonly source: string
  readonly table: string
  /** Not read: its files have not changed since the last ingest. */
  readonly isUnchanged: boolean
  readonly reasons: Readonly<Record<string, number>>
}

/** Every source: read = stored + duplicate + quarantined. */
export interface IngestReport {
  readonly program: string
  /** Number of the lake's commit after the ingest. */
  readonly commit: number
  readonly sources: readonly SourceReport[]
}

/**
 * Sources → lake. Idempotent: what is there already is not stored again. All sources become visible in one commit;
 * a killed ingest leaves the lake as it was.
 */
export async function ingest(program: Program, options: IngestOptions): Promise<IngestReport> {
  const folder = lakeFolder(options.dataFolder, program)
  return whileLocked(folder, options, async () => {
    const lake = await openLake(options.dataFolder, program)
    await sweep(folder, lake.state)
    checkTimezone(program, lake.state, options)
    const staging = join(folder, 'staging')
    await mkdir(staging, { recursive: true })
    const database = await Database.open({
      spillFolder: join(staging, 'spill'),
      timezone: program.timezone,
      path: join(staging, 'scratch.duckdb'),
    })
    try {
      return await ingestSources({ program, options, folder, staging, database }, lake.state)
    } finally {
      database.close()
      await rm(staging, { recursive: true, force: true })
    }
  })
}

interface Work {
  readonly program: Program
  readonly options: IngestOptions
  readonly folder: string
  readonly staging: string
  readonly database: Database
}

async function ingestSources(work: Work, before: LakeState): Promise<IngestReport> {
  const { program, options, folder } = work
  const sources = tableNames.flatMap((table) => program.sources[table])
  const record: Commit = {
    sequence: before.sequence + 1,
    at: options.now,
    buckets: before.buckets,
    timezone: program.timezone,
    add: [],
    remove: options.isRebuild ? [...before.files.map((file) => file.path), ...before.quarantine] : [],
    sources: [],
    quarantine: [],
    predictions: [],
  }
  const reports: SourceReport[] = []
  for (const [index, source] of sources.entries()) {
    options.reporter.progress({ phase: 'ingest', done: index, total: sources.length, note: source.key })
    reports.push(await ingestSource(work, { source, before, record }))
  }
  options.reporter.progress({ phase: 'ingest', done: sources.length, total: sources.length })
  if (record.sources.length === 0) return { program: program.name, commit: before.sequence, sources: reports }
  await appendCommit(folder, record)
  return { program: program.name, commit: record.sequence, sources: reports }
}

async function ingestSource(
  work: Work,
  { source, before, record }: { source: Source; before: LakeState; record: Commit },
): Promise<SourceReport> {
  const { program, options, database, folder, staging } = work
  const earlier = options.isRebuild ? undefined : before.sources.get(source.key)
  if (earlier && (await isUnchanged(database, source, { earlier, program }))) {
    const { read } = earlier.counts
    return {
      source: source.key,
      table: source.table,
      isUnchanged: true,
      read,
      stored: 0,
      duplicate: read,
      quarantined: 0,
      reasons: {},
    }
  }
  const isReplaced = earlier !== undefined && (source.isFullPicture || earlier.meaning !== source.meaning)
  if (isReplaced) {
    const own = before.files.filter((file) => file.source === source.key)
    record.remove.push(...own.map((file) => file.path))
    if (!source.isFullPicture) {
      options.reporter.warn(
        `The definition of sources.${source.key} changed since the last ingest: its earlier rows are replaced by this reading.`,
      )
    }
  }
  const relation = await openSource(database, source, program.folder)
  const state = applyCommit(before, record)
  const extras = await stageSource(database, relation, {
    program,
    now: options.now,
    known: extraColumns(state, source.table),
  })
  const batch = {
    table: source.table,
    source: source.key,
    sequence: record.sequence,
    lake: { folder, state },
    timezone: program.timezone,
    now: options.now,
    prefix: tableShapes[source.table].extraPrefix,
    extras: [...extras.keys()],
  }
  await selectFresh(database, batch)
  const counts = await countRows(database)
  const quarantined = join(
    'quarantine',
    `${String(record.sequence).padStart(8, '0')}-${source.key.replaceAll(/[^a-z0-9]/g, '-')}.parquet`,
  )
  const reasons = await writeQuarantine(database, relation, join(staging, 'quarantine.parquet'))
  if (counts.quarantined > 0) {
    await publish(join(staging, 'quarantine.parquet'), join(folder, quarantined))
    record.quarantine.push(quarantined)
  }
  record.add.push(...(await writeBatch(database, staging, batch)))
  record.sources.push({
    key: source.key,
    table: source.table,
    meaning: source.meaning,
    definition: definitionOf(source),
    inputs: relation.inputs === null ? null : [...relation.inputs],
    counts,
    reasons,
    spans: mergeSpans(isReplaced ? {} : (earlier?.spans ?? {}), await freshSpans(database, source)),
    columns: { ...(isReplaced ? {} : earlier?.columns), ...Object.fromEntries(extras) },
  })
  return { source: source.key, table: source.table, isUnchanged: false, ...counts, reasons }
}

async function isUnchanged(
  database: Database,
  source: Source,
  { earlier, program }: { earlier: SourceReading; program: Program },
): Promise<boolean> {
  if (earlier.inputs === null || earlier.definition !== definitionOf(source)) return false
  const inputs = await listInputs(database, source, program.folder)
  return JSON.stringify(inputs) === JSON.stringify(earlier.inputs)
}

function definitionOf({ sql, file, columns, isFullPicture }: Source): string {
  return JSON.stringify({ sql, file, columns, isFullPicture })
}

async function countRows(database: Database): Promise<Counts> {
  const counts = await database.row<{ read: number; quarantined: number; stored: number }>(`
    select
      (select count(*) from staged) as read,
      (select count(*) from staged where reason is not null) as quarantined,
      (select count(*) from fresh) as stored`)
  return { ...counts, duplicate: counts.read - counts.quarantined - counts.stored }
}

/** First and last day of what was just read, by event type or metric. */
async function freshSpans(database: Database, source: Source): Promise<Record<string, Span>> {
  if (source.table === 'customers') return {}
  const part = { events: 'type', responses: 'metric', interventions: 'initiative' }[source.table]
  const rows = await database.rows<{ part: string; rows: number; first: string; last: string }>(`
    select ${part} as part, count(*) as rows, min(day)::varchar as first, max(day)::varchar as last
    from fresh group by part order by part`)
  return Object.fromEntries(
    rows.map((row) => [row.part, { rows: row.rows, firstDay: row.first, lastDay: row.last }]),
  )
}

function mergeSpans(earlier: Record<string, Span>, fresh: Record<string, Span>): Record<string, Span> {
  const merged = { ...earlier }
  for (const [part, span] of Object.entries(fresh)) {
    const known = merged[part]
    merged[part] = known
      ? {
          rows: known.rows + span.rows,
          firstDay: known.firstDay < span.firstDay ? known.firstDay : span.firstDay,
          lastDay: known.lastDay > span.lastDay ? known.lastDay : span.lastDay,
        }
      : span
  }
  return merged
}

function checkTimezone(program: Program, state: LakeState, options: IngestOptions): void {
  if (state.timezone === null || state.timezone === program.timezone || options.isRebuild) return
  throw failure(
    'timezone-changed',
    `The lake of ${program.name} cut its days in ${state.timezone}; the program file now says ${program.timezone}. Run ingest with --rebuild to cut them anew.`,
  )
}

/** Removes what a killed writer left behind: files that no record names. */
async function sweep(folder: string, state: LakeState): Promise<void> {
  await rm(join(folder, 'staging'), { recursive: true, force: true })
  const named = new Set([
    ...state.files.map((file) => file.path),
    ...state.quarantine,
    ...[...state.predictions.values()].map((day) => day.path),
  ])
  for (const table of [...tableNames, 'quarantine', 'predictions']) {
    const found = await readdir(join(folder, table), { recursive: true, withFileTypes: true }).catch(() => [])
    for (const entry of found) {
      if (!entry.isFile()) continue
      const path = join(entry.parentPath, entry.name)
      if (!named.has(path.slice(folder.length + 1))) await rm(path)
    }
  }
}

/** A readable view of everything a lake refused: source, row, reason, the row itself. */
export function quarantineRelation(folder: string, state: LakeState): string | null {
  if (state.quarantine.length === 0) return null
  return `read_parquet([${state.quarantine.map((path) => quoteText(join(folder, path))).join(', ')}])`
}
