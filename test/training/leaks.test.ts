import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { describe, expect, it } from 'vitest'
import type { Outcome, Program } from '../../src/domain/program.ts'
import { labelBlock } from '../../training/labelled.ts'
import { findTellingFeatures, lowerBound } from '../../training/leaks.ts'
import { wholeBlock } from '../../training/splits.ts'
import { planTasks } from '../../training/tasks.ts'
import { churn, type MadeRow, madeDataset } from './made-dataset.ts'

const horizonsDays = [30, 60, 90]
type Values = Readonly<Record<string, number | string | null>>

/** Names of what looks like a leak among features of customers at some cutoffs, of whom a share leaves. */
function leaksOf(
  features: (customer: { left: boolean; random: () => number; number: number }) => Values,
  {
    customers = 200,
    cutoffs = 1,
    share = 0.3,
    outcome = churn,
    seed = 1,
    attributes = [] as string[],
    step = 0,
  } = {},
) {
  const generator = xoroshiro128plus(seed)
  const random = () => uniformFloat64(generator)
  const rows: MadeRow[] = []
  for (let number = 0; number < customers; number++) {
    const left = number < share * customers
    for (let cutoff = 0; cutoff < cutoffs; cutoff++) {
      const values = features({ left, random, number })
      rows.push({
        customer: number,
        cutoff: 1000 + cutoff * Math.max(1, step),
        event: left ? 10 + step * (cutoffs - 1 - cutoff) : Number.NaN,
        known: 90,
        features: values,
      })
    }
  }
  const kinds = attributes.map((name) => ({ name, kind: 'category' as const }))
  const dataset = madeDataset(rows, { outcome, catalogue: { attributes: kinds } })
  const tasks = planTasks({ outcomes: [outcome], horizonsDays } as unknown as Program, dataset)
  const labelled = labelBlock(dataset, wholeBlock(dataset, 2000), { tasks, horizonsDays })
  return findTellingFeatures(dataset, labelled, tasks).map(({ origin }) => origin)
}

describe('a telling feature', () => {
  it('is one that ranks the outcome nearly without fault, up or down, by number, category or being missing', () => {
    const found = leaksOf(({ left, random }) => ({
      up: (left ? 1 : 0) + random() / 2,
      down: (left ? 0 : 1) + random() / 2,
      filled: left ? random() : null,
      reason: left ? 'price' : 'none',
      strong: (left ? 1.2 : 0) + random() + random(),
      noise: random(),
      constant: 'same',
      empty: null,
    }))
    expect(found).toEqual(['up', 'down', 'filled', 'reason'])
  })

  it('is an attribute one state of which gives the outcome away, though most with it are in another', () => {
    const features = ({ left, random }: { left: boolean; random: () => number }) => ({
      reason: left && random() < 0.4 ? 'price' : 'unknown',
      closed: left && random() < 0.4 ? 'yes' : null,
      refunded: left && random() < 0.4 ? 10 * random() : 0,
      refunded_before: random() < 0.2 ? 10 * random() : 0,
      plan: random() < 0.5 ? 'gold' : 'free',
    })
    const attributes = ['reason', 'closed', 'refunded', 'refunded_before', 'plan']
    const options = { customers: 600, attributes }
    expect(leaksOf(features, options)).toEqual(['reason', 'closed', 'refunded'])
    expect(leaksOf(features, { customers: 600 })).toEqual([])
  })

  it('is an attribute that marks a customer long before, of whom over the first horizon most do not leave yet', () => {
    const features = ({ left, random }: { left: boolean; random: () => number }) => ({
      status: left ? 'closed' : 'open',
      plan: random() < (left ? 0.8 : 0.3) ? 'trial' : 'usual',
    })
    const options = { cutoffs: 10, step: 30, attributes: ['status', 'plan'] }
    expect(leaksOf(features, options)).toEqual(['status'])
    expect(leaksOf(features, { ...options, attributes: [] })).toEqual([])
  })

  it('is not one with too few customers to say, however perfect', () => {
    const perfect = ({ left }: { left: boolean }) => ({ x: left ? 1 : 0 })
    expect(leaksOf(perfect, { customers: 60, share: 0.5 })).toEqual([])
    expect(leaksOf(perfect, { customers: 80, share: 0.5 })).toEqual(['x'])
    expect(leaksOf(perfect, { customers: 30, cutoffs: 20, share: 0.5 })).toEqual([])
  })

  it("is not the outcome's own history, nor for an absence any activity", () => {
    const silence: Outcome = {
      ...churn,
      name: 'silence',
      kind: 'absence',
      eventTypes: ['buy'],
      isTerminal: false,
    }
    const recency = ({ left }: { left: boolean }) => ({
      buy: left ? 1 : 200,
      'buy.amount': left ? 1 : 2,
      activity: left ? 1 : 99,
      other: left ? 1 : 200,
    })
    expect(leaksOf(recency, { outcome: silence })).toEqual(['other'])
  })

  it('is not a category that is its customer: rows of one customer do not tell each other', () => {
    const own = ({ number }: { number: number }) => ({ account: `a${number}`, half: `h${number % 100}` })
    expect(leaksOf(own, { cutoffs: 12, attributes: ['account', 'half'] })).toEqual([])
  })

  it('is rarely found by chance, also in small data with many features', () => {
    let alarms = 0
    for (let seed = 0; seed < 20; seed++) {
      const names = Array.from({ length: 100 }, (_, index) => index)
      const random = ({ random }: { random: () => number }) =>
        Object.fromEntries(
          names.map((index) => [
            `f${index}`,
            index % 3 === 0 ? `k${Math.floor(random() * 8)}` : random() < 0.2 ? null : random(),
          ]),
        )
      const attributes = names.map((index) => `f${index}`)
      for (const customers of [80, 300])
        alarms += leaksOf(random, { customers, share: 0.4, seed, attributes }).length
    }
    expect(alarms).toBe(0)
  })

  it('is judged by a lower bound that does not trust a perfect few', () => {
    expect(lowerBound(1, 10)).toBeLessThan(0.9)
    expect(lowerBound(1, 1000)).toBeGreaterThan(0.99)
    expect(lowerBound(0.5, 100)).toBeCloseTo(0.437, 2)
    expect(lowerBound(1, 0)).toBe(0)
  })
})
