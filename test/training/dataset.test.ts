import { describe, expect, it } from 'vitest'
import { addDays } from '../../src/domain/days.ts'
import { readDataset } from '../../training/dataset.ts'
import { makeWorld, type World } from '../features/world.ts'
import type { FileRow } from '../programs.ts'

const yaml = `
sources: { events: { file: events.csv }, customers: { file: customers.csv }, responses: { file: responses.csv } }
outcomes: { churn: { event: leave } }
`
const asOf = '2024-12-31'
const ids = Array.from({ length: 5 }, (_, index) => `c${index}`)
const looks = ids.flatMap((id) =>
  Array.from({ length: 24 }, (_, index) => ({
    customer_id: id,
    at: addDays('2024-01-01', 15 * index),
    type: 'look',
  })),
)
const people = ids.map((id) => ({ customer_id: id, joined_at: '2024-01-01', valid_from: '2024-01-01' }))
const read = ({ program, lake, database }: World, more: { maxRows?: number; asOf?: string } = {}) =>
  readDataset(database, { program, lake, asOf, excluded: new Set(), maxRows: 10_000, ...more })

const epoch = (day: string) => Date.parse(`${day}T00:00:00Z`) / 86_400_000
const world = (answers: readonly FileRow[], events: readonly FileRow[] = []) =>
  makeWorld({
    files: { 'events.csv': [...looks, ...events], 'customers.csv': people, 'responses.csv': answers },
    yaml,
  })

describe('answers as labels', () => {
  it('belong with lead 0 to the day before, with 30, 60 and 90 to so many days earlier, and are not seen there', async () => {
    const made = await world([
      { customer_id: 'c0', at: '2024-06-15 09:00', metric: 'nps', score: 3 },
      { customer_id: 'c0', at: '2024-06-15 18:00', metric: 'nps', score: 8 },
      { customer_id: 'c0', at: '2024-06-15 12:00', metric: 'csat', score: 1 },
      { customer_id: 'c1', at: '2024-05-15', metric: 'nps', score: 6 },
    ])
    const dataset = await read(made)
    const answers = dataset.answers!
    const feature = (name: string) =>
      dataset.frame.columns[dataset.frame.features.findIndex((one) => one.name === name)] as Float64Array
    const found = Array.from(answers.row, (row, i) => [
      dataset.customer[row],
      dataset.cutoff[row] + answers.leadDays[i],
      answers.score[i],
    ])
    const day = epoch('2024-06-14')
    expect(found.filter(([customer, , score]) => customer === 0 && score === 3)).toEqual(
      Array(4).fill([0, day, 3]),
    )
    expect(found.filter(([customer, , score]) => customer === 0 && score === 8)).toEqual(
      Array(4).fill([0, day, 8]),
    )
    expect(found.filter(([customer]) => customer === 1)).toEqual(Array(4).fill([1, epoch('2024-05-14'), 6]))
    expect([...new Set(answers.leadDays)].sort((a, b) => a - b)).toEqual([0, 30, 60, 90])
    expect(new Set(answers.answer).size).toBe(3)
    for (const row of answers.row) {
      expect(feature('nps_count')[row]).toBe(0)
      expect(feature('csat_count')[row]).toBe(0)
    }
  })

  it('after as-of are not there, nor where the customer was no longer at risk', async () => {
    const made = await world(
      [
        { customer_id: 'c0', at: '2024-06-15', metric: 'nps', score: 3 },
        { customer_id: 'c1', at: '2024-06-15', metric: 'nps', score: 4 },
        { customer_id: 'c2', at: '2024-06-16', metric: 'nps', score: 5 },
      ],
      [{ customer_id: 'c1', at: '2024-06-01', type: 'leave' }],
    )
    const { answers, customer } = await read(made, { asOf: '2024-06-15' })
    const uses = Array.from(answers!.row, (row, i) => [customer[row], answers!.leadDays[i]])
    expect(uses.filter(([who]) => who === 0)).toHaveLength(4)
    expect(
      uses
        .filter(([who]) => who === 1)
        .map(([, lead]) => lead)
        .sort(),
    ).toEqual([30, 60, 90])
    expect(uses.filter(([who]) => who === 2)).toEqual([])
  })
})

describe('a training table', () => {
  it('of five customers holds each at risk once at every cutoff, as population', async () => {
    const made = await world(
      [{ customer_id: 'c0', at: '2024-06-15', metric: 'csat', score: 3 }],
      [{ customer_id: 'c1', at: '2024-06-01', type: 'leave' }],
    )
    const { frame, cutoff, customer, isPopulation, outcomes, answers, plan, sampledShare } = await read(made)
    if (plan.kind !== 'grid') throw new Error('no grid')
    const after = plan.days.filter((day) => day >= '2024-06-01').length
    expect(frame.rows).toBe(5 * plan.days.length - after)
    expect(new Set(Array.from(cutoff, (day, row) => `${customer[row]}@${day}`)).size).toBe(frame.rows)
    expect(isPopulation.every((is) => is === 1)).toBe(true)
    expect(answers).toBeNull()
    expect(sampledShare).toBe(1)
    for (const column of frame.columns) expect(column).toHaveLength(frame.rows)
    const left = Array.from(cutoff.keys()).filter(
      (row) => customer[row] === 1 && !Number.isNaN(outcomes[0].event[row]),
    )
    for (const row of left) expect(cutoff[row] + outcomes[0].event[row]).toBe(epoch('2024-06-01'))
    expect(left.length).toBeGreaterThan(5)
  })

  it('beyond its size draws whole customers', async () => {
    const many = Array.from({ length: 60 }, (_, index) => ({
      customer_id: `d${index}`,
      joined_at: '2024-01-01',
    }))
    const made = await makeWorld({
      files: {
        'events.csv': looks,
        'customers.csv': many,
        'responses.csv': [{ customer_id: 'c0', at: '2024-06-15', metric: 'csat', score: 3 }],
      },
      yaml,
    })
    const { frame, customer, plan, sampledShare } = await read(made, { maxRows: 700 })
    if (plan.kind !== 'grid') throw new Error('no grid')
    expect(sampledShare).toBeLessThan(1)
    expect(frame.rows).toBeLessThan(1100)
    const counts = new Map<number, number>()
    for (const one of customer) counts.set(one, (counts.get(one) ?? 0) + 1)
    expect(new Set(counts.values())).toEqual(new Set([plan.days.length]))
  })

  it('of customers alone, or answers alone, is read as well', async () => {
    const answers = await makeWorld({
      files: {
        'responses.csv': ids.flatMap((id, index) =>
          [0, 60].map((later) => ({
            customer_id: id,
            at: addDays('2024-01-01', 20 * index + later),
            metric: 'nps',
            score: index,
          })),
        ),
      },
      yaml: 'sources: { responses: { file: responses.csv } }',
    })
    const dataset = await read(answers, { asOf: '2024-06-30' })
    expect(dataset.outcomes).toEqual([])
    // A first answer comes on the day of joining: nothing was known of the customer before.
    expect([...new Set(dataset.answers?.score)].sort()).toEqual([0, 1, 2, 3, 4])
    expect(new Set(dataset.answers?.answer).size).toBe(5)
    expect(dataset.frame.rows).toBeGreaterThan(5)
    const customers = await makeWorld({
      files: {
        'customers.csv': people,
        'events.csv': [{ customer_id: 'c0', at: '2024-02-01', type: 'leave' }],
      },
      yaml: 'sources: { customers: { file: customers.csv }, events: { file: events.csv } }\noutcomes: { churn: { event: leave } }',
    })
    expect((await read(customers, { asOf: '2024-02-01' })).plan.kind).toBe('snapshot')
  })
})

describe('those who could have answered', () => {
  it('come with what they answered at other times, as far as it is known', async () => {
    const days = ['2024-06-01', '2024-08-01', '2024-10-01']
    const invited = ['c0', 'c1'].flatMap((id) =>
      days.map((at) => ({ customer_id: id, at, type: 'invite', value: 1 })),
    )
    const made = await makeWorld({
      files: {
        'events.csv': [...looks.map((row) => ({ ...row, value: 1 })), ...invited],
        'customers.csv': people,
        'responses.csv': [
          { customer_id: 'c0', at: '2024-06-03', metric: 'nps', score: 10 },
          { customer_id: 'c0', at: '2024-08-02', metric: 'csat', score: 1 },
          { customer_id: 'c0', at: '2024-10-02', metric: 'nps', score: 3 },
        ],
      },
      yaml: `${yaml}meaning: { asked: [invite] }\n`,
    })
    const otherwise = async (until: string) => {
      const { kind, customer, knownOn, otherNetScore } = (await read(made, { asOf: until })).responding!
      expect(kind).toBe('invitations')
      const own = Array.from(customer.keys()).sort(
        (a, b) => customer[a] - customer[b] || knownOn[a] - knownOn[b],
      )
      return own.map((row) => otherNetScore[row])
    }
    const nothing = Number.NaN
    expect(await otherwise(asOf)).toEqual([-100, 0, 100, nothing, nothing, nothing])
    expect(await otherwise('2024-09-30')).toEqual([nothing, 100, nothing, nothing])
  })
})
