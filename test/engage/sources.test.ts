import { rm } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { jobSource } from '../../src/engage/job-source.ts'
import { dayReadySource, lakeSource } from '../../src/engage/lake-source.ts'
import { promotionSource } from '../../src/engage/promotion-source.ts'
import type { WebhookSource } from '../../src/engage/webhook-source.ts'
import { appendCommit, nextCommit, type PredictionDay } from '../../src/lake/commits.ts'
import { lakeFolder, openLake } from '../../src/lake/lake.ts'
import { Registry } from '../../src/model/registry.ts'
import { makeWorld } from './dispatching.ts'

const shop = { name: 'shop' }

/** Commits predictions of days to the lake, as a daily run does. */
async function commitDays(dataFolder: string, at: string, ...dates: string[]): Promise<void> {
  const { folder, state } = await openLake(dataFolder, shop)
  const predictions = dates.map(
    (date): PredictionDay => ({
      ...{ date, path: `predictions/${date}/${state.sequence}.parquet`, rows: 3, predicted: 2 },
      ...{ modelVersion: '2026-10-01-1', lakeCommit: state.sequence },
    }),
  )
  await appendCommit(folder, { ...nextCommit(state, { at, timezone: 'UTC' }), predictions })
}

/** Reads on from where it stopped. */
function reader(source: WebhookSource) {
  let position: string | null = null
  return async () => {
    position ??= await source.present()
    const read = await source.read(position)
    position = read.position
    return read.events
  }
}

const noon = (minute: number) => `2026-11-20T12:${String(minute).padStart(2, '0')}:00.000Z`

describe('days of predictions', () => {
  it('are told of once each, in their order, and whether they replace others', async () => {
    const { folder } = await makeWorld()
    await commitDays(folder, noon(0), '2026-11-01')
    const read = reader(dayReadySource(folder, shop))
    expect(await read()).toEqual([])
    await commitDays(folder, noon(1))
    await commitDays(folder, noon(2), '2026-11-02', '2026-11-01')
    await commitDays(folder, noon(3), '2026-11-02')
    const told = await read()
    expect(told.map(({ timestamp, data }) => [timestamp, data.date, data.is_replaced])).toEqual([
      [noon(2), '2026-11-02', false],
      [noon(2), '2026-11-01', true],
      [noon(3), '2026-11-02', true],
    ])
    expect(told[0]).toMatchObject({ data: { program: 'shop', customers: 3, predicted: 2, lake_commit: 2 } })
    expect(await read()).toEqual([])
  })

  it('are told of from the first on where there was no lake yet', async () => {
    const { folder } = await makeWorld()
    const read = reader(dayReadySource(folder, shop))
    expect(await read()).toEqual([])
    await commitDays(folder, noon(1), '2026-11-01')
    expect(await read()).toHaveLength(1)
  })

  it('are told of also where the clock goes back', async () => {
    const { folder } = await makeWorld()
    await commitDays(folder, noon(5), '2026-11-01')
    await commitDays(folder, noon(3), '2026-11-02')
    const read = reader(dayReadySource(folder, shop))
    await read()
    await commitDays(folder, noon(1), '2026-11-03')
    expect((await read()).map(({ data }) => data.date)).toEqual(['2026-11-03'])
  })

  it.each([1, 3])('are told of again in a lake that was made anew, with %i commits', async (commits) => {
    const { folder } = await makeWorld()
    for (const minute of [0, 1]) await commitDays(folder, noon(minute), '2026-11-01')
    const read = reader(dayReadySource(folder, shop))
    await read()
    await rm(lakeFolder(folder, shop), { recursive: true })
    expect(await read()).toEqual([])
    for (let n = 0; n < commits; n++) await commitDays(folder, noon(10 + n), `2026-12-0${n + 1}`)
    expect(await read()).toHaveLength(commits)
    expect(await read()).toEqual([])
  })

  it('are not told of again where an older lake was put back', async () => {
    const { folder } = await makeWorld()
    for (const minute of [0, 1, 2]) await commitDays(folder, noon(minute), '2026-11-01')
    const read = reader(dayReadySource(folder, shop))
    await read()
    await rm(`${lakeFolder(folder, shop)}/commits/00000003.json`)
    expect(await read()).toEqual([])
    await commitDays(folder, noon(9), '2026-11-02')
    expect(await read()).toHaveLength(1)
  })

  it('can be told of in other ways, with the lake as it is then', async () => {
    const { folder } = await makeWorld()
    const seen: unknown[] = []
    const source = lakeSource({
      ...{ name: 'seen', dataFolder: folder, program: shop },
      describe: async ({ before, after, record }, lake) => {
        seen.push([before.sequence, record.sequence, after.sequence, lake.state.sequence])
        return []
      },
    })
    const read = reader(source)
    await read()
    for (const minute of [1, 2]) await commitDays(folder, noon(minute), '2026-11-01')
    await read()
    expect(seen).toEqual([
      [0, 1, 1, 2],
      [1, 2, 2, 2],
    ])
  })
})

describe('promotions', () => {
  it('are told of with what served before, also when they are taken back', async () => {
    const { folder } = await makeWorld()
    const registry = new Registry(folder, 'shop')
    for (const version of ['2026-11-01-1', '2026-11-02-1'])
      await registry.publish(version, { 'card.json': '{}' })
    await registry.promote('2026-11-01-1', { at: noon(0), reason: 'the first' })
    const read = reader(promotionSource(folder, shop))
    expect(await read()).toEqual([])
    await registry.promote('2026-11-02-1', { at: noon(1), reason: 'passed the gate' })
    await registry.rollback({ at: noon(2), reason: 'by hand' })
    expect((await read()).map(({ timestamp, data }) => ({ timestamp, ...data }))).toEqual([
      {
        ...{ timestamp: noon(1), program: 'shop', version: '2026-11-02-1', previous: '2026-11-01-1' },
        ...{ action: 'promote', reason: 'passed the gate' },
      },
      {
        ...{ timestamp: noon(2), program: 'shop', version: '2026-11-01-1', previous: null },
        ...{ action: 'rollback', reason: 'by hand' },
      },
    ])
    expect(await read()).toEqual([])
  })

  it('are told of again in a log that was begun anew', async () => {
    const { folder } = await makeWorld()
    const begin = async (at: string) => {
      const registry = new Registry(folder, 'shop')
      await registry.publish('2026-11-01-1', { 'card.json': '{}' })
      await registry.promote('2026-11-01-1', { at, reason: 'x'.repeat(5000) })
    }
    await begin(noon(0))
    const read = reader(promotionSource(folder, shop))
    await read()
    await rm(`${folder}/shop`, { recursive: true })
    await begin(noon(5))
    expect((await read()).map(({ timestamp }) => timestamp)).toEqual([noon(5)])
  })
})

describe('questions that are answered in the background', () => {
  it('are told of once each, in whichever order they end', async () => {
    const { control } = await makeWorld()
    const { jobs } = control
    const ask = (id: string) => jobs.add({ id, question: {}, scenarioId: null, createdAt: noon(0) })
    for (const id of ['old', 'a', 'b', 'c']) await ask(id)
    await jobs.finish('old', { at: noon(0), json: '{}' })
    const read = reader(jobSource(jobs, shop))
    const told = async () => (await read()).map(({ data }) => `${data.job_id} ${data.status}`)
    expect(await told()).toEqual([])
    await jobs.finish('b', { at: noon(1), json: '{}' })
    expect(await told()).toEqual(['b done'])
    expect(await told()).toEqual([])
    await jobs.interrupt('c', noon(2))
    await jobs.fail('a', { at: noon(1), problem: { kind: 'failed', code: 'internal', message: 'no' } })
    expect(await told()).toEqual(['a failed', 'c interrupted'])
    await ask('d')
    expect(await told()).toEqual([])
    await jobs.finish('d', { at: noon(3), json: '{}' })
    expect(await told()).toEqual(['d done'])
  })
})
