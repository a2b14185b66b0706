import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { selectChanges } from '../../src/jobs/changes.ts'
import { Database } from '../../src/lake/database.ts'
import { openLake } from '../../src/lake/lake.ts'
import type { PredictionRow } from '../../src/lake/predictions.ts'
import { madeRow, madeYaml } from '../api/made-predictions.ts'
import { makeLastingProgram } from '../programs.ts'
import { publishRows } from '../published-rows.ts'

type Made = Awaited<ReturnType<typeof makeLastingProgram>>

/** Publishes a day, with what another version says of it. */
async function publish(
  made: Made,
  { date, version, rows }: { date: string; version: string; rows: readonly PredictionRow[] },
  before?: { version: string; rows: readonly PredictionRow[] },
): Promise<void> {
  await publishRows(made, {
    date,
    modelVersion: version,
    rows: rows.map((row) => ({ ...row, date, model_version: version })),
    ...(before && { before: { modelVersion: before.version, rows: before.rows } }),
  })
}

async function changes(made: Made, since: string, date: string): Promise<Record<string, unknown>[]> {
  const database = await Database.open({ spillFolder: join(made.folder, 'spill'), timezone: 'UTC' })
  const lake = await openLake(made.dataFolder, made.program)
  const rows = await database.rows(await selectChanges(database, made.program, { lake, since, date }))
  database.close()
  return rows.map((row) => ({ ...row, moved: JSON.parse(String(row.moved)) }))
}

interface Move {
  readonly change: number
  readonly behaviour: number
  readonly model: number
}

function movesOf(found: readonly Record<string, unknown>[], id: string): Move[] {
  return (found.find((row) => row.customer_id === id)?.moved ?? []) as Move[]
}

/** 200 customers who move a little from day to day, each by an amount of their own. */
const crowd = (shift: (n: number) => number, offset = 0) =>
  Array.from({ length: 200 }, (_, n) =>
    madeRow(`c${String(n).padStart(3, '0')}`, {
      churn_90: Math.round((0.2 + ((n % 11) - 5) / 1000 + shift(n) + offset) * 1e6) / 1e6,
      nps_score: 7 + ((n * 7) % 13) / 100,
    }),
  )
const little = (n: number) => ((n % 7) - 3) / 1000

let made: Made
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  const gone = madeRow('gone', { churn_90: 0.4, segment: 'at-risk-passives' })
  await publish(made, { date: '2026-10-01', version: 'v1', rows: [...crowd(() => 0), gone] })
  const moved = crowd(little).map((row, n) => (n === 42 ? { ...row, churn_90: 0.82 } : row))
  const fresh = madeRow('new', { churn_90: 0.1 })
  await publish(made, { date: '2026-10-02', version: 'v1', rows: [...moved, fresh] })
  // Another version takes over: it sees everybody 0.15 higher; what customers did moved number 7 down.
  const old = moved.map((row, n) => (n === 7 ? { ...row, churn_90: 0.02 } : row))
  const higher = old.map((row) => ({ ...row, churn_90: Number(row.churn_90) + 0.15 }))
  const seen = {
    version: 'v1',
    rows: old.map(({ customer_id, churn_90, nps_score }) => ({
      customer_id,
      churn_90,
      nps_score,
    })) as PredictionRow[],
  }
  await publish(made, { date: '2026-10-03', version: 'v2', rows: higher }, seen)
  await publish(made, { date: '2026-10-04', version: 'v3', rows: higher })
})
afterAll(() => made.remove())

describe('changes between two days', () => {
  it('are who is new, who is gone, and whose figures moved beyond what is usual', async () => {
    const found = await changes(made, '2026-10-01', '2026-10-02')
    expect(found).toEqual([
      expect.objectContaining({
        ...{ customer_id: 'c042', change: 'moved', figure: 'churn_90', cause: 'behaviour', after: 0.82 },
        moved: [expect.objectContaining({ figure: 'churn_90', unit: 'probability', model: 0 })],
      }),
      expect.objectContaining({
        customer_id: 'gone',
        change: 'gone',
        segment_before: 'at-risk-passives',
        moved: [],
      }),
      expect.objectContaining({ customer_id: 'new', change: 'new', cause: null, moved: [] }),
    ])
  })

  it('that come with another version are told apart into those of the model and those of behaviour', async () => {
    const found = await changes(made, '2026-10-02', '2026-10-03')
    const by = (cause: string) => found.filter((row) => row.cause === cause).map((row) => row.customer_id)
    expect([by('model').length, by('behaviour')]).toEqual([199, ['c007']])
    const [seven] = movesOf(found, 'c007')
    expect([seven.model, seven.behaviour]).toEqual([0.15, expect.closeTo(0.02 - 0.2, 2)])
  })

  it('add up over days, whatever versions there were', async () => {
    const found = await changes(made, '2026-10-01', '2026-10-03')
    const [moved] = movesOf(found, 'c042')
    expect(moved.behaviour + moved.model).toBeCloseTo(moved.change, 6)
    expect(moved).toMatchObject({ model: 0.15, change: expect.closeTo(0.97 - 0.203, 2) })
  })

  it('have no cause where what a version did is not known', async () => {
    const found = await changes(made, '2026-10-01', '2026-10-04')
    expect(found.filter(({ change }) => change === 'moved').map(({ cause }) => cause)).toContain(null)
    expect(new Set(found.map(({ cause }) => cause))).toEqual(new Set([null]))
  })

  it('that are only usual are none', async () => {
    const calm = await makeLastingProgram({ yaml: madeYaml })
    await publish(calm, { date: '2026-10-01', version: 'v1', rows: crowd(() => 0) })
    await publish(calm, { date: '2026-10-02', version: 'v1', rows: crowd((n) => little(n) * 10) })
    expect(await changes(calm, '2026-10-01', '2026-10-02')).toEqual([])
    await calm.remove()
  })

  it('of a figure that is missing on either day are none', async () => {
    const made = await makeLastingProgram({ yaml: madeYaml })
    const rows = (value: number | null) => [
      ...crowd(little),
      madeRow('x', { churn_90: value, upsell_90: value === null ? 0.5 : null }),
    ]
    await publish(made, { date: '2026-10-01', version: 'v1', rows: rows(null) })
    await publish(made, { date: '2026-10-02', version: 'v1', rows: rows(0.9) })
    expect(await changes(made, '2026-10-01', '2026-10-02')).toEqual([])
    await made.remove()
  })

  it('must go forward in time', async () => {
    await expect(changes(made, '2026-10-02', '2026-10-02')).rejects.toThrow(/must be before/)
  })
})
