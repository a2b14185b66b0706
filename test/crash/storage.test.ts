import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { processName } from '../../src/lake/process-name.ts'
import type { Finished } from '../cli/commands.ts'
import { ingestMade } from '../lakes.ts'
import { makeProgram } from '../programs.ts'
import { mountSmallDisk, runBehind, type SmallDisk, withFileLimit } from './small-disk.ts'
import { asOf, dates, makeSmallProgram, type SmallProgram, tooFew } from './small-program.ts'

const disk = await mountSmallDisk(4)
if (typeof disk === 'string') console.log(`Skipped: ${disk}`)
const isRoot = process.getuid?.() === 0
const train = ['train', '--as-of', asOf, '--no-ingest']
const daily = (date: string) => ['daily', '--date', date]
const exported = (date: string, ...more: string[]) => ['export', 'predictions', '--date', date, ...more]

let made: SmallProgram
beforeAll(async () => {
  made = await makeSmallProgram(tooFew)
})
afterAll(async () => {
  await made.remove()
  if (typeof disk !== 'string') await disk.remove()
})

/** One sentence that names the place and what to do, and an end as failed. */
function expectRefusal({ code, stderr }: Finished, words: RegExp): void {
  expect(code, stderr).toBe(1)
  expect(stderr).toMatch(words)
  expect(stderr).not.toMatch(/unexpected|^\s+at /m)
  expect(stderr.split('\n').filter((line) => !/^(\w+ …|Note: .*)?$/.test(line))).toHaveLength(1)
}

describe.skipIf(typeof disk === 'string')('a disk that is full or read-only', () => {
  const { folder, prefix, ...small } = disk as SmallDisk
  const run = (more: Partial<SmallProgram>, args: readonly string[]) =>
    runBehind(prefix, { ...made, ...more }, args)

  it('makes the first ingest, a training and an export say so, and each works once there is room', async () => {
    const place = { dataFolder: join(folder, 'data'), modelsFolder: join(folder, 'models') }
    const out = join(folder, 'out.csv')
    const steps: [string[], number][] = [
      [['ingest'], 0],
      [train, 3],
      [daily(dates[0]), 3],
      [exported(dates[0], '--out', out), 0],
    ]
    for (const [args, code] of steps) {
      small.fill()
      expectRefusal(await run(place, args), new RegExp(`${folder}.* the disk is full\\. Free some space`))
      small.free()
      small.setReadOnly(true)
      expectRefusal(await run(place, args), new RegExp(`${folder}.*read-only`, 'i'))
      small.setReadOnly(false)
      const done = await run(place, args)
      expect(done.code, done.stderr).toBe(code)
    }
  })

  it('leaves what was there before, which can be read all along', async () => {
    const place = { dataFolder: join(folder, 'data'), modelsFolder: join(folder, 'models') }
    const before = await run(place, exported(dates[0]))
    expect(before).toMatchObject({ code: 0, stdout: expect.stringContaining(dates[0]) })
    await made.grow()
    small.fill()
    expectRefusal(await run(place, daily(dates[1])), /the disk is full/)
    expect(await run(place, exported(dates[0]))).toEqual(before)
    small.setReadOnly(true)
    expect(await run(place, exported(dates[0]))).toEqual(before)
    expect(await run(place, ['models', 'list'])).toMatchObject({ code: 0 })
    small.setReadOnly(false)
    small.free()
    expect(await run(place, daily(dates[1]))).toMatchObject({ code: 3 })
    expect(await run(place, exported(dates[0]))).toEqual(before)
  })

  it('that fills up in the middle of a run is told by its record', async () => {
    const place = { dataFolder: join(folder, 'data'), modelsFolder: join(folder, 'models') }
    const lock = join(place.dataFolder, 'test.lock')
    small.link(lock, await processName())
    let isFilled = false
    const onStderr = (text: string) => {
      if (isFilled || !text.includes('waiting')) return
      isFilled = true
      small.fill()
      small.link(lock, null)
    }
    const failed = await runBehind(prefix, { ...made, ...place, onStderr }, daily(dates[0]))
    expectRefusal(failed, /the disk is full/)
    const { stdout } = await run(place, ['runs', '--json'])
    const [latest] = JSON.parse(stdout).runs
    expect(latest).toMatchObject({ status: 'failed', result: null, problem: { code: 'storage' } })
    expect(failed.stderr).toContain(latest.problem.message)
    small.free()
    expect(await run(place, daily(dates[0]))).toMatchObject({ code: 3 })
  })

  it('is named where DuckDB cannot spill', () => {
    const script = `
      const { Database } = await import(process.argv[1])
      const options = { spillFolder: process.argv[2], timezone: 'UTC', memoryLimit: '60MB' }
      const database = await Database.open(options)
      const rows = "select hash(i) as h, 'some longer text ' || i as s from range(3000000) as t (i)"
      await database.run('create table sorted as ' + rows + ' order by h').catch((error) => console.log(error.message))`
    const module = join(import.meta.dirname, '../../dist/src/lake/database.js')
    const [command, ...before] = [...prefix, process.execPath, '--input-type=module', '-e', script]
    const { stdout } = spawnSync(command, [...before, module, join(folder, 'spill')])
    expect(String(stdout)).toMatch(/disk\S*\/spill cannot be .* needs more memory than it may take/)
  })
})

describe.skipIf(isRoot)('a folder without rights', () => {
  it('is named by an ingest, and gets the rows once it may be written', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'loyalcast-rights-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    await chmod(folder, 0o555)
    const place = { dataFolder: join(folder, 'data') }
    expectRefusal(await runBehind([], { ...made, ...place }, ['ingest']), /cannot be made.*rights/)
    await chmod(folder, 0o755)
    expect(await runBehind([], { ...made, ...place }, ['ingest'])).toMatchObject({ code: 0 })
  })
})

describe('a limit on the size of files', () => {
  it('is named by an ingest, which leaves the lake as it was', async () => {
    const select = (rows: number) =>
      `select 'c' || i as customer_id, timestamp '2024-01-01' + to_seconds(i) as at, 'login' as type, hash(i) as x from range(${rows}) as t (i)`
    const own = await makeProgram({
      files: { 'events.parquet': { select: select(10) } },
      yaml: 'sources: { events: { file: events.parquet } }\noutcomes: { churn: { absence_of: login } }',
    })
    const program = { ...own, grow: async () => {}, remove: async () => {} }
    await ingestMade(own)
    await own.write('events.parquet', { select: select(100_000) })
    const limited = await runBehind(withFileLimit(16), program, ['ingest'])
    expectRefusal(limited, /cannot be read or written: a file may not grow as large as it must/)
    expect((await readdir(join(own.dataFolder, 'test', 'commits'))).sort()).toEqual(['00000001.json'])
    const free = await runBehind([], program, ['ingest', '--json'])
    expect(JSON.parse(free.stdout)).toMatchObject({ commit: 2, sources: [{ stored: 99_990, duplicate: 10 }] })
  })
})
