import { mkdir, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { loyalcastHere } from '../cli/commands.ts'
import { findKillPoints, runKilled } from './killing.ts'
import {
  asOf,
  clock,
  copyFolder,
  dates,
  makeSmallProgram,
  type SmallProgram,
  tooFew,
} from './small-program.ts'
import { exportDay, findLeftovers, statesThrough, visibleState } from './visible-state.ts'

const train = ['train', '--as-of', asOf, '--no-ingest']

let made: SmallProgram
beforeAll(async () => {
  vi.stubEnv('LOYALCAST_NOW', clock)
  made = await makeSmallProgram(tooFew)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await made.remove()
})

/** The program as it is now, with folders of its own that are copies of those. */
async function withCopies(name: string): Promise<SmallProgram> {
  const folders = { dataFolder: `${made.dataFolder}-${name}`, modelsFolder: `${made.modelsFolder}-${name}` }
  for (const [key, folder] of Object.entries(folders)) {
    await rm(folder, { recursive: true, force: true })
    await copyFolder(made[key as keyof typeof folders], folder).catch(() => {})
  }
  return { ...made, ...folders }
}

/**
 * Kills a command at many moments. Each time readers must see one of the states that an undisturbed run goes through,
 * and the command, run again, must end where that ended, with nothing left lying about.
 */
async function killEverywhere(args: readonly string[], code: number, seen?: string): Promise<void> {
  const undisturbed = await withCopies('undisturbed')
  const { points, finished } = await findKillPoints(undisturbed, args)
  expect(finished, finished.stderr).toMatchObject({ code })
  expect(points.length).toBeGreaterThan(11)
  const states = await statesThrough(undisturbed)
  const end = await visibleState(undisturbed)
  const start = await visibleState(made)
  // A new version is there before it serves.
  states.push(start, end, { ...end, champion: start.champion })
  const before = seen && (await exportDay(made, seen))
  for (const point of points) {
    const killed = await withCopies('killed')
    await runKilled(killed, args, point)
    expect(states, point.name).toContainEqual(await visibleState(killed))
    if (seen) expect(await exportDay(killed, seen), point.name).toBe(before)
    const [command, ...more] = args
    const folders = ['--data', killed.dataFolder, '--models', killed.modelsFolder]
    const again = await loyalcastHere([command, made.path, ...more, ...folders])
    expect(again, `${point.name}\n${again.stderr}`).toMatchObject({ code })
    expect(again.stderr, point.name).not.toContain('waiting')
    expect(await visibleState(killed), point.name).toEqual(end)
    expect(await findLeftovers(killed), point.name).toEqual([])
  }
}

/** Runs a command undisturbed, for what comes next. */
async function done(args: readonly string[]): Promise<void> {
  const [command, ...more] = args
  await loyalcastHere([command, made.path, ...more, '--data', made.dataFolder, '--models', made.modelsFolder])
}

describe('killed at any operation and run again', () => {
  it('the first ingest gives what an undisturbed one gives', async () => {
    await killEverywhere(['ingest'], 0)
  })

  it('the first training gives what an undisturbed one gives', async () => {
    await done(['ingest'])
    await killEverywhere(train, 3)
  })

  it('a daily run over new rows does, and the day before can be read all along', async () => {
    await done(['ingest'])
    await done(train)
    await done(['daily', '--date', dates[0]])
    await made.grow()
    await killEverywhere(['daily', '--date', dates[1]], 3, dates[0])
    await done(['daily', '--date', dates[1]])
  })

  it('a daily run bucket by bucket does, and what was finished is not done again', async () => {
    vi.stubEnv('LOYALCAST_ROWS_AT_ONCE', '0')
    vi.stubEnv('LOYALCAST_THREADS', '1')
    await done(['daily', '--date', dates[0]])
    await killEverywhere(['daily', '--date', dates[1]], 3, dates[0])
    vi.stubEnv('LOYALCAST_ROWS_AT_ONCE', '')
  })

  it('a later training does, and the champion is the old one or the new one', async () => {
    await done(['ingest'])
    await done(train)
    await made.grow()
    await done(['daily', '--date', dates[1]])
    await killEverywhere(['train', '--no-ingest'], 3, dates[1])
  })

  it('an export does, and its file is whole or not there', async () => {
    await done(['ingest'])
    await done(train)
    await done(['daily', '--date', dates[0]])
    const folder = join(made.folder, 'out')
    const file = join(folder, 'rows.csv')
    const args = ['export', 'predictions', '--date', dates[0], '--out', file]
    await mkdir(folder)
    const { points } = await findKillPoints(made, args)
    const whole = await readFile(file, 'utf8')
    for (const point of points) {
      await rm(file, { force: true })
      await runKilled(made, args, point)
      expect([null, whole], point.name).toContain(await readFile(file, 'utf8').catch(() => null))
      await done(args)
      expect(await readdir(folder), point.name).toEqual(['rows.csv'])
      expect(await readFile(file, 'utf8')).toBe(whole)
    }
  })
})
