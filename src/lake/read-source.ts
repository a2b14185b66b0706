import { join } from 'node:path'
import { LoyalcastError } from '../domain/errors.ts'
import type { Program, Source } from '../domain/program.ts'
import type { Reporter } from '../domain/progress.ts'
import { type Batch, fileName, mergeSpans, writeBatch } from './batch.ts'
import {
  type Counts,
  type InputFile,
  type LakeFile,
  type LakeState,
  paddedSequence,
  type SourceReading,
} from './commits.ts'
import { addMalformedLines, forgetMalformedLines } from './csv-files.ts'
import type { Database } from './database.ts'
import { selectFresh } from './fresh.ts'
import { extraColumns } from './lake.ts'
import { writeQuarantine } from './quarantine.ts'
import { definitionOf } from './readings.ts'
import { openSource, type SourceRelation } from './source.ts'
import { type StagedColumns, type StagingOptions, stageSource } from './staging.ts'

export interface ReadSourceOptions {
  readonly program: Program
  readonly source: Source
  readonly database: Database
  /** The program's lake, and the folder in it for what is not finished. */
  readonly folder: string
  readonly staging: string
  /** The lake before this reading, less what it replaces. */
  readonly state: LakeState
  /** The source's earlier reading; undefined where there is none or this one replaces it. */
  readonly earlier: SourceReading | undefined
  /** Number of the commit that will name what is written. */
  readonly sequence: number
  /** The clock, ISO 8601. */
  readonly now: string
  readonly reporter: Reporter
  /** Makes the source readable. @default as the program file says */
  readonly open?: (database: Database) => Promise<SourceRelation>
  /** Files that are new beside those of the earlier reading, which are as they were: only these are read. Absent: all. */
  readonly added?: readonly InputFile[]
}

/** What a commit needs to know of a reading. */
export interface ReadSource {
  readonly reading: SourceReading
  readonly files: readonly LakeFile[]
  /** Of what was read now. */
  readonly counts: Counts
  /** Why rows of it were refused. */
  readonly reasons: Readonly<Record<string, number>>
}

/** Reads a whole source and writes the rows that are new, and those that are refused, beside the lake's others. */
export async function readSource(options: ReadSourceOptions): Promise<ReadSource> {
  const { program, source, database, folder, staging, state, earlier, sequence, now, reporter } = options
  const others = { ...state, sources: new Map([...state.sources].filter(([key]) => key !== source.key)) }
  const known = extraColumns(earlier ? state : others, source.table)
  const { relation, columns, identity } = await stageLines(database, source, {
    program,
    now,
    reporter,
    known,
    earlier: Object.keys(earlier?.columns ?? {}),
    isFirst: earlier === undefined,
    ...(options.open && { open: options.open }),
    ...(options.added && { only: options.added }),
  })
  const batch = {
    table: source.table,
    source: source.key,
    sequence,
    lake: { folder, state },
    timezone: program.timezone,
    now,
    columns: Object.keys(columns),
    identity,
    staging,
    isAddition: options.added !== undefined,
  }
  await selectFresh(database, batch)
  const written = await writeBatch(database, batch)
  const path = join('quarantine', `${paddedSequence(sequence)}-${fileName(source.key)}.parquet`)
  const reasons = await writeQuarantine(database, source.key, { staging, path: join(folder, path) })
  const counts = await countRows(database, written)
  if (counts.stored > 0) warnOfNewColumns(options, columns)
  const isAddition = options.added !== undefined
  const kept = isAddition ? (earlier?.quarantine ?? []) : keptQuarantine(relation, earlier)
  const before = isAddition ? earlier : undefined
  const reading = {
    key: source.key,
    table: source.table,
    meaning: source.meaning,
    definition: definitionOf(source),
    inputs: relation.inputs === null ? null : [...relation.inputs],
    counts: addedUp(before?.counts ?? {}, counts) as Counts,
    reasons: addedUp(before?.reasons ?? {}, reasons),
    spans: mergeSpans(earlier?.spans ?? {}, written.spans),
    columns: { ...earlier?.columns, ...columns },
    quarantine: [...kept, ...(counts.quarantined > 0 ? [path] : [])],
    inbox: null,
  }
  return { reading, files: written.files, counts, reasons }
}

function addedUp(
  before: Readonly<Record<string, number>>,
  now: Readonly<Record<string, number>>,
): Record<string, number> {
  const names = new Set([...Object.keys(before), ...Object.keys(now)])
  return Object.fromEntries([...names].map((name) => [name, (before[name] ?? 0) + (now[name] ?? 0)]))
}

/** Malformed lines of CSV files are looked for only where a reading failed at one. */
async function stageLines(
  database: Database,
  source: Source,
  {
    open,
    only,
    ...options
  }: StagingOptions & Pick<ReadSourceOptions, 'open'> & { only?: readonly InputFile[] },
): Promise<StagedColumns & { relation: SourceRelation }> {
  const { folder } = options.program
  const stage = async (isTolerant: boolean) => {
    await forgetMalformedLines(database)
    const relation = await (open?.(database) ??
      openSource(database, source, { folder, isTolerant, ...(only && { only }) }))
    const columns = await stageSource(database, relation, options)
    await addMalformedLines(database, source, options)
    return { relation, ...columns }
  }
  return stage(false).catch((error) => {
    if (error instanceof LoyalcastError && error.code === 'malformed-csv') return stage(true)
    throw error
  })
}

async function countRows(database: Database, { files }: Batch): Promise<Counts> {
  const { read, quarantined } = await database.row<{ read: number; quarantined: number }>(
    'select count(*) as read, count(reason) as quarantined from staged',
  )
  const stored = files.reduce((sum, file) => sum + file.rows, 0)
  return { read, stored, duplicate: read - quarantined - stored, quarantined }
}

/** Refused rows of files that are not read any more; those of files read again were refused again. */
function keptQuarantine(relation: SourceRelation, earlier: SourceReading | undefined): string[] {
  if (!earlier) return []
  const read = new Set(relation.inputs?.map(({ path }) => path))
  return earlier.inputs?.some(({ path }) => !read.has(path)) ? earlier.quarantine : []
}

function warnOfNewColumns(
  { source, earlier, reporter }: ReadSourceOptions,
  columns: Readonly<Record<string, unknown>>,
): void {
  if (!earlier || source.table === 'customers') return
  const added = Object.keys(columns).filter((name) => !(name in earlier.columns))
  if (added.length === 0) return
  reporter.warn(
    `sources.${source.key} has new columns: ${added.join(', ')}. A row with a value there counts as new, also where an earlier ingest stored it without; if the source holds such rows, give it an event_id, replace: true, or run ingest --rebuild.`,
  )
}
