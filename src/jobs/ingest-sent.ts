import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { findInbox, type Inbox } from '../control/inbox.ts'
import { addDays, localDay } from '../domain/days.ts'
import { apiSourceKey, type Program, type TableName, tableNames } from '../domain/program.ts'
import type { Reporter } from '../domain/progress.ts'
import { applyCommit, type Commit, type Counts, type LakeState, type SourceReading } from '../lake/commits.ts'
import type { Database } from '../lake/database.ts'
import { readSource } from '../lake/read-source.ts'
import { recutDays } from '../lake/recut.ts'
import { openSent, sentSource } from '../lake/sent-rows.ts'

/** Days for which the ids of rows are known after they came. */
const idsKeptDays = 35

export interface SentWork {
  readonly program: Program
  readonly database: Database
  /** The program's lake, and the folder in it for what is not finished. */
  readonly folder: string
  readonly staging: string
  /** The clock, ISO 8601. */
  readonly now: string
  readonly reporter: Reporter
}

/** What an ingest read of what was sent to a table. */
export interface SentReport extends Counts {
  readonly source: string
  readonly table: TableName
  readonly reasons: Readonly<Record<string, number>>
}

/**
 * Reads what was sent and the lake does not have yet, up to now, into a record that is not written yet. The record also
 * says how far it went: killed before, an ingest reads the same rows again, killed after, none of them.
 */
export async function ingestSent(
  work: SentWork,
  { inbox, before, record }: { inbox: Inbox; before: LakeState; record: Commit },
): Promise<SentReport[]> {
  const upTo = inbox.lastSequence()
  const reports: SentReport[] = []
  const isRecut = before.timezone !== null && before.timezone !== work.program.timezone
  for (const table of tableNames) {
    const earlier = before.sources.get(apiSourceKey(table))
    if (isRecut) {
      // What was sent meanwhile waits for the next ingest.
      if (earlier) await recutDays(work.database, earlier, { ...work, before, record })
      continue
    }
    const after = earlier?.inbox?.id === inbox.id ? earlier.inbox.sequence : 0
    const path = join(work.staging, `sent-${table}.ndjson`)
    const rows = await writeRows(inbox, { table, path, after, upTo })
    if (rows === 0) continue
    const state = applyCommit(before, record)
    const { reading, files, counts } = await readSource({
      ...work,
      source: sentSource(table),
      state,
      earlier,
      sequence: record.sequence,
      open: (database) =>
        openSent(database, {
          table,
          path,
          lake: { folder: work.folder, state },
          warn: (sentence) => work.reporter.warn(sentence),
        }),
    })
    record.add.push(...files)
    record.sources.push({
      ...reading,
      spans: untilToday(reading.spans, work),
      quarantine: [...new Set([...(earlier?.quarantine ?? []), ...reading.quarantine])],
      inbox: { id: inbox.id, sequence: upTo },
    })
    reports.push({ source: reading.key, table, ...counts, reasons: reading.reasons })
  }
  return reports
}

/** Removes from the inbox what the lake has, and what is old enough to be forgotten. @param now the clock, ISO 8601 */
export function sweepSent(inbox: Inbox, state: LakeState, now: string): void {
  for (const table of tableNames) {
    const reading = state.sources.get(apiSourceKey(table))
    if (reading?.inbox?.id === inbox.id) inbox.sweep(table, reading.inbox.sequence)
  }
  const today = now.slice(0, 10)
  inbox.forget({ before: addDays(today, -idsKeptDays), answersBefore: addDays(today, -2) })
}

/** Runs `work` with the inbox of a program, or without one where nothing was ever sent. */
export async function withInbox<T>(
  dataFolder: string,
  program: Program,
  work: (inbox: Inbox | null) => Promise<T>,
): Promise<T> {
  const inbox = await findInbox(dataFolder, program)
  try {
    return await work(inbox)
  } finally {
    inbox?.close()
  }
}

async function writeRows(
  inbox: Inbox,
  { table, path, after, upTo }: { table: TableName; path: string; after: number; upTo: number },
): Promise<number> {
  const file = await open(path, 'w')
  let rows = 0
  try {
    for (const chunk of inbox.chunks(table, { after, upTo })) {
      await file.write(`${chunk.lines}\n`)
      rows += chunk.rows
    }
  } finally {
    await file.close()
  }
  return rows
}

/** Nothing is known of days to come, whatever was sent of them. */
function untilToday(spans: SourceReading['spans'], { program, now }: SentWork): SourceReading['spans'] {
  const today = localDay(now, program.timezone)
  return Object.fromEntries(
    Object.entries(spans).map(([part, span]) => [
      part,
      { ...span, lastDay: span.lastDay > today ? today : span.lastDay },
    ]),
  )
}
