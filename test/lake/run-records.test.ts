import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { processName } from '../../src/lake/process-name.ts'
import { type NewRun, RunRecords } from '../../src/lake/run-records.ts'

const at = '2026-11-20T12:00:00Z'
const later = '2026-11-20T12:01:00Z'
const asked = { kind: 'daily', date: '2026-11-19' } as const
const run: NewRun = { asked, cause: 'command', retryOf: null, queue: 'process', createdAt: at }
const holder = 'runner'

let lake: string
let records: RunRecords
beforeEach(async () => {
  lake = await mkdtemp(join(tmpdir(), 'loyalcast-runs-'))
  records = new RunRecords(lake)
  onTestFinished(() => rm(lake, { recursive: true }))
})

/** A run whose process was killed. */
async function addDead(change: Partial<NewRun> = {}): Promise<number> {
  const { run: added, release } = await records.add({ ...run, ...change }, { holder })
  await records.start(added.number, at)
  await release()
  const child = spawn('sleep', ['1000'])
  await once(child, 'spawn')
  await symlink(await processName(child.pid), join(lake, 'run-records', `${added.number}.runner.lock`))
  child.kill('SIGKILL')
  await once(child, 'close')
  return added.number
}

const fileOf = (number: number) => join(lake, 'run-records', `${number}.json`)
const files = () => readdir(join(lake, 'run-records'))

describe('the record of a run', () => {
  it('tells each step until it is done', async () => {
    const { run: added, release } = await records.add(run, { holder })
    const { number } = added
    expect(await records.find(number)).toMatchObject({ number: 1, status: 'queued', asked, startedAt: null })
    expect(await records.start(number, at)).toBe(true)
    await records.note(number, { phase: 'predict', done: 1, total: 8 })
    expect(await records.find(number)).toMatchObject({
      ...{ status: 'running', startedAt: at, attempts: 1 },
      progress: { phase: 'predict', done: 1, total: 8 },
    })
    const result = { modelVersion: '2026-11-01-1', customers: 3, predicted: 2, abstained: 1 }
    await records.end(number, { status: 'done', at: later, result })
    await release()
    expect(await records.find(number)).toMatchObject({
      ...{ status: 'done', finishedAt: later, result, progress: null },
    })
    expect(await files()).toEqual(['1.json'])
  })

  it('keeps why it failed, and what ended first', async () => {
    const { run: added, release } = await records.add(run, { holder })
    const problem = { kind: 'failed', code: 'storage', message: 'The disk is full.' } as const
    await records.end(added.number, { status: 'failed', at, problem })
    await records.end(added.number, { status: 'done', at: later })
    await release()
    expect(await records.find(added.number)).toMatchObject({ status: 'failed', problem, finishedAt: at })
    expect(await records.start(added.number, later)).toBe(false)
    expect(await records.cancel(added.number, later)).toBe(false)
  })

  it('reads as interrupted once its process is gone, which the next run writes down', async () => {
    const number = await addDead()
    expect(await records.find(number)).toMatchObject({ status: 'interrupted', result: null })
    const { release } = await records.add(run, { holder })
    await release()
    expect(await files()).toEqual(['1.json', '2.json'])
    expect(await records.find(number)).toMatchObject({ status: 'interrupted' })
  })

  it('reads as cancelled where it was to be when its process died', async () => {
    const number = await addDead()
    const held = await records.hold(number, 'keeper')
    expect(await records.cancel(number, later)).toBe(true)
    expect(records.isUnwanted(number)).toBe(true)
    expect(await records.find(number)).toMatchObject({ status: 'running' })
    await held?.()
    expect(await records.find(number)).toMatchObject({ status: 'cancelled', finishedAt: later })
  })

  it('waits on in a queue that outlives processes', async () => {
    const number = await addDead({ queue: 'redis' })
    expect(await records.find(number)).toMatchObject({ status: 'queued', attempts: 1 })
    expect(await records.cancel(number, later)).toBe(true)
    expect(await records.find(number)).toMatchObject({ status: 'cancelled' })
  })
})

describe('the runs of a program', () => {
  it('are numbered in the order in which many processes added them, and one adds what only one may', async () => {
    const stores = Array.from({ length: 6 }, () => new RunRecords(lake))
    const isNeedless = (runs: readonly object[]) => runs.length > 0
    const added = await Promise.all(stores.map((store) => store.addUnless(run, { holder, isNeedless })))
    expect(added.filter((one) => one !== null)).toHaveLength(1)
    await Promise.all(stores.map((store) => store.add(run, { holder })))
    expect((await records.list()).map(({ number }) => number)).toEqual([7, 6, 5, 4, 3, 2, 1])
  })

  it('go on beside a record that cannot be read', async () => {
    const { release } = await records.add(run, { holder })
    await writeFile(fileOf(2), '{"number":2,')
    const { run: added } = await records.add(run, { holder })
    expect(added.number).toBe(3)
    expect((await records.list()).map(({ number }) => number)).toEqual([3, 1])
    expect(await records.find(2)).toBeNull()
    await release()
  })

  it('are the last two hundred, and those that still go on', async () => {
    const { release } = await records.add(run, { holder })
    await records.add(run, { holder })
    await records.end(1, { status: 'done', at })
    await release()
    const done = JSON.parse(await readFile(fileOf(1), 'utf8'))
    for (let number = 3; number <= 202; number++)
      await writeFile(fileOf(number), JSON.stringify({ ...done, number }))
    await records.add(run, { holder })
    const numbers = (await records.list()).map(({ number }) => number)
    expect([numbers[0], numbers.at(-2), numbers.at(-1), numbers.length]).toEqual([203, 4, 2, 201])
  })
})
