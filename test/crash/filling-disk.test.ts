import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from './killing.ts'
import { mountSmallDisk, runBehind, type SmallDisk } from './small-disk.ts'
import { asOf, copyFolder, dates, makeSmallProgram, type SmallProgram, tooFew } from './small-program.ts'
import { findLeftovers, visibleState } from './visible-state.ts'

const disk = await mountSmallDisk(8)
if (typeof disk === 'string') console.log(`Skipped: ${disk}`)
const folders = ['dataFolder', 'modelsFolder'] as const
const daily = ['daily', '--date', dates[1], '--no-ingest']
const threads = (count: number) => ({ LOYALCAST_ROWS_AT_ONCE: '0', LOYALCAST_THREADS: `${count}` })

let made: SmallProgram
beforeAll(async () => {
  made = await makeSmallProgram(tooFew)
  const before = [['ingest'], ['train', '--as-of', asOf, '--no-ingest'], ['daily', '--date', dates[0]]]
  for (const args of before) await runCommand(made, args)
  await made.grow()
})
afterAll(async () => {
  await made.remove()
  if (typeof disk !== 'string') await disk.remove()
})

/** The program with copies of its folders elsewhere. */
async function copied(folder: string): Promise<SmallProgram> {
  const place = { dataFolder: join(folder, 'data'), modelsFolder: join(folder, 'models') }
  for (const key of folders) {
    await rm(place[key], { recursive: true, force: true })
    await copyFolder(made[key], place[key])
  }
  return { ...made, ...place }
}

describe.skipIf(typeof disk === 'string')('a disk that fills up on the way', () => {
  const { folder, seenAs, prefix, fill, free } = disk as SmallDisk
  /** The program as those see it who were let in. */
  const within = () => ({
    ...made,
    dataFolder: join(folder, 'data'),
    modelsFolder: join(folder, 'models'),
  })

  it.each<[string, number, string[], Record<string, string>]>([
    ['an ingest', 16, ['ingest'], {}],
    ['a training', 4, ['train', '--no-ingest'], {}],
    ['a daily run', 16, daily, {}],
    ['a daily run bucket by bucket', 64, daily, threads(1)],
    ['the last part of one', 160, daily, threads(1)],
    ['one in threads', 160, daily, threads(2)],
  ])(
    'ends %s with a sentence, and all is as before; with room it goes on',
    async (_, left, args, settings) => {
      const seen = await copied(seenAs)
      fill(left)
      const full = await runBehind(prefix, within(), args, settings)
      free()
      expect(full.code, full.stderr).toBe(1)
      expect(full.stderr).toMatch(
        new RegExp(`^${folder}/\\S+ cannot be read or written: the disk is full\\. Free some space`, 'm'),
      )
      expect(full.stderr.split('\n').filter((line) => !/ …$|^$/.test(line))).toHaveLength(1)
      expect(await visibleState(seen)).toEqual(await visibleState(made))
      const again = await runBehind(prefix, within(), args, settings)
      const undisturbed = await copied(join(made.folder, 'undisturbed'))
      expect(again.code, again.stderr).toBe((await runCommand(undisturbed, args, settings)).code)
      expect(await visibleState(seen)).toEqual(await visibleState(undisturbed))
      expect(await findLeftovers(seen)).toEqual([])
    },
  )
})
