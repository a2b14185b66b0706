import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Inbox } from '../control/inbox.ts'
import { failure } from '../domain/errors.ts'
import type { Program, Source } from '../domain/program.ts'
import type { Reporter } from '../domain/progress.ts'
import {
  appendCommit,
  applyCommit,
  type Commit,
  type Counts,
  type InputFile,
  type LakeState,
  nextCommit,
  type SourceReading,
} from '../lake/commits.ts'
import { compact } from '../lake/compaction.ts'
import { Database } from '../lake/database.ts'
import { listInputs } from '../lake/inputs.ts'
import { lakeFolder, openLake } from '../lake/lake.ts'
import { whileLocked } from '../lake/lock.ts'
import { readSource } from '../lake/read-source.ts'
import { definitionOf, isSent, matchSources, sourcesOf } from '../lake/readings.ts'
import { sweep } from '../lake/sweep.ts'
import { ingestSent, sweepSent, withInbox } from './ingest-sent.ts'

export interface IngestOptions {
  readonly dataFolder: string
  /** The clock, ISO 8601. */
  readonly now: string
  readonly reporter: Reporter
  /** Forget what the lake holds of the sources and read them anew. */
  readonly isRebuild?: boolean
  /** Of a new lake. A lake keeps those that it was made with. @default 8 */
  readonly buckets?: number | null
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
 * Sources, and what was sent through the API → lake. Idempotent: what is there already is not stored again. All sources become visible in one commit;
 * a killed ingest leaves the lake as it was.
 */
export async function ingest(program: Program, options: IngestOptions): Promise<IngestReport> {
  const folder = lakeFolder(options.dataFolder, program)
  return whileLocked(folder, options, async () => {
    const { state } = await openLake(options.dataFolder, program)
    checkTimezone(program, state, options)
    await sweep(folder, state, options.now)
    const staging = join(folder, 'staging')
    await mkdir(staging, { recursive: true })
    const database = await Database.open({ spillFolder: join(staging, 'spill'), timezone: program.timezone })
    try {
      const work = { program, options, folder, staging, database }
      return await withInbox(options.dataFolder, program, (inbox) => ingestSources(work, state, inbox))
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

async function ingestSources(work: Work, before: LakeState, inbox: Inbox | null): Promise<IngestReport> {
  const { program, options, folder } = work
  const { record, earlier } = startRecord(work, before)
  const sources = sourcesOf(program)
  const reports: SourceReport[] = []
  for (const [index, source] of sources.entries()) {
    options.reporter.progress({ phase: 'ingest', done: index, total: sources.length, note: source.key })
    reports.push(await ingestSource(work, { source, before, record, earlier: earlier.get(source.key) }))
  }
  if (inbox) {
    const sent = await ingestSent({ ...options, ...work }, { inbox, before, record })
    reports.push(...sent.map((one) => ({ ...one, isUnchanged: false })))
  }
  options.reporter.progress({ phase: 'ingest', done: sources.length, total: sources.length })
  const hasNews = record.sources.length + record.forgotten.length + Object.keys(record.renamed).length > 0
  if (hasNews) {
    await compact(work.database, { ...work, before, record })
    await appendCommit(folder, record)
  }
  if (inbox) sweepSent(inbox, hasNews ? applyCommit(before, record) : before, options.now)
  const commit = hasNews ? record.sequence : before.sequence
  return { program: program.name, commit, sources: reports }
}

/** The record of this ingest, before any source is read, and what was read of each source before. */
function startRecord(
  { program, options }: Work,
  before: LakeState,
): { record: Commit; earlier: ReadonlyMap<string, SourceReading> } {
  const record = nextCommit(before, { at: options.now, timezone: program.timezone })
  record.buckets = bucketsOf(program, before, options)
  if (options.isRebuild) {
    const read = [...before.sources.values()].filter((reading) => !isSent(reading)).map(({ key }) => key)
    record.remove.push(...before.files.filter(({ source }) => read.includes(source)).map(({ path }) => path))
    record.forgotten.push(...read)
    return { record, earlier: new Map() }
  }
  const { earlier, renamed, forgotten } = matchSources(program, before)
  Object.assign(record.renamed, renamed)
  for (const { key, table } of forgotten) {
    const gone = before.files.filter(({ source }) => source === key)
    const rows = gone.reduce((sum, file) => sum + file.rows, 0)
    record.forgotten.push(key)
    record.remove.push(...gone.map(({ path }) => path))
    options.reporter.warn(
      `The program file no longer has the source that was sources.${key}: its ${rows} rows of ${table} leave the lake.`,
    )
  }
  return { record, earlier }
}

interface SourceWork {
  readonly source: Source
  readonly before: LakeState
  readonly record: Commit
  readonly earlier: SourceReading | undefined
}

async function ingestSource(
  work: Work,
  { source, before, record, earlier }: SourceWork,
): Promise<SourceReport> {
  const { options } = work
  const added = earlier === undefined ? null : await addedFiles(work, source, earlier)
  if (earlier && added?.length === 0) return unchangedReport(source, earlier)
  const isNewMeaning = earlier !== undefined && earlier.meaning !== source.meaning
  const isReplaced = isNewMeaning || (earlier !== undefined && source.isFullPicture)
  if (isReplaced) {
    const own = applyCommit(before, record).files.filter((file) => file.source === source.key)
    record.remove.push(...own.map(({ path }) => path))
  }
  if (isNewMeaning && !source.isFullPicture) {
    options.reporter.warn(
      `The definition of sources.${source.key} changed since the last ingest: its earlier rows are replaced by this reading.`,
    )
  }
  const { reading, files, counts, reasons } = await readSource({
    ...work,
    ...(added && canBeAdded(source) && { added }),
    source,
    now: options.now,
    reporter: options.reporter,
    sequence: record.sequence,
    state: applyCommit(before, record),
    earlier: isReplaced ? undefined : earlier,
  })
  record.add.push(...files)
  record.sources.push(reading)
  return { source: source.key, table: source.table, isUnchanged: false, ...counts, reasons }
}

/** Files that are new where the others are as they were; null: some changed, or it cannot be told. */
async function addedFiles(
  { database, program }: Work,
  source: Source,
  earlier: SourceReading,
): Promise<InputFile[] | null> {
  if (earlier.inputs === null || earlier.definition !== definitionOf(source)) return null
  const known = new Set(earlier.inputs.map((input) => JSON.stringify(input)))
  const now = (await listInputs(database, source, program.folder)) ?? []
  const added = now.filter((input) => !known.has(JSON.stringify(input)))
  return now.length - added.length === known.size ? added : null
}

/** Whether new files of a source can be read without the others: a full picture, or a select, is one whole. */
function canBeAdded({ table, file, isFullPicture }: Source): boolean {
  return table !== 'customers' && file !== null && !isFullPicture
}

function unchangedReport(source: Source, { counts: { read } }: SourceReading): SourceReport {
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

function bucketsOf(program: Program, { sequence, buckets }: LakeState, options: IngestOptions): number {
  const wanted = options.buckets ?? buckets
  if (sequence === 0) return wanted
  if (wanted !== buckets)
    options.reporter.warn(
      `The lake of ${program.name} was made with ${buckets} buckets and keeps them; ${wanted} are for a new lake.`,
    )
  return buckets
}

function checkTimezone(program: Program, state: LakeState, options: IngestOptions): void {
  if (state.timezone === null || state.timezone === program.timezone || options.isRebuild) return
  throw failure(
    'timezone-changed',
    `The lake of ${program.name} cut its days in ${state.timezone}; the program file now says ${program.timezone}. Run ingest with --rebuild to cut them anew.`,
  )
}
