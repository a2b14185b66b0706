import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { addDays } from '../src/domain/days.ts'
import type { DailyReport } from '../src/jobs/daily.ts'
import type { IngestReport } from '../src/jobs/ingest.ts'
import { openLake } from '../src/lake/lake.ts'
import { type DailyCompany, dayBefore, lastDay, letLastDayArrive, makeDailyCompany } from './daily-company.ts'
import { PeerDays } from './daily-peer-days.ts'
import { type DailyPeer, dailyPeers, whyNot } from './daily-peers.ts'
import { print, printHead, printRatio, printRow, type Row } from './daily-report.ts'
import { measureWorkers } from './daily-workers.ts'
import { watchLoyalcast } from './process-watch.ts'

/** What a version learned from is long known: it predicts days that it has not seen. */
const learnedUntil = addDays(lastDay, -92)

interface Wanted {
  readonly learnedRows: number
  readonly peers: readonly DailyPeer[]
  /** How many workers work at a day over Redis, one count after the other. */
  readonly workers: readonly number[]
}

/**
 * `npm run bench:daily [-- --customers N,N… --days N,N… --folder DIR --learned-rows N --peers none|polars|pandas|all
 * --workers N,N…]`: simulates a company, ingests it, and predicts two days by the commands: one of which nothing is kept,
 * and the next, for which a day of events is ingested. Peers do the same in Python. Prints what each took; of several
 * sizes, how that grows.
 */
export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      customers: { type: 'string', default: '100000' },
      days: { type: 'string', default: '400' },
      folder: { type: 'string' },
      'learned-rows': { type: 'string', default: '20000' },
      peers: { type: 'string', default: 'all' },
      workers: { type: 'string', default: '' },
    },
  })
  const numbers = (text: string) => text.split(',').filter(Boolean).map(Number)
  const peers = await availablePeers(values.peers)
  const wanted = { learnedRows: Number(values['learned-rows']), peers, workers: numbers(values.workers) }
  const work = values.folder ?? (await mkdtemp(join(tmpdir(), 'loyalcast-daily-')))
  print(`${availableParallelism()} processors. Bytes: as asked of the system.`)
  printHead()
  try {
    const measured: OwnRows[] = []
    for (const customers of numbers(values.customers))
      for (const days of numbers(values.days)) measured.push(await measure(work, { customers, days }, wanted))
    for (const rows of measured.slice(1)) printGrowth(rows, measured[0])
  } finally {
    if (values.folder === undefined) await rm(work, { recursive: true, force: true })
  }
}

/** The peers that are asked for and there; why another one is not is said. */
async function availablePeers(wanted: string): Promise<DailyPeer[]> {
  const all = Object.keys(dailyPeers) as DailyPeer[]
  const named = wanted === 'all' ? all : all.filter((peer) => peer === wanted)
  if (named.length === 0 && wanted !== 'none')
    throw new Error(`--peers is ${wanted}; allowed are none, ${all.join(', ')} and all.`)
  const there: DailyPeer[] = []
  for (const peer of named) {
    const reason = await whyNot(peer)
    if (reason === null) there.push(peer)
    else print(reason)
  }
  return there
}

interface OwnRows {
  readonly size: string
  readonly cold: Row
  readonly next: Row
}

async function measure(
  work: string,
  size: { customers: number; days: number },
  { learnedRows, peers, workers }: Wanted,
): Promise<OwnRows> {
  const company = await makeDailyCompany(work, size)
  const name = `daily-${size.customers}-${size.days}`
  if (existsSync(join(company.dataFolder, name)))
    throw new Error(`${company.dataFolder} holds this company already: it is measured from an empty lake on.`)
  print(`${size.customers} customers, ${size.days} days:`)
  await measureLearning(company, learnedRows)
  const lake = { dataFolder: company.dataFolder, modelsFolder: join(work, 'models') }
  const days = new PeerDays({
    ...lake,
    path: company.path,
    folder: join(work, name),
    learnedUntil,
    learnedRows,
  })
  const cold = await measureDay(company, [dayBefore, '--no-ingest'])
  if (peers.length > 0) await days.learn()
  const fromAll: Row[] = []
  for (const peer of peers) fromAll.push(await days.measureFromAll(peer, dayBefore))
  const before = await openLake(company.dataFolder, { name })
  await letLastDayArrive(company)
  const next = await measureDay(company, [lastDay])
  const fromKept: Row[] = []
  for (const peer of peers)
    fromKept.push(await days.measureFromKept(peer, { keptDay: dayBefore, date: lastDay, before }))
  for (const row of fromAll) printRatio(row, cold)
  for (const row of fromKept) printRatio(row, next)
  if (workers.length > 0) await measureWorkers(company, { name, date: lastDay, counts: workers })
  return { size: name, cold, next }
}

async function measureLearning(company: DailyCompany, learnedRows: number): Promise<void> {
  const { path, folders } = company
  const ingested = await watchLoyalcast(['ingest', path, ...folders, '--json'])
  const { sources }: IngestReport = JSON.parse(ingested.stdout)
  const rows = sources.reduce((sum, { read }) => sum + read, 0)
  printRow({ words: `first ingest: ${rows} rows`, used: ingested, rows })
  const training = ['train', path, '--no-ingest', '--as-of', learnedUntil, '--max-rows', String(learnedRows)]
  const used = await watchLoyalcast([...training, ...folders, '--json'])
  printRow({ words: `training on ${learnedRows} rows`, used, rows: learnedRows })
}

async function measureDay({ path, folders }: DailyCompany, date: readonly string[]): Promise<Row> {
  const used = await watchLoyalcast(['daily', path, '--date', ...date, ...folders, '--json'])
  const { customers, ingest }: DailyReport & { ingest: IngestReport | null } = JSON.parse(used.stdout)
  const fresh = ingest?.sources.reduce((sum, { stored }) => sum + stored, 0)
  const what = ingest ? `the next day: ${fresh} new rows` : 'a day of which nothing is kept'
  const row = { words: `${what}, ${customers} customers`, used, rows: customers }
  printRow(row)
  return row
}

/** How the cost of a customer and a day grows from one size to another. */
function printGrowth(rows: OwnRows, first: OwnRows): void {
  const perCustomer = (row: Row) => row.used.cpuSeconds / row.rows
  const walls = (row: Row) => row.used.wallSeconds / row.rows
  for (const day of ['cold', 'next'] as const) {
    const [own, other] = [rows[day], first[day]]
    print(
      `${rows.size} beside ${first.size}, ${day === 'cold' ? 'nothing kept' : 'the next day'}: a customer takes ${(walls(own) / walls(other)).toFixed(2)} times the wall time, ${(perCustomer(own) / perCustomer(other)).toFixed(2)} times the processors.`,
    )
  }
}
