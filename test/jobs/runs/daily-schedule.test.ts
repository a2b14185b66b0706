import { afterEach, beforeEach, expect, it, onTestFinished, vi } from 'vitest'
import { startDailySchedule } from '../../../src/jobs/runs/daily-schedule.ts'
import { openRunQueue, type RunQueue } from '../../../src/jobs/runs/run-queue.ts'
import { lakeFolder, openLake } from '../../../src/lake/lake.ts'
import { RunRecords } from '../../../src/lake/run-records.ts'
import { loyalcastHere } from '../../cli/commands.ts'
import { asOf, makeSmallProgram, type SmallProgram, tooFew } from '../../crash/small-program.ts'
import { commandOf } from '../../run-command.ts'

/** Behind the strike of 2024-06-02, for the first of June. */
const morning = '2024-06-02T05:00:00Z'
const patience = { timeout: 120_000, interval: 50 }

let made: SmallProgram
let records: RunRecords
let now = morning
const problems: unknown[] = []
const onError = (error: unknown) => problems.push(error)
const open = () => openRunQueue({ ...made, command: commandOf(made), clock: () => now, onError })

beforeEach(async () => {
  now = morning
  vi.stubEnv('LOYALCAST_NOW', '2024-08-01T12:00:00Z')
  made = await makeSmallProgram(tooFew)
  Object.assign(made, { program: { ...made.program, schedule: '05:00' } })
  records = new RunRecords(lakeFolder(made.dataFolder, made.program))
  const folders = ['--data', made.dataFolder, '--models', made.modelsFolder]
  await loyalcastHere(['train', made.path, '--as-of', asOf, ...folders])
  onTestFinished(() => made.remove())
}, 60_000)
afterEach(() => {
  vi.unstubAllEnvs()
  expect(problems.splice(0)).toEqual([])
})

/** A scheduler and its queue, as a server has them. */
function start(): { readonly queue: RunQueue; stop(): Promise<void> } {
  const queue = open()
  const end = startDailySchedule({ programs: [made.program], queue, clock: () => now, onError, lookMs: 20 })
  const stop = async () => {
    await end()
    await queue.close()
  }
  onTestFinished(stop)
  return { queue, stop }
}

const dailies = async () => (await records.list()).filter(({ asked }) => asked.kind === 'daily')
const untilDone = (runs: number) =>
  vi.waitFor(async () => {
    const found = await dailies()
    expect(found.map(({ status }) => status)).toEqual(Array(runs).fill('done'))
    return found
  }, patience)
const commits = async () => (await openLake(made.dataFolder, made.program)).state.sequence

it('catches up once with the day that was missed, whoever else does, and then with each day when it is due', async () => {
  const before = await commits()
  for (let schedulers = 0; schedulers < 3; schedulers++) start()
  const [first] = await untilDone(1)
  expect(first).toMatchObject({
    cause: 'schedule',
    asked: { kind: 'daily', date: '2024-06-01' },
    attempts: 1,
  })
  expect(await commits()).toBe(before + 1)
  now = '2024-06-03T02:59:59Z'
  await untilDone(1)
  now = '2024-06-03T03:00:00Z'
  const [second] = await untilDone(2)
  expect(second.asked).toEqual({ kind: 'daily', date: '2024-06-02' })
  expect(await commits()).toBe(before + 2)
}, 120_000)

it('leaves a day alone that somebody had predicted since it was due, and takes up one that was interrupted', async () => {
  const queue = open()
  const asked = { kind: 'daily', date: '2024-06-01' } as const
  await queue.add(made.program, { asked, cause: 'api' })
  await untilDone(1)
  await queue.close()
  const { stop } = start()
  now = '2024-06-03T12:00:00Z'
  await vi.waitFor(async () => expect(await dailies()).toHaveLength(2), patience)
  await stop()
  expect((await dailies())[0]).toMatchObject({ cause: 'schedule', status: 'interrupted' })
  start()
  await vi.waitFor(
    async () => expect((await dailies())[0]).toMatchObject({ number: 4, status: 'done' }),
    patience,
  )
}, 120_000)
