import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { failure } from '../domain/errors.ts'
import { writeWhole } from './durable-files.ts'

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

const span = z.object({ rows: z.number(), firstDay: z.string(), lastDay: z.string() })
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
  /** What the source has supplied so far: by event type for events, by metric for responses, else under ''. */
  spans: z.record(z.string(), span),
  /** Property or attribute → what it holds. */
  columns: z.record(z.string(), z.enum(columnKinds)),
})
export type SourceReading = z.infer<typeof sourceReading>

const predictionDay = z.object({
  date: z.string(),
  path: z.string(),
  rows: z.number(),
  predicted: z.number(),
  modelVersion: z.string(),
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
  /** Paths that no longer count. */
  remove: z.array(z.string()),
  sources: z.array(sourceReading),
  quarantine: z.array(z.string()),
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
  readonly quarantine: readonly string[]
  readonly predictions: ReadonlyMap<string, PredictionDay>
}

const emptyState: LakeState = {
  sequence: 0,
  buckets: 8,
  timezone: null,
  files: [],
  sources: new Map(),
  quarantine: [],
  predictions: new Map(),
}

/** Reads the log of a lake. What no record names does not exist. */
export async function readLakeState(lakeFolder: string): Promise<LakeState> {
  const folder = join(lakeFolder, 'commits')
  const names = await readdir(folder).catch(() => [])
  let state = emptyState
  for (const name of names.filter((name) => /^\d{8}\.json$/.test(name)).sort()) {
    const parsed = commit.safeParse(JSON.parse(await readFile(join(folder, name), 'utf8')))
    if (!parsed.success)
      throw failure('lake-damaged', `${join(folder, name)} is not a commit record of this version.`)
    state = applyCommit(state, parsed.data)
  }
  return state
}

/** The state after one more record. */
export function applyCommit(state: LakeState, record: Commit): LakeState {
  const gone = new Set(record.remove)
  const predictions = new Map(state.predictions)
  for (const day of record.predictions) predictions.set(day.date, day)
  const sources = new Map(state.sources)
  for (const reading of record.sources) sources.set(reading.key, reading)
  return {
    sequence: record.sequence,
    buckets: record.buckets,
    timezone: record.timezone,
    files: [...state.files.filter((file) => !gone.has(file.path)), ...record.add],
    sources,
    quarantine: [...state.quarantine.filter((path) => !gone.has(path)), ...record.quarantine],
    predictions,
  }
}

/** Makes a batch part of the lake: once this returns it survives anything. */
export async function appendCommit(lakeFolder: string, record: Commit): Promise<void> {
  const name = `${String(record.sequence).padStart(8, '0')}.json`
  await writeWhole(join(lakeFolder, 'commits', name), `${JSON.stringify(record, null, 1)}\n`)
}
