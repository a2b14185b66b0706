import { createHash } from 'node:crypto'
import type { Day } from '../../domain/days.ts'
import type { Program } from '../../domain/program.ts'
import { codeVersion } from '../../domain/version.ts'
import type { LakeState } from '../../lake/commits.ts'
import type { Backend } from '../../model/backend.ts'

/** What a daily run does, settled before it begins: whoever does a part of it does the same. Plain JSON. */
export interface DayPlan {
  /** The same plan has the same id, so that a run that was killed goes on where it was. */
  readonly id: string
  /** {@link definitionMark} of the program. */
  readonly definition: string
  readonly date: Day
  readonly modelVersion: string
  /** The version of the day before, where it is another one and still there. */
  readonly versionBefore: string | null
  /** The lake is read as of this commit. */
  readonly lakeCommit: number
  readonly backend: Backend
  /** Buckets of customers that are predicted together. */
  readonly groups: readonly (readonly number[])[]
  /** Whether what is known of events is kept for the next day: of a small lake all is read faster than that is found. */
  readonly keeps: boolean
  /** Most memory that the database of a group may take. */
  readonly memoryLimit: string
}

/** A lake of so many rows is read at once. */
const mostRowsAtOnce = 1_000_000

/** Buckets that are read together: all of a small lake, one at a time of a large one. */
export function bucketGroups(
  { files, buckets }: Pick<LakeState, 'files' | 'buckets'>,
  rowsAtOnce = mostRowsAtOnce,
): number[][] {
  const rows = files.reduce((sum, file) => sum + file.rows, 0)
  const all = Array.from({ length: buckets }, (_, bucket) => bucket)
  return rows <= rowsAtOnce ? [all] : all.map((bucket) => [bucket])
}

/** Settles a run. */
export function planDay(program: Program, settled: Omit<DayPlan, 'id' | 'definition'>): DayPlan {
  const definition = definitionMark(program)
  return { id: `${settled.date}-${markOf([definition, settled, codeVersion])}`, definition, ...settled }
}

/** Tells program files from each other that mean something else, wherever they lie. */
export function definitionMark({ folder: _, ...definition }: Program): string {
  return markOf(definition)
}

function markOf(all: unknown): string {
  return createHash('sha256').update(JSON.stringify(all)).digest('hex').slice(0, 16)
}

/** The file of a group: what the day says, or what the version of the day before says of it. */
export function partFile(kind: 'day' | 'before', group: number): string {
  return `${kind}-${group}.parquet`
}
