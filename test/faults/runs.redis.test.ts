import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished, vi } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import { openRedisRunQueue, queueName, strikeSettings } from '../../src/jobs/runs/redis-run-queue.ts'
import { lakeFolder, openLake } from '../../src/lake/lake.ts'
import { whileLocked } from '../../src/lake/lock.ts'
import { RunRecords } from '../../src/lake/run-records.ts'
import { Registry } from '../../src/model/registry.ts'
import { loyalcastHere } from '../cli/commands.ts'
import { asOf, dates, makeSmallProgram, type SmallProgram, tooFew } from '../crash/small-program.ts'
import { binary } from '../run-command.ts'
import { type RedisProcess, startRedis } from './redis-process.ts'

const patience = { timeout: 240_000, interval: 100 }
/** Behind the strike of 2024-06-03 at 05:00. */
const now = '2024-06-03T12:00:00Z'

let made: SmallProgram
let records: RunRecords
let redis: RedisProcess
const problems: unknown[] = []
beforeAll(async () => {
  redis = await startRedis()
  made = await makeSmallProgram(tooFew)
  records = new RunRecords(lakeFolder(made.dataFolder, made.program))
}, 60_000)
const workers: ChildProcess[] = []
afterEach(async () => {
  for (const worker of workers.splice(0)) await kill(worker)
  expect(problems.splice(0)).toEqual([])
})
afterAll(async () => {
  await redis.stop()
  await made.remove()
})

async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'close')
  child.kill(signal)
  await ended
}

/** Starts a worker and waits until it is there. */
async function startWorker(): Promise<ChildProcess> {
  const args = ['worker', made.path, '--data', made.dataFolder, '--models', made.modelsFolder]
  const child = spawn(process.execPath, [binary, ...args], {
    env: { ...process.env, LOYALCAST_NOW: now, REDIS_URL: redis.url },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  workers.push(child)
  await once(child.stderr as NodeJS.ReadableStream, 'data')
  return child
}

/** A queue as a server has it. */
function open(program = made.program) {
  const options = { url: redis.url, programs: [program], clock: () => now, say: () => {} }
  const queue = openRedisRunQueue({ ...made, ...options, onError: (error) => problems.push(error) })
  onTestFinished(() => queue.close())
  return queue
}

const until = (number: number, status: string) =>
  vi.waitFor(async () => {
    const run = await records.find(number)
    expect(run?.status, JSON.stringify(run)).toBe(status)
    return run
  }, patience)

async function pidOf(number: number): Promise<number> {
  const lock = join(lakeFolder(made.dataFolder, made.program), 'run-records', `${number}.runner.lock`)
  return Number((await vi.waitFor(() => readlink(lock), patience)).split(' ')[0])
}

/** While the lake is locked, runs come no further than its door. */
const whileHeld = (work: () => Promise<void>) =>
  whileLocked(lakeFolder(made.dataFolder, made.program), { reporter: silentReporter }, work)

const training = { kind: 'train', asOf, maxRows: 2000 } as const
const daily = { kind: 'daily', date: dates[0] } as const

it('takes a training that waited for a worker, and leaves nothing of it in Redis', async () => {
  const queue = open()
  const run = await queue.add(made.program, { asked: training, cause: 'api' })
  expect(run).toMatchObject({ number: 1, status: 'queued', queue: 'redis' })
  // It comes back without a memory, and is told again.
  await redis.restart()
  await startWorker()
  expect(await until(1, 'done')).toMatchObject({
    attempts: 1,
    result: { version: `${asOf}-1`, promoted: true },
  })
  const connection = new Redis(redis.url)
  onTestFinished(() => connection.disconnect())
  await vi.waitFor(async () => {
    const keys = await connection.keys(`bull:${queueName(made.program)}:1-*`)
    expect(keys).toEqual([])
  }, patience)
}, 300_000)

it('does a run again whose worker was killed, and one whose worker was stopped', async () => {
  const queue = open()
  const before = (await openLake(made.dataFolder, made.program)).state.sequence
  await whileHeld(async () => {
    const first = await startWorker()
    await queue.add(made.program, { asked: daily, cause: 'api' })
    const pid = await pidOf(2)
    await until(2, 'running')
    await kill(first)
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), patience)
    expect(await records.find(2)).toMatchObject({ status: 'queued', attempts: 1 })
    const second = await startWorker()
    await vi.waitFor(async () => expect(await records.find(2)).toMatchObject({ attempts: 2 }), patience)
    await kill(second, 'SIGTERM')
    expect(await records.find(2)).toMatchObject({ status: 'queued', attempts: 2 })
  })
  await startWorker()
  expect(await until(2, 'done')).toMatchObject({ attempts: 3, problem: null })
  expect((await openLake(made.dataFolder, made.program)).state.sequence).toBe(before + 1)
}, 300_000)

it('cancels what a worker is at, of which nothing stays', async () => {
  const queue = open()
  await whileHeld(async () => {
    await startWorker()
    await queue.add(made.program, { asked: { ...training, asOf: '2024-05-30' }, cause: 'api' })
    await until(3, 'running')
    expect(await records.cancel(3, now)).toBe(true)
    await until(3, 'cancelled')
  })
  expect(await new Registry(made.modelsFolder, made.program.name).versions()).toEqual([`${asOf}-1`])
}, 300_000)

it('predicts a day that is due once, by whichever of the schedulers that are there', async () => {
  const program = await made.redefine({
    yaml: `
sources: { events: { file: events.csv }, customers: { file: customers.csv } }
outcomes: { inactivity: { absence_of: [login] } }
horizons_days: [30]
schedule: 05:00`,
  })
  expect(program.schedule).toBe('05:00')
  for (let schedulers = 0; schedulers < 3; schedulers++) open(program)
  await Promise.all([startWorker(), startWorker()])
  expect(await until(4, 'done')).toMatchObject({ cause: 'schedule', asked: { date: '2024-06-02' } })
  const { stdout } = await loyalcastHere(['runs', made.path, '--data', made.dataFolder, '--json'])
  expect(JSON.parse(stdout).runs).toHaveLength(4)
  const connection = new Redis(redis.url, { maxRetriesPerRequest: null })
  const queue = new Queue(queueName(program), { connection, settings: strikeSettings(program) })
  onTestFinished(async () => {
    await queue.close()
    connection.disconnect()
  })
  const [scheduler, ...others] = await queue.getJobSchedulers()
  expect(others).toEqual([])
  const next = new Date(Number(scheduler.next))
  const berlin = next.toLocaleTimeString('en-GB', { timeZone: program.timezone })
  expect(berlin).toBe('05:00:00')
}, 300_000)
