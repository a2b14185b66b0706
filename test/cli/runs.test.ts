import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { RunRecord } from '../../src/domain/run.ts'
import { lakeFolder } from '../../src/lake/lake.ts'
import { RunRecords } from '../../src/lake/run-records.ts'
import { Registry } from '../../src/model/registry.ts'
import { makeLastingProgram } from '../programs.ts'
import { smallCompany } from '../small-company.ts'
import { type Finished, loyalcast, loyalcastHere } from './commands.ts'

const patience = 300_000
const date = '2025-02-20'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let records: RunRecords
beforeAll(async () => {
  vi.stubEnv('LOYALCAST_NOW', '2025-03-01T00:00:00Z')
  made = await makeLastingProgram(smallCompany({ customers: 150 }))
  records = new RunRecords(lakeFolder(made.dataFolder, made.program))
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await made.remove()
})

const folders = () => ['--data', made.dataFolder, '--models', made.modelsFolder]
const run = (name: string, ...args: string[]) => loyalcastHere([name, made.path, ...args, ...folders()])
const train = (hear: (text: string) => void): Promise<Finished> =>
  loyalcast(['train', made.path, '--max-rows', '2000', ...folders()], { onStderr: hear })
const latest = async () => (await records.list())[0]

/** Does something once the command says that it learns. */
function onceLearning(act: () => unknown): (text: string) => void {
  let isDone = false
  return (text) => {
    if (isDone || !text.includes('train …')) return
    isDone = true
    void act()
  }
}

describe('loyalcast runs', () => {
  it('has nothing to tell of a new program', async () => {
    const { code, stderr } = await run('runs')
    expect([code, stderr]).toEqual([0, expect.stringContaining('Nothing was run yet')])
  })

  it(
    'tells of a training that was cancelled in the middle, of which nothing stays',
    async () => {
      let cancelled: Promise<Finished> | null = null
      const finished = await train(onceLearning(() => (cancelled = run('runs', 'cancel', '1'))))
      expect(finished).toMatchObject({ code: null })
      expect(await cancelled).toMatchObject({ code: 0, stderr: 'Run 1 ends within a second or two.\n' })
      expect(await latest()).toMatchObject({ number: 1, status: 'cancelled', cause: 'command', result: null })
      expect(await new Registry(made.modelsFolder, made.program.name).versions()).toEqual([])
      expect((await run('runs', 'cancel', '1')).code).toBe(2)
    },
    patience,
  )

  it(
    'tells of one that was killed, and of the one behind it that was done',
    async () => {
      const killed = await loyalcast(['train', made.path, '--max-rows', '2000', ...folders()], {
        onStderr: (text, child) => onceLearning(() => child.kill('SIGKILL'))(text),
      })
      expect(killed).toMatchObject({ code: null })
      expect(await latest()).toMatchObject({ number: 2, status: 'interrupted', finishedAt: null })
      expect(await train(() => {})).toMatchObject({ code: 0 })
      const result = {
        version: '2025-02-23-1',
        promoted: true,
        reason: expect.stringMatching('first version'),
      }
      expect(await latest()).toMatchObject({ number: 3, status: 'done', result, problem: null })
    },
    patience,
  )

  it('tells of a day that was predicted, and of one that could not be', async () => {
    expect(await run('daily', '--date', date)).toMatchObject({ code: 0 })
    expect(await latest()).toMatchObject({
      ...{ number: 4, status: 'done', asked: { kind: 'daily', date } },
      result: { modelVersion: '2025-02-23-1', customers: expect.any(Number) },
    })
    await writeFile(join(made.folder, 'events.csv'), 'customer_id,when\nc1,2025-01-01\n')
    const failed = await run('daily', '--date', date)
    expect(failed.code).toBe(2)
    const { problem, ...rest } = (await latest()) as RunRecord
    expect(rest).toMatchObject({ number: 5, status: 'failed', result: null })
    expect(problem?.kind).toBe('usage')
    expect(failed.stderr).toContain(problem?.message)
  })

  it('shows them to people and to programs', async () => {
    const { stderr } = await run('runs')
    const lines = stderr.trimEnd().split('\n')
    expect(lines).toHaveLength(6)
    expect(lines[1]).toMatch(/^5 +2025-03-01 01:00 +daily 2025-02-20 +command +failed/)
    expect(lines[2]).toMatch(/done .* customers predicted with 2025-02-23-1\.$/)
    expect(lines[4]).toMatch(/interrupted +Its process ended before it was done\.$/)
    expect((await run('runs', 'show', '5')).stderr).toContain('goes on from what it had finished')
    const { stdout } = await run('runs', 'list', '--json')
    expect(JSON.parse(stdout).runs.map((one: RunRecord) => one.status)).toEqual([
      'failed',
      'done',
      'done',
      'interrupted',
      'cancelled',
    ])
    expect(await readdir(join(lakeFolder(made.dataFolder, made.program), 'run-records'))).toEqual(
      ['1', '2', '3', '4', '5'].map((number) => `${number}.json`),
    )
  })

  it.each([
    [['show', '77'], 'has no run 77'],
    [['show', '../1'], 'has no run ../1'],
    [['cancel'], 'number of a run is missing'],
    [['stop', '1'], 'the action is one of list, show, cancel'],
  ])('refuses %j', async (args, words) => {
    expect(await run('runs', ...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(words) })
  })

  it('cannot be given a run that has ended', async () => {
    const again = await run('daily', '--date', date, '--run', '4')
    expect(again).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Run 4 of small-company has ended'),
    })
    expect(await records.find(4)).toMatchObject({ status: 'done' })
  })
})
