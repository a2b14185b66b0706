import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { openLake } from '../../src/lake/lake.ts'
import { ingestMade } from '../lakes.ts'
import { makeLastingProgram } from '../programs.ts'
import { findKillPoints, runCommand, runKilled } from './killing.ts'
import { clock, copyFolder, type SmallProgram } from './small-program.ts'
import { visibleState } from './visible-state.ts'

let made: SmallProgram
beforeAll(async () => {
  vi.stubEnv('LOYALCAST_NOW', clock)
  const company = await makeLastingProgram({
    yaml: `
sources: { events: { file: events/*.csv } }
outcomes: { churn: { absence_of: login } }`,
  })
  const grow = (day: number) =>
    company.write(`events/${day}.csv`, `customer_id,at,type\na,2024-05-${day},login\n`)
  for (let day = 10; day < 27; day++) {
    await grow(day)
    await ingestMade(company, { now: clock })
  }
  await grow(27)
  made = { ...company, grow: () => grow(28) }
}, 60_000)
afterAll(async () => {
  vi.unstubAllEnvs()
  await made.remove()
})

let copies = 0
async function withCopy(): Promise<SmallProgram> {
  return { ...made, dataFolder: await copyFolder(made.dataFolder, `${made.dataFolder}-${++copies}`) }
}

const files = async (program: SmallProgram) =>
  (await openLake(program.dataFolder, program.program)).state.files.map(({ rows }) => rows)

it('an ingest that merges files, killed at any operation, leaves the lake as it was and merges them the next time', async () => {
  const start = await visibleState(made)
  expect(await files(made)).toHaveLength(17)
  const undisturbed = await withCopy()
  const { points } = await findKillPoints(undisturbed, ['ingest'])
  expect(points.map(({ name }) => name)).toContainEqual(
    expect.stringMatching(/^within .*copy .*merged.parquet/),
  )
  expect(points.map(({ name }) => name)).toContainEqual(expect.stringMatching(/rename .*-merged.parquet/))
  const end = await visibleState(undisturbed)
  expect((await files(undisturbed)).sort()).toEqual([1, 17])
  for (const point of points) {
    const killed = await withCopy()
    await runKilled(killed, ['ingest'], point)
    expect([start, end], point.name).toContainEqual(await visibleState(killed))
    expect(await runCommand(killed, ['ingest'])).toMatchObject({ code: 0 })
    expect(await visibleState(killed), point.name).toEqual(end)
  }
})
