import type { ChildProcess } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findLeftovers } from '../crash/visible-state.ts'
import { type RedisProcess, startRedis } from './redis-process.ts'
import * as spread from './spread-company.ts'

const kills = Number(process.env.LOYALCAST_KILLS ?? 30)
const seed = Number(process.env.LOYALCAST_KILL_SEED ?? 1)
const dates = ['2025-02-18', '2025-02-19', '2025-02-20']
/** How often each comes up among ten. */
const faults = { worker: 3, parent: 3, 'forgetful Redis': 1, Redis: 1, 'paused Redis': 2 } as const
type Fault = keyof typeof faults

const generator = xoroshiro128plus(seed)
const draw = (most: number) => uniformInt(generator, 0, most)

/** Every ten of them hold each fault as often as it is to come up, in any order. */
function* drawnFaults(): Generator<Fault> {
  for (;;) {
    const deck = Object.entries(faults).flatMap(([fault, times]) => Array<Fault>(times).fill(fault as Fault))
    while (deck.length > 0) yield deck.splice(draw(deck.length - 1), 1)[0]
  }
}

let company: spread.SpreadCompany
let redis: RedisProcess
let expected: Buffer[]
const workers: ChildProcess[] = []
/** The command at hand. */
let parent: ChildProcess | null = null
let isLast = false
let killedParents = 0

beforeAll(async () => {
  redis = await startRedis()
  company = await spread.makeSpreadCompany()
  expected = await spread.undisturbed(company, dates)
}, spread.patience)
afterAll(async () => {
  for (const worker of workers) await spread.end(worker)
  await redis.stop()
  await company.remove()
})

/** Whether a command that was killed had nothing left to do: its day is published and its run is over. */
async function isOver(date: string, published: number): Promise<boolean> {
  if ((await spread.publications(company, date)) === published) return false
  const runs = await readdir(join(company.folder, 'runs'))
  return runs.every((id) => id.endsWith('.over'))
}

/** Runs a command again and again until it comes to its end. @param published how often its day was before */
async function runCommand(date: string, published: number): Promise<void> {
  for (;;) {
    const begun = spread.daily(company, date, {
      url: redis.url,
      start: (child) => {
        parent = child
      },
    })
    const { code, stderr } = await begun
    parent = null
    if (code === null && (await isOver(date, published))) return
    if (code === null) continue
    expect(code, stderr).toBe(0)
    return
  }
}

/** One day after the other, over and over: each is published once a command, and as if nobody had been killed. */
async function runCommands(): Promise<number> {
  let commands = 0
  for (; !isLast || commands < dates.length; commands++) {
    const place = commands % dates.length
    const before = await spread.publications(company, dates[place])
    await runCommand(dates[place], before)
    expect(await spread.publications(company, dates[place])).toBe(before + 1)
    expect((await spread.publishedFile(company, dates[place])).equals(expected[place])).toBe(true)
  }
  return commands
}

const seen = new Set<string>()

/** Waits until so many more steps are noted, of whichever run. */
async function untilMore(steps: number): Promise<void> {
  const enough = seen.size + steps
  for (;;) {
    for (const step of await spread.notedSteps(company)) seen.add(step)
    if (seen.size >= enough) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function strike(fault: Fault): Promise<void> {
  if (fault === 'worker') {
    const place = draw(workers.length - 1)
    await spread.end(workers[place])
    workers[place] = await spread.startMissedWorker(company, redis.url)
  } else if (fault === 'parent') {
    while (!parent?.kill('SIGKILL')) await new Promise((resolve) => setTimeout(resolve, 10))
    killedParents++
  } else if (fault === 'paused Redis') await redis.pause(500 + draw(4000))
  else await redis.restart({ remembers: fault === 'Redis' })
}

async function strikeAll(): Promise<void> {
  const drawn = drawnFaults()
  for (let kill = 1; kill <= kills; kill++) {
    const fault = drawn.next().value as Fault
    const steps = draw(5)
    process.stderr.write(`Kill ${kill}: ${fault}, ${steps} steps on\n`)
    await untilMore(steps)
    await strike(fault)
  }
  isLast = true
}

/** Waits until nobody has anything to do, and expects that Redis holds little: no more than the runs since it forgot. */
async function expectIdleRedis(commands: number): Promise<void> {
  const queue = new Queue('loyalcast-groups-company', { connection: { url: redis.url } })
  const isIdle = async () =>
    Object.values(await queue.getJobCounts('active', 'waiting', 'delayed')).every((jobs) => jobs === 0)
  while (!(await isIdle())) await new Promise((resolve) => setTimeout(resolve, 100))
  for (const { failedReason } of await queue.getFailed()) expect(failedReason).toMatch(/the run is over/)
  await queue.close()
  const client = new Redis(redis.url)
  expect(await client.dbsize()).toBeLessThan(16 * (commands + killedParents) + 20)
  client.disconnect()
}

/** Processes that have to do with the company. */
async function processesLeft(): Promise<string[]> {
  const numbers = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = numbers.map((number) => readFile(`/proc/${number}/cmdline`, 'utf8').catch(() => ''))
  return (await Promise.all(lines)).filter((line) => line.includes(company.dataFolder))
}

describe(`workers, commands and Redis, killed ${kills} times`, () => {
  it(
    'lose nothing, do nothing twice, and publish what an undisturbed process does',
    async () => {
      process.stderr.write(`Seed ${seed} (LOYALCAST_KILL_SEED)\n`)
      for (let worker = 0; worker < 2; worker++)
        workers.push(await spread.startMissedWorker(company, redis.url))
      const all = runCommands()
      await Promise.race([strikeAll(), all])
      const commands = await all
      process.stderr.write(`${commands} commands came to their end; ${killedParents} were killed\n`)
      await expectIdleRedis(commands)
      for (const worker of workers) {
        await spread.end(worker, 'SIGTERM')
        expect(worker.exitCode).toBe(0)
      }
      expect(await findLeftovers({ ...company, grow: async () => {} })).toEqual([])
      expect(await processesLeft()).toEqual([])
    },
    spread.patience,
  )
})
