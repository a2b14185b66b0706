import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { judgingSplits, type QualitySplit, restrictDataset } from '../../bench/quality-splits.ts'
import { dayOfEpoch } from '../../src/domain/days.ts'
import type { Program } from '../../src/domain/program.ts'
import type { SegmentSignals } from '../../src/domain/segment.ts'
import type { Dataset } from '../../training/dataset.ts'
import { churn, type MadeRow, madeDataset } from '../training/made-dataset.ts'

const program = { outcomes: [churn], horizonsDays: [30, 60, 90] } as unknown as Program
const asOf = 20_000
const silent: SegmentSignals = { isHeard: false, isEngaging: false, isFading: false }

function prepared(dataset: Dataset) {
  const signals = Array.from(dataset.cutoff, () => silent)
  return { dataset, signals, asOf: dayOfEpoch(asOf) }
}

/** Customers at cutoffs `step` days apart, a third of whom leave some day. */
function grid({ customers, cutoffs, step }: { customers: number; cutoffs: number; step: number }): Dataset {
  const rows: MadeRow[] = []
  for (let back = cutoffs - 1; back >= 0; back--) {
    const cutoff = asOf - 30 - back * step
    for (let customer = 0; customer < customers; customer++) {
      const leaves = customer % 3 === 0 ? asOf - ((customer * 37) % (30 + cutoffs * step)) : Infinity
      if (leaves <= cutoff) continue
      rows.push({
        customer,
        cutoff,
        event: leaves <= asOf ? leaves - cutoff : Number.NaN,
        known: asOf - cutoff,
      })
    }
  }
  return madeDataset(rows)
}

function snapshot(customers: number): Dataset {
  return madeDataset(
    Array.from({ length: customers }, (_, customer) => ({
      customer,
      cutoff: asOf - 90,
      event: customer % 3 === 0 ? 1 + (customer % 80) : Number.NaN,
      known: 90,
    })),
  )
}

const splitsOf = (dataset: Dataset, isDevelopment = false, tasks = ['churn_30', 'churn_60']) =>
  judgingSplits(prepared(dataset), { program, tasks, isDevelopment })

describe('a division in time', () => {
  const worlds = fc.record({
    // Fewer have too few who leave before the first judging block.
    customers: fc.integer({ min: 200, max: 300 }),
    cutoffs: fc.integer({ min: 20, max: 30 }),
    step: fc.constantFrom(15, 30),
  })

  it('learns nothing that was not known when the judging rows began', () => {
    fc.assert(
      fc.property(worlds, (world) => {
        const dataset = grid(world)
        for (const { asOf: until, judged, train } of splitsOf(dataset)) {
          for (const { event, known } of train.outcomes) {
            train.cutoff.forEach((cutoff, row) => {
              expect(cutoff + known[row]).toBeLessThanOrEqual(until)
              if (!Number.isNaN(event[row])) expect(cutoff + event[row]).toBeLessThanOrEqual(until)
            })
          }
          for (const [place, task] of judged.entries()) {
            const horizon = program.horizonsDays[place]
            for (const row of task.train.row) expect(dataset.cutoff[row] + horizon).toBeLessThanOrEqual(until)
            for (const row of task.test.row) expect(dataset.cutoff[row]).toBeGreaterThanOrEqual(until)
          }
        }
      }),
      { numRuns: 10 },
    )
  })
  it('judges three blocks that follow each other, with every task in each', () => {
    const dataset = grid({ customers: 200, cutoffs: 24, step: 15 })
    const splits = splitsOf(dataset)
    expect(splits.map(({ name }) => name)).toEqual(['forward', 'forward 2', 'forward 3'])
    for (const [place, { asOf: from, judged, tunedOn }] of splits.entries()) {
      expect(tunedOn).toBe('forward')
      for (const { test } of judged) {
        expect(test.row.length).toBeGreaterThan(0)
        const until = splits[place + 1]?.asOf ?? asOf
        for (const row of test.row) expect(dataset.cutoff[row]).toBeGreaterThanOrEqual(from)
        for (const row of test.row) expect(dataset.cutoff[row]).toBeLessThan(until)
      }
    }
  })
  it('lets choices validate on a later block, with labels known before it began', () => {
    const dataset = grid({ customers: 200, cutoffs: 20, step: 15 })
    const [{ inner, judged }] = splitsOf(dataset)
    const from = inner.testFrom as number
    const { train } = judged[1]
    expect(new Set(train.fold)).toEqual(new Set([-1, 0, 1]))
    train.row.forEach((row, i) => {
      if (train.fold[i] === 0) expect(dataset.cutoff[row] + 60).toBeLessThanOrEqual(from)
      if (train.fold[i] === 1) expect(dataset.cutoff[row]).toBeGreaterThanOrEqual(from)
    })
  })
  it('to develop on ends where the judging rows begin', () => {
    const dataset = grid({ customers: 300, cutoffs: 24, step: 30 })
    const [judging] = splitsOf(dataset)
    const [developing] = splitsOf(dataset, true)
    const firstJudged = Math.min(...judging.judged[0].test.row.map((row) => dataset.cutoff[row]))
    for (const { test } of developing.judged)
      for (const row of test.row) expect(dataset.cutoff[row] + 30).toBeLessThanOrEqual(firstJudged)
    expect(developing.asOf).toBeLessThan(judging.asOf)
  })
})

describe('a division by customer', () => {
  const dataset = snapshot(400)
  const rowsOf = (splits: readonly QualitySplit[]) => splits.map(({ judged }) => [...judged[0].test.row])

  it('judges three folds on rows of customers that were not learned from', () => {
    const splits = splitsOf(dataset)
    expect(splits).toHaveLength(3)
    for (const { judged } of splits)
      for (const { train, test } of judged) {
        const learned = new Set(train.customer)
        expect([...test.customer].filter((customer) => learned.has(customer))).toEqual([])
        expect(train.row.length + test.row.length).toBe(400)
        expect(new Set(train.fold)).toEqual(new Set([0, 1, 2, 3, 4]))
      }
  })
  it('to develop on judges other customers', () => {
    const judging = new Set(rowsOf(splitsOf(dataset)).flat())
    const developing = rowsOf(splitsOf(dataset, true)).flat()
    expect(developing.filter((row) => judging.has(row))).toEqual([])
    expect(judging.size + developing.length).toBe(400)
  })
  it('labels an absence by what did not happen', () => {
    const absence = { ...churn, kind: 'absence' as const, isTerminal: false }
    const made = { ...dataset, outcomes: [{ ...dataset.outcomes[0], outcome: absence }] }
    const options = {
      program: { ...program, outcomes: [absence] },
      tasks: ['churn_90'],
      isDevelopment: false,
    }
    const [{ judged }] = judgingSplits(prepared(made), options)
    judged[0].test.row.forEach((row, i) => {
      expect(judged[0].test.label[i]).toBe(dataset.customer[row] % 3 === 0 ? 0 : 1)
    })
  })
  it('says why a task that was named cannot be learned', () => {
    expect(() => splitsOf(dataset, false, ['nps'])).toThrow(/nps can't be learned.*no NPS answers/i)
  })
})

describe('a restricted dataset', () => {
  it('holds only answers given by then, each pointing at its own row', () => {
    const dataset = madeDataset(
      [0, 1, 2].map((customer) => ({ customer, cutoff: 1000 + customer, features: { x: customer } })),
      {
        answers: {
          row: Int32Array.from([0, 1, 2, 2]),
          leadDays: Float32Array.from([0, 5, 0, 30]),
          score: Uint8Array.from([1, 2, 3, 4]),
          answer: Int32Array.from([0, 1, 2, 3]),
          surveyWeight: Float32Array.from([3, 1, 1, 1]),
        },
      },
    )
    const { frame, answers, cutoff } = restrictDataset(dataset, Int32Array.from([1, 2]), 1007)
    expect([...(frame.columns[0] as Float64Array)]).toEqual([1, 2])
    expect([...cutoff]).toEqual([1001, 1002])
    expect(answers && [...answers.row]).toEqual([0, 1])
    expect(answers && [...answers.score]).toEqual([2, 3])
    expect(restrictDataset(dataset, Int32Array.from([2]), 1002).answers).toBeNull()
  })
})
