import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { failure } from '../domain/errors.ts'
import { writeNew } from './durable-files.ts'

/** What a column holds: decides its type in Parquet and how it becomes features. */
export const columnKinds = ['number', 'category', 'boolean', 'time'] as const
export type ColumnKind = (typeof columnKinds)[number]

const tableSchema = z.enum(['events', 'customers', 'responses', 'interventions'])

const lakeFile = z.object({
  /** Relative to the program's lake. */
  path: z.string(),
  table: tableSchema,
  source: z.string(),
  bucket: z.number(),
  rows: z.number(),
})
export type LakeFile = z.infer<typeof lakeFile>

const span = z.object({
  /** Rows in the lake. */
  rows: z.number(),
  /** First and last day of the rows read, also of those that were there already. */
  firstDay: z.string(),
  lastDay: z.string(),
})
export type Span = z.infer<typeof span>

const counts = z.object({
  read: z.number(),
  stored: z.number(),
  duplicate: z.number(),
  quarantined: z.number(),
})
export type Counts = z.infer<typeof counts>

const inputFile = z.object({ path: z.string(), bytes: z.number(), modifiedMs: z.number() })
export type InputFile = z.infer<typeof inputFile>

const sourceReading = z.object({
  key: z.string(),
  table: tableSchema,
  meaning: z.string(),
  /** The definition as it was read, the environment filled in. */
  definition: z.string(),
  /** The files read, to tell whether they changed. Null: unknown, read each time. */
  inputs: z.array(inputFile).nullable(),
  counts,
  reasons: z.record(z.string(), z.number()),
  /** What the source has supplied so far: by event type for events, by metric for responses, by initiative. */
  spans: z.record(z.string(), span),
  /** Property or attribute → what it holds. */
  columns: z.record(z.string(), z.enum(columnKinds)),
  /** Files with the refused rows of its readings. */
  quarantine: z.array(z.string()).default([]),
  /** Of rows that were sent through the API: the inbox they came from, and the number of the last that the lake has. */
  inbox: z.object({ id: z.string(), sequence: z.number() }).nullable().default(null),
})
export type SourceReading = z.infer<typeof sourceReading>

const predictionDay = z.object({
  date: z.string(),
  path: z.string(),
  rows: z.number(),
  predicted: z.number(),
  modelVersion: z.string(),
  /** Commit of the lake that was read. */
  lakeCommit: z.number(),
  /** The main figures of the same day by the version of the day before, where another one took its place. */
  before: z.object({ path: z.string(), modelVersion: z.string() }).optional(),
})
export type PredictionDay = z.infer<typeof predictionDay>

const commit = z.object({
  sequence: z.number(),
  /** When it was made, ISO 8601. */
  at: z.string(),
  /** Fixed by the first record. */
  buckets: z.number(),
  timezone: z.string(),
  add: z.array(lakeFile),
  /** Paths of rows that no longer count. */
  remove: z.array(z.string()),
  /** Files among those added that bring no new rows: path → paths of the files, removed with it, whose rows it holds. */
  merged: z.record(z.string(), z.array(z.string())).default({}),
  /** Sources that stand at another place of the program file now: old key → new key. */
  renamed: z.record(z.string(), z.string()).default({}),
  /** Keys of sources that the program file no longer has. */
  forgotten: z.array(z.string()).default([]),
  sources: z.array(sourceReading),
  predictions: z.array(predictionDay),
})
export type Commit = z.infer<typeof commit>

/** The lake as all records together describe it. */
export interface LakeState {
  /** 0: nothing was ever committed. */
  readonly sequence: number
  readonly buckets: number
  readonly timezone: string | null
  readonly files: readonly LakeFile[]
  readonly sources: ReadonlyMap<string, SourceReading>
  readonly predictions: ReadonlyMap<string, PredictionDay>
  /** When predictions of any day were published last, ISO 8601; null: never. */
  readonly predictedAt: string | null
  /** Files that no longer count → when that was decided, ISO 8601. Whoever is reading them may finish. */
  readonly removed: ReadonlyMap<string, string>
  /** Files that hold just the rows of others → those, which may have been made so themselves. */
  readonly merged: ReadonlyMap<string, readonly string[]>
}

/** Of a lake that nothing was ever committed to. */
export const emptyState: LakeState = {
  sequence: 0,
  buckets: 8,
  timezone: null,
  files: [],
  sources: new Map(),
  predictions: new Map(),
  predictedAt: null,
  removed: new Map(),
  merged: new Map(),
}

/** A record of a lake's log, with the lake before and after it. */
export interface LakeChange {
  readonly before: LakeState
  readonly record: Commit
  readonly after: LakeState
}

/**
 * Reads the log of a lake. What no record names does not exist.
 *
 * @param last the record up to which it is read. Default: all.
 *
 * **Errors** `lake-damaged` where a record is missing or not readable, `storage` where the folder is not.
 */
export async function readLakeState(lakeFolder: string, last = Number.POSITIVE_INFINITY): Promise<LakeState> {
  let state = emptyState
  for await (const { after } of lakeChanges(lakeFolder)) {
    if (after.sequence > last) break
    state = after
  }
  return state
}

/** Every record of a lake's log, the first one first. **Errors** as {@link readLakeState}. */
export async function* lakeChanges(lakeFolder: string): AsyncGenerator<LakeChange> {
  const folder = join(lakeFolder, 'commits')
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw failure('storage', `${folder} cannot be read: ${error.message}`)
  })
  let before = emptyState
  for (const name of names.filter((name) => /^\d{8}\.json$/.test(name)).sort()) {
    const record = parseRecord(await readFile(join(folder, name), 'utf8'))
    if (record?.sequence !== before.sequence + 1) {
      throw failure(
        'lake-damaged',
        `${join(folder, name)} is not record ${before.sequence + 1} of this lake. Restore the folder from a backup, or remove the lake and run ingest again.`,
      )
    }
    const after = applyCommit(before, record)
    yield { before, record, after }
    before = after
  }
}

function parseRecord(text: string): Commit | null {
  try {
    return commit.safeParse(JSON.parse(text)).data ?? null
  } catch {
    return null
  }
}

/** The state after one more record. */
export function applyCommit(state: LakeState, record: Commit): LakeState {
  const gone = new Set(record.remove)
  const sources = movedSources(state, record)
  for (const reading of record.sources) sources.set(reading.key, reading)
  const predictions = new Map(state.predictions)
  for (const day of record.predictions) predictions.set(day.date, day)
  const kept = state.files
    .filter((file) => !gone.has(file.path))
    .map((file) => ({ ...file, source: record.renamed[file.source] ?? file.source }))
  const next = {
    sequence: record.sequence,
    buckets: record.buckets,
    timezone: record.timezone,
    files: [...kept, ...record.add],
    sources,
    predictions,
    predictedAt: record.predictions.length > 0 ? record.at : state.predictedAt,
  }
  const named = new Set(namedPaths(next))
  const removed = new Map(state.removed)
  for (const path of namedPaths(state)) if (!named.has(path)) removed.set(path, record.at)
  return { ...next, removed, merged: new Map([...state.merged, ...Object.entries(record.merged)]) }
}

function movedSources(state: LakeState, { renamed, forgotten }: Commit): Map<string, SourceReading> {
  const left = [...state.sources.values()].filter(({ key }) => !forgotten.includes(key))
  return new Map(
    left
      .map((reading) => ({ ...reading, key: renamed[reading.key] ?? reading.key }))
      .map((reading) => [reading.key, reading]),
  )
}

/** Every file that counts, relative to the lake. */
export function namedPaths(state: Pick<LakeState, 'files' | 'sources' | 'predictions'>): string[] {
  return [
    ...state.files.map(({ path }) => path),
    ...[...state.sources.values()].flatMap(({ quarantine }) => quarantine),
    ...[...state.predictions.values()].flatMap(({ path, before }) => [
      path,
      ...(before ? [before.path] : []),
    ]),
  ]
}

/** A record that changes nothing yet. */
export function nextCommit(state: LakeState, { at, timezone }: { at: string; timezone: string }): Commit {
  return {
    sequence: state.sequence + 1,
    at,
    buckets: state.buckets,
    timezone,
    add: [],
    remove: [],
    merged: {},
    renamed: {},
    forgotten: [],
    sources: [],
    predictions: [],
  }
}

/**
 * Makes a batch part of the lake: once this returns it survives anything.
 *
 * **Errors** `locked` where another writer has made the same record: nothing is overwritten.
 */
export async function appendCommit(lakeFolder: string, record: Commit): Promise<void> {
  const path = recordPath(lakeFolder, record.sequence)
  if (await writeNew(path, `${JSON.stringify(record, null, 1)}\n`)) return
  throw failure('locked', `Another process wrote ${path} at the same time. Run the command again.`)
}

/** Where the record of a commit lies. */
export function recordPath(lakeFolder: string, sequence: number): string {
  return join(lakeFolder, 'commits', `${paddedSequence(sequence)}.json`)
}

/** A commit's number as it stands in file names. */
export function paddedSequence(sequence: number): string {
  return String(sequence).padStart(8, '0')
}
