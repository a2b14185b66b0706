import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileName } from './batch.ts'
import { applyCommit, type Commit, type LakeFile, type LakeState, paddedSequence } from './commits.ts'
import { type Database, quoteText } from './database.ts'
import { publish } from './durable-files.ts'

/** Of a bucket of a table and source, so many small files may stand beside each other. */
const mostSmallFiles = 16
/** A file of fewer rows is small. */
const smallRows = 1_000_000
/** An ingest merges files of at most so many rows; others wait for the next one. */
const mostRows = 2_000_000
/** A daily run works anew whatever it kept so long ago: what was added since need not stand apart. */
const keptDays = 30

export interface CompactionOptions {
  readonly folder: string
  readonly staging: string
  readonly before: LakeState
  /** Of an ingest, not written yet. */
  readonly record: Commit
}

/**
 * Keeps files few: small files of a bucket, where there are many, become one that holds the same rows in the same order.
 * Writes it durably and puts it into the record. Files that the latest daily run has not read stay apart: what it kept
 * is in whole files.
 */
export async function compact(database: Database, options: CompactionOptions): Promise<void> {
  const { folder, staging, before, record } = options
  const upTo = lastCompacted(before, record.at)
  const files = applyCommit(before, record).files.filter(({ path }) => commitOf(path) <= upTo)
  for (const parts of chooseParts(files)) {
    const [{ table, source, bucket }] = parts
    const staged = join(staging, 'merged.parquet')
    await rm(staged, { force: true })
    const paths = parts.map(({ path }) => quoteText(join(folder, path))).join(', ')
    await database.run(`
      copy (
        from read_parquet([${paths}], union_by_name = true, hive_partitioning = false)
      ) to ${quoteText(staged)} (format parquet, compression zstd)`)
    const name = `${paddedSequence(record.sequence)}-${fileName(source)}-merged.parquet`
    const path = join(table, `bucket=${bucket}`, name)
    await publish(staged, join(folder, path))
    const merged = parts.map((part) => part.path)
    record.remove.push(...merged)
    record.add.push({ path, table, source, bucket, rows: countRows(parts) })
    record.merged[path] = merged
  }
}

/** The commit whose files were read by the latest daily run; the last one where what that kept is not used any more. */
function lastCompacted({ sequence, predictions, predictedAt }: LakeState, now: string): number {
  if (predictedAt === null || Date.parse(now) - Date.parse(predictedAt) > keptDays * 86_400_000)
    return sequence
  return Math.max(...[...predictions.values()].map(({ lakeCommit }) => lakeCommit))
}

/** A file's name begins with the commit that brought it. */
function commitOf(path: string): number {
  return Number.parseInt(basename(path), 10)
}

/** Files to be merged with each other, where there are most of them first. */
function chooseParts(files: readonly LakeFile[]): LakeFile[][] {
  const places = new Map<string, LakeFile[]>()
  for (const file of files.filter(({ rows }) => rows < smallRows)) {
    const place = JSON.stringify([file.table, file.source, file.bucket])
    places.set(place, [...(places.get(place) ?? []), file])
  }
  const crowded = [...places.values()]
    .filter((own) => own.length > mostSmallFiles)
    .sort((a, b) => b.length - a.length)
  let left = mostRows
  return crowded
    .map((own) =>
      own.filter(({ rows }) => {
        left -= rows
        return left >= 0
      }),
    )
    .filter((parts) => parts.length > 1)
}

function countRows(files: readonly LakeFile[]): number {
  return files.reduce((sum, { rows }) => sum + rows, 0)
}

/**
 * Which of some files hold the rows that files held which were read earlier, whatever was merged since.
 *
 * @param earlier paths. @returns null where rows of these are gone, or stand in one file with others.
 */
export function findHolders(
  files: readonly LakeFile[],
  merged: LakeState['merged'],
  earlier: readonly string[],
): Set<string> | null {
  const known = new Set(earlier)
  const heldBy = (path: string): string[] | null => {
    if (known.has(path)) return [path]
    const held = merged.get(path)?.map(heldBy)
    return held === undefined || held.includes(null) ? null : (held as string[][]).flat()
  }
  const holders = new Set<string>()
  let found = 0
  for (const { path } of files) {
    const held = heldBy(path)
    if (held === null) continue
    holders.add(path)
    found += held.length
  }
  return found === known.size ? holders : null
}
