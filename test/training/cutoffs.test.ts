import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addDays, daysBetween } from '../../src/domain/days.ts'
import { lakeRelations } from '../../src/features/relations.ts'
import { gridOfCutoffs, planCutoffs, selectCandidates, thinCutoffs } from '../../training/cutoffs.ts'
import { makeWorld, type World } from '../features/world.ts'
import type { FileRow } from '../programs.ts'

async function planOf({ program, lake, database }: World, asOf: string) {
  const options = { program, relations: lakeRelations(lake), asOf }
  const plan = await planCutoffs(database, options)
  const rows = await database.rows<{ customer: string; cutoff: string }>(
    `select customer_id as customer, cutoff::varchar as cutoff from (${selectCandidates(plan, options)}) order by all`,
  )
  return { plan, rows: rows.map(({ customer, cutoff }) => `${customer}@${cutoff}`) }
}

const ids = Array.from({ length: 40 }, (_, index) => `c${index}`)
const snapshotDay = (index: number) => (index % 2 ? '2024-01-01' : '2024-02-01')
const people = (extra: (index: number) => FileRow = () => ({})): FileRow[] =>
  ids.map((id, index) => ({
    customer_id: id,
    valid_from: snapshotDay(index),
    joined_at: snapshotDay(index),
    plan: 'gold',
    ...extra(index),
  }))
const leaving = ids.slice(0, 30).map((id) => ({ customer_id: id, at: '2024-02-20', type: 'leave' }))
const yaml = `
sources: { events: { file: events.csv }, customers: { file: customers.csv } }
outcomes: { churn: { event: leave } }
`

describe('a snapshot', () => {
  it('has one cutoff a customer: the end of the one day it is known on', async () => {
    const world = await makeWorld({ files: { 'events.csv': leaving, 'customers.csv': people() }, yaml })
    const { plan, rows } = await planOf(world, '2024-03-31')
    expect(plan.kind).toBe('snapshot')
    expect(rows.sort()).toEqual(ids.map((id, index) => `${id}@${snapshotDay(index)}`).sort())
  })

  it('is it still where 1 labelled customer in 20 is known on more days; with 2 it is a history', async () => {
    const look = (id: string) => ({ customer_id: id, at: '2024-02-10', type: 'look' })
    const twenty = leaving.slice(0, 20)
    const one = await makeWorld({
      files: { 'events.csv': [...twenty, look('c1')], 'customers.csv': people() },
      yaml,
    })
    expect((await planOf(one, '2024-03-31')).plan.kind).toBe('snapshot')
    const two = await makeWorld({
      files: { 'events.csv': [...twenty, look('c1'), look('c2')], 'customers.csv': people() },
      yaml,
    })
    expect((await planOf(two, '2024-03-31')).plan.kind).toBe('grid')
  })

  it('is not what customers look like who are known on no day, or bought on one', async () => {
    const undated = await makeWorld({
      files: { 'events.csv': leaving, 'customers.csv': ids.map((id) => ({ customer_id: id, plan: 'gold' })) },
      yaml,
    })
    expect((await planOf(undated, '2024-03-31')).plan.kind).toBe('grid')
    const once = await makeWorld({
      files: {
        'events.csv': ids.map((id, index) => ({
          customer_id: id,
          at: addDays('2024-01-01', 5 * index),
          type: 'buy',
        })),
      },
      yaml: 'sources: { events: { file: events.csv } }\noutcomes: { silence: { absence_of: buy } }',
    })
    expect((await planOf(once, '2024-07-31')).plan.kind).toBe('grid')
  })

  it('does not look at what comes after as-of', async () => {
    const later = ids.map((id) => ({ customer_id: id, at: '2024-05-01', type: 'look' }))
    const world = await makeWorld({
      files: { 'events.csv': [...leaving, ...later], 'customers.csv': people() },
      yaml,
    })
    expect((await planOf(world, '2024-04-30')).plan.kind).toBe('snapshot')
    expect((await planOf(world, '2024-05-01')).plan.kind).toBe('grid')
  })
})

describe('a grid', () => {
  it('ends with the last cutoff whose shortest horizon is known, leaves ten days of history, meets every weekday', () => {
    const span = fc.record({
      days: fc.integer({ min: 0, max: 3000 }),
      horizon: fc.integer({ min: 1, max: 90 }),
    })
    fc.assert(
      fc.property(span, ({ days, horizon }) => {
        const asOf = addDays('2020-01-01', days)
        const plan = gridOfCutoffs('2020-01-01', asOf, horizon)
        if (plan.kind !== 'grid') throw new Error('no grid')
        expect(plan.days.length).toBe(
          days < 10 + horizon ? 0 : Math.min(36, Math.floor((days - 10 - horizon) / plan.stepDays) + 1),
        )
        expect(plan.days).toEqual([...plan.days].sort())
        if (plan.days.length === 0) return
        expect(plan.days.at(-1)).toBe(addDays(asOf, -horizon))
        expect(daysBetween('2020-01-01', plan.days[0])).toBeGreaterThanOrEqual(10)
        expect(plan.stepDays % 7).not.toBe(0)
      }),
    )
  })

  it('starts with what customers did, not with when they joined, and holds every customer each time', async () => {
    const world = await makeWorld({
      files: {
        'events.csv': [
          { customer_id: 'a', at: '2024-01-01', type: 'look' },
          { customer_id: 'a', at: '2024-01-15', type: 'look' },
          { customer_id: 'a', at: '2024-03-01', type: 'leave' },
        ],
        'customers.csv': [{ customer_id: 'b', joined_at: '1999-01-01', valid_from: '1999-01-01' }],
      },
      yaml,
    })
    const { plan, rows } = await planOf(world, '2024-03-01')
    expect(plan).toMatchObject({ kind: 'grid', days: ['2024-01-11', '2024-01-21', '2024-01-31'] })
    expect(rows).toHaveLength(6)
  })

  it('may be empty where there is next to no time, and needs no outcomes, events or customers', async () => {
    const short = await makeWorld({
      files: { 'events.csv': leaving, 'customers.csv': ids.map((id) => ({ customer_id: id })) },
      yaml,
    })
    expect((await planOf(short, '2024-02-25')).rows).toEqual([])
    const answers = await makeWorld({
      files: {
        'responses.csv': ids.map((id, index) => ({
          customer_id: id,
          at: addDays('2024-01-01', 3 * index),
          metric: 'nps',
          score: 5,
        })),
      },
      yaml: 'sources: { responses: { file: responses.csv } }',
    })
    const { plan, rows } = await planOf(answers, '2024-04-27')
    expect(plan.kind).toBe('grid')
    expect(rows.length).toBeGreaterThan(40)
  })
})

describe('thinning', () => {
  const plan = gridOfCutoffs('2024-01-01', '2024-12-31', 30)
  const daysOf = (thinned: typeof plan) => (thinned.kind === 'grid' ? thinned.days : [])

  it('keeps the last cutoff and even steps, none wider than 30 days', () => {
    const thinned = thinCutoffs(plan, 1.3)
    expect(daysOf(thinned).at(-1)).toBe(daysOf(plan).at(-1))
    expect(thinned).toMatchObject({ kind: 'grid', stepDays: 30 })
    for (const [index, day] of daysOf(thinned).slice(1).entries())
      expect(daysBetween(daysOf(thinned)[index], day)).toBe(30)
    expect(thinCutoffs(plan, 50)).toEqual(thinned)
  })
  it('leaves alone what is wide enough, and snapshots', () => {
    expect(thinCutoffs(thinCutoffs(plan, 50), 50)).toEqual(thinCutoffs(plan, 50))
    expect(thinCutoffs({ kind: 'snapshot' }, 9)).toEqual({ kind: 'snapshot' })
  })
})
