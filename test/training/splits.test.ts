import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Program } from '../../src/domain/program.ts'
import { labelBlock } from '../../training/labelled.ts'
import { splitRows, wholeBlock } from '../../training/splits.ts'
import { planTasks } from '../../training/tasks.ts'
import { churn, type MadeRow, madeDataset } from './made-dataset.ts'

const horizonsDays = [30, 60, 90]
const asOf = 20_000

/** Customers at cutoffs of a grid, some of whom leave on a day of their own; everything is known up to as-of. */
const datasets = fc
  .record({
    customers: fc.integer({ min: 1, max: 120 }),
    cutoffs: fc.integer({ min: 1, max: 24 }),
    step: fc.constantFrom(10, 15, 30),
    shareLeaving: fc.constantFrom(0, 0.1, 0.5, 1),
    seed: fc.integer(),
  })
  .map(({ customers, cutoffs, step, shareLeaving, seed }) => {
    const random = (key: number) => (Math.imul(key + seed, 0x9e3779b1) >>> 0) / 2 ** 32
    const rows: MadeRow[] = []
    for (let back = cutoffs - 1; back >= 0; back--) {
      const cutoff = asOf - 30 - back * step
      for (let customer = 0; customer < customers; customer++) {
        const isLeaving = random(2 * customer) < shareLeaving
        const day = asOf - Math.floor(random(2 * customer + 1) * (30 + cutoffs * step))
        if (isLeaving && day <= cutoff) continue
        const event = isLeaving && day <= asOf ? day - cutoff : Number.NaN
        rows.push({ customer, cutoff, event, known: asOf - cutoff })
      }
    }
    return madeDataset(rows)
  })

describe('a split', () => {
  it('goes forward in time, or divides customers', () => {
    fc.assert(
      fc.property(datasets, (dataset) => {
        const { kind, fit, calibrate, test, testFrom } = splitRows(dataset, { asOf, horizonsDays })
        const blocks = [fit, ...(calibrate ? [calibrate] : []), test]
        const rows = blocks.flatMap((block) => [...block.rows])
        expect(new Set(rows).size).toBe(rows.length)
        expect(rows).toHaveLength(dataset.cutoff.length)
        if (kind === 'by-customer') {
          const learned = new Set([...fit.rows].map((row) => dataset.customer[row]))
          expect([...test.rows].some((row) => learned.has(dataset.customer[row]))).toBe(false)
          return
        }
        const first = ({ rows }: typeof fit) => Math.min(...[...rows].map((row) => dataset.cutoff[row]))
        const last = ({ rows }: typeof fit) => Math.max(...[...rows].map((row) => dataset.cutoff[row]))
        expect(testFrom).toBe(first(test))
        for (let i = 1; i < blocks.length; i++) {
          expect(last(blocks[i - 1])).toBeLessThan(first(blocks[i]))
          expect(blocks[i - 1].censoredAfter).toBeLessThanOrEqual(first(blocks[i]))
        }
        expect(test.censoredAfter).toBe(asOf)
      }),
      { numRuns: 100 },
    )
  })

  it('labels no row with what is known only after the first cutoff of the next block', () => {
    const program = { outcomes: [churn], horizonsDays } as unknown as Program
    fc.assert(
      fc.property(datasets, (dataset) => {
        const split = splitRows(dataset, { asOf, horizonsDays })
        const tasks = planTasks(program, dataset)
        for (const block of [split.fit, split.calibrate, split.test, wholeBlock(dataset, asOf)]) {
          if (block === null) continue
          const labelled = labelBlock(dataset, block, { tasks, horizonsDays })
          for (const labels of labelled.outcomes) {
            labels.known.forEach((known, at) => {
              const row = labelled.rows[Math.floor(at / labels.intervals)]
              const end = dataset.cutoff[row] + horizonsDays[at % labels.intervals]
              if (known) expect(end).toBeLessThanOrEqual(block.censoredAfter)
            })
          }
        }
      }),
      { numRuns: 40 },
    )
  })

  it('of one day divides customers, a fifth of them as test', () => {
    const rows = Array.from({ length: 1000 }, (_, customer) => ({
      customer,
      cutoff: asOf - 90,
      event: customer % 3 ? 20 : Number.NaN,
      known: 90,
    }))
    const { kind, test } = splitRows(madeDataset(rows), { asOf, horizonsDays })
    expect(kind).toBe('by-customer')
    expect(test.rows.length).toBeGreaterThan(150)
    expect(test.rows.length).toBeLessThan(250)
  })

  it('of next to nothing is still a split', () => {
    for (const customers of [0, 1, 5]) {
      const rows = Array.from({ length: customers }, (_, customer) => ({
        customer,
        cutoff: asOf - 30,
        event: Number.NaN,
        known: 30,
      }))
      const { kind, fit, test } = splitRows(madeDataset(rows), { asOf, horizonsDays })
      expect(kind).toBe('by-customer')
      expect(fit.rows.length + test.rows.length).toBe(customers)
    }
  })
})
