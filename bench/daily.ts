import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { addDays } from '../src/domain/days.ts'
import type { DailyReport } from '../src/jobs/daily.ts'
import type { IngestReport } from '../src/jobs/ingest.ts'
import { dayBefore, lastDay, letLastDayArrive, makeDailyCompany } from './daily-company.ts'
import { type Used, watchLoyalcast } from './process-watch.ts'

/** What a version learned from is long known: it predicts days that it has not seen. */
const learnedUntil = addDays(lastDay, -92)
const learnedRows = 20_000

/**
 * `npm run bench:daily [-- --customers N] [--days N] [--folder DIR]`: simulates a company, ingests it, and predicts two
 * days by the commands: one of which nothing is kept, and the next, for which a day of events is ingested. Prints what
 * each took.
 */
export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      customers: { type: 'string', default: '100000' },
      days: { type: 'string', default: '400' },
      folder: { type: 'string' },
    },
  })
  const work = values.folder ?? (await mkdtemp(join(tmpdir(), 'loyalcast-daily-')))
  try {
    await measure(work, { customers: Number(values.customers), days: Number(values.days) })
  } finally {
    if (values.folder === undefined) await rm(work, { recursive: true, force: true })
  }
}

async function measure(work: string, size: { customers: number; days: number }): Promise<void> {
  const company = await makeDailyCompany(work, size)
  const { path, folders, dataFolder } = company
  const run = (command: string, ...more: string[]) =>
    watchLoyalcast([command, path, ...more, ...folders, '--json'])
  if (existsSync(join(dataFolder, `daily-${size.customers}-${size.days}`)))
    throw new Error(`${dataFolder} holds this company already: it is measured from an empty lake on.`)
  print(`${availableParallelism()} processors. Bytes: as asked of the system.`)
  print(line(['', 'wall', 'processors', 'memory', 'read', 'written', 'rows/s']))
  const ingested = await run('ingest')
  const { sources }: IngestReport = JSON.parse(ingested.stdout)
  const rows = sources.reduce((sum, { read }) => sum + read, 0)
  printUsed(`first ingest: ${rows} rows`, ingested, rows)
  const trained = await run(
    'train',
    '--no-ingest',
    '--as-of',
    learnedUntil,
    '--max-rows',
    String(learnedRows),
  )
  printUsed(`training on ${learnedRows} rows`, trained, learnedRows)
  const cold = await run('daily', '--no-ingest', '--date', dayBefore)
  const { customers }: DailyReport = JSON.parse(cold.stdout)
  printUsed(`a day of which nothing is kept: ${customers} customers`, cold, customers)
  await letLastDayArrive(company)
  const next = await run('daily', '--date', lastDay)
  const report: DailyReport & { ingest: IngestReport } = JSON.parse(next.stdout)
  const fresh = report.ingest.sources.reduce((sum, { stored }) => sum + stored, 0)
  printUsed(`the next day: ${fresh} new rows, ${report.customers} customers`, next, report.customers)
}

function printUsed(what: string, used: Used, rows: number): void {
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(2)} GB`
  print(
    line([
      what,
      `${used.wallSeconds.toFixed(1)} s`,
      `${used.cpuSeconds.toFixed(1)} s`,
      gigabytes(used.peakBytes),
      gigabytes(used.readBytes),
      gigabytes(used.writtenBytes),
      String(Math.round(rows / used.wallSeconds)),
    ]),
  )
}

function line([what, ...cells]: readonly string[]): string {
  return `${what.padEnd(62)} ${cells.map((cell) => cell.padStart(11)).join(' ')}`
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
