import { spawnSync } from 'node:child_process'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { processName } from '../../src/lake/process-name.ts'
import { queryLake } from '../lakes.ts'
import { runCommand } from './killing.ts'
import { asOf, copyFolder, dates, makeSmallProgram, type SmallProgram, tooFew } from './small-program.ts'
import { findLeftovers, visibleState } from './visible-state.ts'

const ingest = ['ingest']
const train = ['train', '--as-of', asOf, '--no-ingest']
const daily = (date: string) => ['daily', '--date', date]

let made: SmallProgram
beforeAll(async () => {
  made = await makeSmallProgram(tooFew)
  for (const args of [ingest, train, daily(dates[0])]) await runCommand(made, args)
  await made.grow()
})
afterAll(() => made.remove())

async function copied(name: string): Promise<SmallProgram> {
  const [dataFolder, modelsFolder] = [`${made.dataFolder}-${name}`, `${made.modelsFolder}-${name}`]
  for (const folder of [dataFolder, modelsFolder]) await rm(folder, { recursive: true, force: true })
  await copyFolder(made.dataFolder, dataFolder)
  await copyFolder(made.modelsFolder, modelsFolder)
  return { ...made, dataFolder, modelsFolder }
}

/** What counts in the end, whatever the order of commits was. */
async function outcome(program: SmallProgram) {
  const { predictions, models, champion } = await visibleState(program)
  const fingerprint = 'select count(*) as rows, sum(hash(rows))::varchar as fingerprint from rows'
  const events = await queryLake(program, 'events', fingerprint)
  return { predictions, models, champion, events, leftovers: await findLeftovers(program) }
}

async function outcomeBeside(first: string[], second: string[]) {
  const beside = await copied('beside')
  const both = await Promise.all([runCommand(beside, first), runCommand(beside, second)])
  for (const { code, stderr } of both) expect([0, 3], stderr).toContain(code)
  return outcome(beside)
}

async function outcomeInTurn(...commands: string[][]) {
  const apart = await copied('apart')
  for (const args of commands) await runCommand(apart, args)
  return outcome(apart)
}

/** A card names the lake commit that was read: it may be one between the two of a daily run that ingests. */
function withoutCards(found: Awaited<ReturnType<typeof outcome>>) {
  const models = Object.entries(found.models).filter(([path]) => !path.includes('/card.'))
  return { ...found, models: Object.fromEntries(models) }
}

describe('two processes at once', () => {
  it.each<[string, string[], string[]]>([
    ['ingests', ingest, ingest],
    ['daily runs of one day', daily(dates[1]), daily(dates[1])],
    ['daily runs of two days', daily(dates[0]), daily(dates[1])],
    ['an ingest and a daily run', ingest, daily(dates[0])],
    ['trainings', ['train', '--no-ingest'], ['train', '--no-ingest']],
  ])('%s end as if one had followed the other', async (_, first, second) => {
    const beside = await outcomeBeside(first, second)
    // Either may have come first.
    expect([await outcomeInTurn(first, second), await outcomeInTurn(second, first)]).toContainEqual(beside)
  })

  it('a training and a daily run each end as before or after the other: neither waits for the other', async () => {
    const [training, run] = [['train', '--no-ingest'], daily(dates[1])]
    const beside = withoutCards(await outcomeBeside(training, run))
    const orders = [await outcomeInTurn(training, run), await outcomeInTurn(run, training)]
    const inTurn = orders.map(withoutCards)
    for (const part of ['predictions', 'models', 'champion', 'events', 'leftovers'] as const)
      expect(inTurn.map((outcome) => outcome[part])).toContainEqual(beside[part])
  })
})

describe('the lock of a process that is gone', () => {
  /** The name of a process that ended on this machine. */
  async function nameOfDead(): Promise<string> {
    const { pid } = spawnSync(process.execPath, ['--version'])
    const [, , ...place] = (await processName()).split(' ')
    return [pid, '1', ...place].join(' ')
  }

  it.each<[string, () => Promise<string>]>([
    ['is taken over at once', nameOfDead],
    [
      'is taken over at once, also where its number was given to another process',
      async () => (await processName()).replace(/^(\d+) \d+/, '$1 1'),
    ],
  ])('%s', async (_, name) => {
    const program = await copied('dead')
    await symlink(await name(), join(program.dataFolder, 'test.lock'))
    const { code, stderr } = await runCommand(program, ingest)
    expect(code, stderr).toBe(0)
    expect(stderr).not.toContain('waiting')
  })

  it('is taken over after a minute where it ran on another machine', async () => {
    const program = await copied('elsewhere')
    const lock = join(program.dataFolder, 'test.lock')
    await symlink(`1 1 not-${hostname()} pid:[1]`, lock)
    spawnSync('touch', ['--no-dereference', '--date', '2 minutes ago', lock])
    expect(await runCommand(program, ingest)).toMatchObject({ code: 0 })
  })
})

describe('what killed processes left', () => {
  it('half-written files in a lake count for nothing and go with the next ingest', async () => {
    const program = await copied('littered')
    const lake = join(program.dataFolder, 'test')
    const before = await visibleState(program)
    const litter = [
      'staging/batch/bucket=0/data_0.parquet',
      'staging/predictions.parquet',
      'events/bucket=0/00000009-events-0-0.parquet',
      'quarantine/00000009-events-0.parquet',
      'predictions/date=2024-06-01/00000009.parquet',
      'commits/00000009.json.77.tmp',
    ]
    for (const path of litter) {
      await mkdir(join(lake, path, '..'), { recursive: true })
      await writeFile(join(lake, path), 'PAR1 and then no more')
    }
    await mkdir(join(lake, '.loyalcast-gone'))
    await symlink(await nameOfNobody(), join(lake, '.loyalcast-gone', 'owner'))
    const dead = join(program.modelsFolder, 'test', '.2024-05-31-9')
    await mkdir(dead)
    await writeFile(join(dead, 'card.json'), '{"half": ')
    expect(await visibleState(program)).toEqual(before)
    for (const args of [ingest, ['train', '--no-ingest']]) await runCommand(program, args)
    expect(await findLeftovers(program)).toEqual([])
  })

  /** Nobody has a number that high. */
  async function nameOfNobody(): Promise<string> {
    return (await processName()).replace(/^\d+/, '99999999')
  }
})
