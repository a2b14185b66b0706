import type { ChildProcess } from 'node:child_process'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { openLake } from '../../src/lake/lake.ts'
import type { Finished } from '../cli/commands.ts'
import { type RedisProcess, startRedis } from './redis-process.ts'
import * as spread from './spread-company.ts'

const { patience } = spread
const dates = ['2025-02-19', '2025-02-20', '2025-02-21'] as const
const date = dates[1]

let made: spread.SpreadCompany
let redis: RedisProcess
/** The days as one process predicts them. */
let expected: Buffer[]

beforeAll(async () => {
  redis = await startRedis()
  made = await spread.makeSpreadCompany()
  expected = await spread.undisturbed(made, dates)
}, patience)
afterAll(async () => {
  await redis.stop()
  await made.remove()
})

const workers: ChildProcess[] = []
afterEach(async () => {
  for (const worker of workers.splice(0)) await spread.end(worker)
})

const forget = () => spread.forgetDays(made)
const untilDone = (steps: number, run: Promise<Finished>) => spread.untilNoted(made, steps, run)

/** Starts a worker and waits until it is there. @param path of its program file */
async function startWorker(path?: string): Promise<ChildProcess> {
  const child = await spread.startWorker(made, redis.url, path)
  workers.push(child)
  return child
}

/** Starts a worker that halts when it reads a file that matches a pattern. */
async function startHaltingWorker(haltsAt: string) {
  const worker = await spread.startMissedWorker(made, redis.url, { haltsAt })
  workers.push(worker)
  const hasHalted = new Promise<void>((resolve) => {
    worker.stderr?.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('Halted.')) resolve()
    })
  })
  return { worker, hasHalted }
}

function daily(hear: (text: string, child: ChildProcess) => void = () => {}): Promise<Finished> {
  return spread.daily(made, date, { url: redis.url, more: ['--no-ingest'], hear })
}

async function expectBytes(day: (typeof dates)[number]): Promise<void> {
  expect((await spread.publishedFile(made, day)).equals(expected[dates.indexOf(day)])).toBe(true)
}

async function expectPublished(finished: Finished): Promise<void> {
  expect(finished, finished.stderr).toMatchObject({ code: 0 })
  await expectBytes(date)
  expect(await readdir(join(made.folder, 'runs'))).toEqual([])
  const lake = await openLake(made.dataFolder, made.program)
  expect(lake.state.sequence).toBe(2)
}

describe('a daily run that is spread over workers', () => {
  it(
    'publishes the bytes of a run in one process',
    async () => {
      await forget()
      // Begun before there is anybody to work at it: it says so, and waits.
      let isTold: () => void
      const told = new Promise<void>((resolve) => {
        isTold = resolve
      })
      const running = daily((text) => {
        if (text.includes('No worker is there')) isTold()
      })
      await told
      await Promise.all([startWorker(), startWorker()])
      const finished = await running
      expect(finished.stderr.match(/No worker is there/g)).toHaveLength(1)
      await expectPublished(finished)
    },
    patience,
  )

  it(
    'goes on where a worker is killed, and where Redis comes back without a memory',
    async () => {
      await forget()
      const first = await startWorker()
      const running = daily()
      await untilDone(3, running)
      await spread.end(first)
      await redis.restart()
      await startWorker()
      await expectPublished(await running)
    },
    patience,
  )

  it(
    'is taken up again after it was killed itself, by what workers did meanwhile',
    async () => {
      await forget()
      await startWorker()
      let isFirst = true
      const killed: Promise<Finished> = daily((_, child) => {
        if (isFirst) untilDone(4, killed).then(() => child.kill('SIGKILL'))
        isFirst = false
      })
      expect(await killed).toMatchObject({ code: null })
      await expectPublished(await daily())
    },
    patience,
  )

  it(
    'ends with what is wrong where workers have another program file, without trying again',
    async () => {
      await forget()
      const other = join(made.sources, 'other.yaml')
      await writeFile(other, (await readFile(made.path, 'utf8')).replace('margin: 0.4', 'margin: 0.5'))
      const worker = await startWorker(other)
      let said = ''
      worker.stderr?.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
      const finished = await daily()
      expect(finished.code).toBe(1)
      expect(finished.stderr).toMatch(
        /program file of [\w-]+ differs from the one that the run was begun with/,
      )
      await spread.end(worker)
      // Each of the eight buckets once.
      expect(said.match(/went wrong/g)).toHaveLength(8)
    },
    patience,
  )

  it(
    'ends with what is wrong where workers have another folder',
    async () => {
      await forget()
      await mkdir(join(made.sources, 'elsewhere'))
      workers.push(
        await spread.startWorker({ ...made, dataFolder: join(made.sources, 'elsewhere') }, redis.url),
      )
      const finished = await daily()
      expect(finished.code).toBe(1)
      expect(finished.stderr).toMatch(
        /The worker sees no .*elsewhere.*started with another folder \(--data\)/,
      )
    },
    patience,
  )

  it(
    'publishes without Redis where that goes away for good once all is being worked at',
    async () => {
      await forget()
      // Halted as they read what is known of the last two groups, of which all else is done.
      const halted = await Promise.all([6, 7].map(() => startHaltingWorker('kept-[67]-customers')))
      const running = daily()
      const tooEarly = running.then(({ stderr }) => Promise.reject(new Error(`Over already: ${stderr}`)))
      await Promise.race([Promise.all(halted.map(({ hasHalted }) => hasHalted)), tooEarly])
      await redis.kill()
      for (const { worker } of halted) worker.kill('SIGCONT')
      await expectPublished(await running)
      for (const { worker } of halted) await spread.end(worker)
      await redis.restart()
    },
    patience,
  )
})

describe('two daily runs at once', () => {
  it.each([
    ['of one day', [dates[0], dates[0]]],
    ['of two days', [dates[0], dates[1]]],
  ])(
    '%s each publish it once, and leave to the next day what it goes on from',
    async (_, days) => {
      await forget()
      await Promise.all([startWorker(), startWorker()])
      const both = await Promise.all(days.map((day) => spread.daily(made, day, { url: redis.url })))
      for (const { code, stderr } of both) expect(code, stderr).toBe(0)
      for (const day of days) {
        expect(await spread.publications(made, day)).toBe(days.filter((other) => other === day).length)
        await expectBytes(day)
      }
      expect(await spread.daily(made, dates[2])).toMatchObject({ code: 0 })
      await expectBytes(dates[2])
      expect(await readdir(join(made.folder, 'runs'))).toEqual([])
    },
    patience,
  )
})
