import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Day } from '../src/domain/days.ts'
import { keptFolder } from '../src/lake/kept-files.ts'
import { openLake } from '../src/lake/lake.ts'
import { binary } from './commands.ts'
import type { DailyCompany } from './daily-company.ts'
import { print, printRow } from './daily-report.ts'
import { lookAt, type Seen, type Used, watchLoyalcast } from './process-watch.ts'

type Environment = Readonly<Record<string, string>>

interface WorkersWanted {
  /** Of the program. */
  readonly name: string
  readonly date: Day
  /** How many workers there are, one measurement after the other. */
  readonly counts: readonly number[]
}

/**
 * Predicts a day anew by so many worker processes over a Redis of its own, nothing kept from before, a thread each.
 *
 * **Errors** where what is published is not the same, byte by byte.
 */
export async function measureWorkers(company: DailyCompany, wanted: WorkersWanted): Promise<void> {
  const redis = await startRedis()
  // Bucket by bucket, as a large lake is worked at.
  const alone = { LOYALCAST_ROWS_AT_ONCE: '0' }
  const spread = { ...alone, LOYALCAST_THREADS: '1', REDIS_URL: redis.url }
  const forget = () => rm(join(company.dataFolder, wanted.name, keptFolder), { recursive: true, force: true })
  try {
    await forget()
    const { used: own, customers: rows } = await measureCount(company, wanted.date, {
      count: 0,
      environment: alone,
    })
    printRow({ words: 'the last day anew, in one process without Redis', used: own, rows })
    const expected = await publishedMark(company, wanted)
    for (const count of wanted.counts) {
      await forget()
      const { used } = await measureCount(company, wanted.date, { count, environment: spread })
      if ((await publishedMark(company, wanted)) !== expected)
        throw new Error(`${count} workers published other predictions than one process.`)
      const speed = (own.wallSeconds / used.wallSeconds).toFixed(2)
      printRow({ words: `by ${count} worker processes: ${speed} times as fast`, used, rows })
    }
    print('All of them published the bytes that one process did.')
  } finally {
    await redis.stop()
  }
}

async function measureCount(
  { path, folders }: DailyCompany,
  date: Day,
  { count, environment }: { count: number; environment: Environment },
): Promise<{ used: Used; customers: number }> {
  const workers = await Promise.all(
    Array.from({ length: count }, () => startWorker(['worker', path, ...folders], environment)),
  )
  try {
    const args = ['daily', path, '--no-ingest', '--date', date, ...folders, '--json']
    const used = await watchLoyalcast(args, environment)
    const seen = await Promise.all(workers.map(({ pid }) => lookAt(pid ?? 0)))
    return { used: addUp(used, seen), customers: JSON.parse(used.stdout).customers }
  } finally {
    for (const worker of workers) await kill(worker)
  }
}

/** A run with its workers. Their peaks are added up, whether or not they came at once. */
function addUp(used: Used, workers: readonly (Seen | null)[]): Used {
  const sum = (of: keyof Seen) => workers.reduce((total, seen) => total + (seen?.[of] ?? 0), used[of])
  return {
    ...used,
    cpuSeconds: sum('cpuSeconds'),
    peakBytes: sum('peakBytes'),
    readBytes: sum('readBytes'),
    writtenBytes: sum('writtenBytes'),
  }
}

/** Of the bytes of the day's predictions. */
async function publishedMark({ dataFolder }: DailyCompany, { name, date }: WorkersWanted): Promise<string> {
  const { folder, state } = await openLake(dataFolder, { name })
  const bytes = await readFile(join(folder, state.predictions.get(date)?.path ?? ''))
  return createHash('sha256').update(bytes).digest('hex')
}

/** Starts a worker and waits until it says that it is there. */
async function startWorker(args: readonly string[], environment: Environment): Promise<ChildProcess> {
  const child = spawn(process.execPath, [binary, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  await once(child.stderr as NodeJS.ReadableStream, 'data')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'close')
  if (child.kill('SIGKILL')) await ended
}

/** A Redis that remembers nothing. */
async function startRedis(): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  const folder = await mkdtemp(join(tmpdir(), 'loyalcast-redis-'))
  const command = process.env.REDIS_SERVER_PATH ?? 'redis-server'
  const child = spawn(
    command,
    ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
    {
      stdio: 'ignore',
    },
  )
  await once(child, 'spawn')
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      await kill(child)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
