import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { silentReporter } from '../../src/domain/progress.ts'
import { predictDay } from '../../src/jobs/daily.ts'
import { ingest } from '../../src/jobs/ingest.ts'
import { openLake } from '../../src/lake/lake.ts'
import { train } from '../../training/train.ts'
import { type Finished, loyalcast } from '../cli/commands.ts'
import { makeLastingProgram } from '../programs.ts'
import { smallCompany } from '../small-company.ts'
import { type RedisProcess, startRedis } from './redis-process.ts'

const binary = join(import.meta.dirname, '../../bin/loyalcast.mjs')
const now = '2025-03-01T00:00:00Z'
const date = '2025-02-20'
const settings = { now, seed: 1, maxRows: 2000, reporter: silentReporter, rowsAtOnce: 0 }
const patience = 600_000

type Made = Awaited<ReturnType<typeof makeLastingProgram>>

let made: Made
let redis: RedisProcess
/** The day as one process predicts it. */
let expected: Buffer

beforeAll(async () => {
  redis = await startRedis()
  made = await makeLastingProgram(smallCompany({ customers: 150 }))
  await ingest(made.program, { ...settings, ...made })
  await train(made.program, { ...settings, ...made, asOf: '2025-01-20' })
  await cp(made.dataFolder, `${made.dataFolder}-ingested`, { recursive: true })
  await predictDay(made.program, { ...settings, ...made, date })
  expected = await predicted()
}, patience)
afterAll(async () => {
  await redis.stop()
  await made.remove()
})

const workers: ChildProcess[] = []
afterEach(async () => {
  for (const worker of workers.splice(0)) await kill(worker)
})

async function predicted(): Promise<Buffer> {
  const lake = await openLake(made.dataFolder, made.program)
  return readFile(join(lake.folder, lake.state.predictions.get(date)?.path ?? ''))
}

/** The lake as it was before the day was predicted. */
async function forget(): Promise<void> {
  await rm(made.dataFolder, { recursive: true })
  await cp(`${made.dataFolder}-ingested`, made.dataFolder, { recursive: true })
}

const folders = () => ['--data', made.dataFolder, '--models', made.modelsFolder]
const environment = () => ({ LOYALCAST_NOW: now, LOYALCAST_ROWS_AT_ONCE: '0', REDIS_URL: redis.url })

/** Starts a worker and waits until it is there. @param path of its program file */
async function startWorker(path = made.path): Promise<ChildProcess> {
  const child = spawn(process.execPath, [binary, 'worker', path, ...folders()], {
    env: { ...process.env, ...environment() },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  workers.push(child)
  await once(child.stderr as NodeJS.ReadableStream, 'data')
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'close')
  child.kill('SIGKILL')
  await ended
}

function daily(hear: (text: string, child: ChildProcess) => void = () => {}): Promise<Finished> {
  return loyalcast(['daily', made.path, '--date', date, '--no-ingest', ...folders()], {
    environment: environment(),
    onStderr: hear,
  })
}

/** Waits until so many steps of the run are noted. */
async function untilDone(steps: number): Promise<void> {
  const runs = join(made.dataFolder, made.program.name, 'runs')
  for (;;) {
    const names = await readdir(runs, { recursive: true }).catch(() => [])
    if (names.filter((name) => name.endsWith('.json')).length >= steps) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function expectPublished(finished: Finished): Promise<void> {
  expect(finished, finished.stderr).toMatchObject({ code: 0 })
  expect((await predicted()).equals(expected)).toBe(true)
  expect(await readdir(join(made.dataFolder, made.program.name, 'runs'))).toEqual([])
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
      await untilDone(3)
      await kill(first)
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
      const killed = daily((_, child) => {
        if (isFirst) untilDone(4).then(() => child.kill('SIGKILL'))
        isFirst = false
      })
      expect(await killed).toMatchObject({ code: null })
      await expectPublished(await daily())
    },
    patience,
  )

  it(
    'ends with what is wrong where workers have another program file',
    async () => {
      await forget()
      const other = join(made.folder, 'other.yaml')
      await writeFile(other, (await readFile(made.path, 'utf8')).replace('margin: 0.4', 'margin: 0.5'))
      await startWorker(other)
      const finished = await daily()
      expect(finished.code).toBe(1)
      expect(finished.stderr).toMatch(
        /program file of [\w-]+ differs from the one that the run was begun with/,
      )
    },
    patience,
  )
})
