import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openLake } from '../../src/lake/lake.ts'
import { loyalcast } from '../cli/commands.ts'
import { type RedisProcess, startRedis } from './redis-process.ts'
import * as spread from './spread-company.ts'

const dates = ['2025-02-19', '2025-02-20']
const killing = join(import.meta.dirname, '../crash/kill-at.mjs')

let company: spread.SpreadCompany
let redis: RedisProcess
let expected: Buffer[]

beforeAll(async () => {
  redis = await startRedis()
  company = await spread.makeSpreadCompany()
  expected = await spread.undisturbed(company, dates)
}, spread.patience)
afterAll(async () => {
  await redis.stop()
  await company.remove()
})

/** The file with the events of the last bucket, and the number of the bucket. */
async function lastEvents(): Promise<{ path: string; bucket: number }> {
  const { state } = await openLake(company.dataFolder, company.program)
  const [last] = state.files.filter(({ table }) => table === 'events').sort((a, b) => b.bucket - a.bucket)
  return { path: join(company.folder, last.path), bucket: last.bucket }
}

async function damage(path: string): Promise<void> {
  await truncate(path, (await stat(path)).size >> 1)
}

/** The steps of the buckets that are done. */
async function doneSteps(): Promise<string[]> {
  const names = (await spread.notedSteps(company)).map((name) => name.split('/')[1])
  return names.filter((name) => /-\d+\.json$/.test(name)).sort()
}

/** Both steps of all buckets but one. */
function stepsWithout(bucket: number): string[] {
  const others = [0, 1, 2, 3, 4, 5, 6, 7].filter((other) => other !== bucket)
  return ['group', 'kept'].flatMap((step) => others.map((other) => `${step}-${other}.json`))
}

async function expectPublished(date: string): Promise<void> {
  const file = await spread.publishedFile(company, date)
  expect(file.equals(expected[dates.indexOf(date)])).toBe(true)
}

/** Runs a day and returns the files of buckets that were finished meanwhile. */
async function filesOfRun(date: string): Promise<string[]> {
  const log = join(dirname(company.dataFolder), 'operations.log')
  await rm(log, { force: true })
  const environment = {
    NODE_OPTIONS: `--import ${killing}`,
    KILL_BELOW: dirname(company.dataFolder),
    KILL_LOG: log,
  }
  const { code, stderr } = await spread.daily(company, date, { environment, more: ['--no-ingest'] })
  expect(code, stderr).toBe(0)
  const found = (await readFile(log, 'utf8')).matchAll(
    /^rename .*\/runs\/.*\/((?:day|kept)-\d.*\.parquet)$/gm,
  )
  return [...found].map(([, name]) => name)
}

describe('a bucket whose file is damaged', () => {
  it(
    'is named; the others are done, and not done again when it is mended',
    async () => {
      await spread.forgetDays(company)
      const { path, bucket } = await lastEvents()
      const whole = await readFile(path)
      await damage(path)
      const { code, stderr } = await spread.daily(company, dates[1], { more: ['--no-ingest'] })
      expect(code).toBe(1)
      expect(stderr).toMatch(
        new RegExp(`^${path} is damaged or gone\\. Restore it from a backup.*run the command again`, 'm'),
      )
      expect(stderr).not.toMatch(/unexpected|^\s+at /m)
      expect(await doneSteps()).toEqual(stepsWithout(bucket))
      expect(await spread.publications(company, dates[1])).toBe(0)
      await writeFile(path, whole)
      const steps = (await filesOfRun(dates[1])).map((name) => /^\w+-\d/.exec(name)?.[0])
      expect([...new Set(steps)]).toEqual([`kept-${bucket}`, `day-${bucket}`])
      await expectPublished(dates[1])
    },
    spread.patience,
  )

  it(
    'is mended by reading the sources anew',
    async () => {
      await spread.forgetDays(company)
      const { path } = await lastEvents()
      await rm(path)
      const { code, stderr } = await spread.daily(company, dates[1], { more: ['--no-ingest'] })
      expect([code, stderr.includes(`${path} is damaged or gone.`)]).toEqual([1, true])
      const rebuilt = await loyalcast(['ingest', company.path, '--rebuild', '--data', company.dataFolder])
      expect(rebuilt.code, rebuilt.stderr).toBe(0)
      expect(await spread.daily(company, dates[1])).toMatchObject({ code: 0 })
      await expectPublished(dates[1])
    },
    spread.patience,
  )

  it(
    'makes no difference where it was only kept for the next day',
    async () => {
      await spread.forgetDays(company)
      expect(await spread.daily(company, dates[0])).toMatchObject({ code: 0 })
      const kept = (await readdir(join(company.folder, 'kept'), { recursive: true })).filter((name) =>
        name.endsWith('.parquet'),
      )
      for (const name of kept) await damage(join(company.folder, 'kept', name))
      expect(await spread.daily(company, dates[1])).toMatchObject({ code: 0 })
      await expectPublished(dates[1])
    },
    spread.patience,
  )
})

describe('a bucket that ends every worker', () => {
  it(
    'is given up after some; the others are done, and the day is not published',
    async () => {
      await spread.forgetDays(company)
      const { path, bucket } = await lastEvents()
      const living = new Set<ChildProcess>()
      let isOver = false
      /** Starts a worker anew whenever it ends, as an operator's system does. */
      const supervise = async (diesAt?: string) => {
        while (!isOver) {
          const worker = await spread.startMissedWorker(company, redis.url, { diesAt })
          living.add(worker)
          if (worker.signalCode === null) await once(worker, 'close')
          living.delete(worker)
        }
      }
      const supervised = [supervise(path), supervise(path)]
      const { code, stderr } = await spread.daily(company, dates[1], { url: redis.url })
      expect(code).toBe(1)
      expect(stderr).toMatch(
        new RegExp(`^Group ${bucket} could not be worked at: every worker that took it ended`, 'm'),
      )
      expect(await doneSteps()).toEqual(stepsWithout(bucket))
      expect(await spread.publications(company, dates[1])).toBe(0)
      isOver = true
      for (const worker of living) await spread.end(worker)
      await Promise.all(supervised)
      const sound = await spread.startMissedWorker(company, redis.url)
      expect(await spread.daily(company, dates[1], { url: redis.url })).toMatchObject({ code: 0 })
      await expectPublished(dates[1])
      await spread.end(sound)
    },
    spread.patience,
  )
})
