import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { describe, expect, it } from 'vitest'
import type { Program } from '../../src/domain/program.ts'
import { labelBlock } from '../../training/labelled.ts'
import type { Leak } from '../../training/leaks.ts'
import { findTellingAmounts } from '../../training/leaks-of-amounts.ts'
import { wholeBlock } from '../../training/splits.ts'
import { planTasks } from '../../training/tasks.ts'
import { churn, type MadeRow, madeDataset } from './made-dataset.ts'

const horizonsDays = [30, 60, 90]

/** A customer of a simulated company: the causes of leaving, each with mean 0 and standard deviation 1, and whether they left. */
interface Simulated {
  readonly causes: Readonly<Record<string, number>>
  readonly left: boolean
  readonly noise: () => number
}

interface Company {
  /** Cause → log odds of leaving for each standard deviation of it. */
  readonly slopes: Readonly<Record<string, number>>
  /** What else is recorded of a customer. */
  readonly recorded?: (customer: Simulated) => Readonly<Record<string, number | string | null>>
  /** Log odds of leaving of an average customer. */
  readonly intercept?: number
  readonly customers?: number
  readonly seed?: number
  readonly found?: readonly Leak[]
  /** Default: everything. */
  readonly attributes?: readonly string[]
}

/** Names of the suspected attributes of a company whose causes are all known. */
function suspectsOf(company: Company): string[] {
  const { slopes, recorded = () => ({}), intercept = -1.5, customers = 4000, seed = 1, found = [] } = company
  const generator = xoroshiro128plus(seed)
  const random = () => uniformFloat64(generator)
  const noise = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  const rows = Array.from({ length: customers }, (_, customer): MadeRow => {
    const causes = Object.fromEntries(Object.keys(slopes).map((name) => [name, noise()]))
    const logit = Object.entries(slopes).reduce((sum, [name, slope]) => sum + slope * causes[name], intercept)
    const left = random() < 1 / (1 + Math.exp(-logit))
    const features = { ...causes, ...recorded({ causes, left, noise }) }
    return { customer, cutoff: 1000, event: left ? 10 : Number.NaN, known: 30, features }
  })
  const names = company.attributes ?? Object.keys(rows[0].features ?? {})
  const attributes = names.map((name) => ({ name, kind: 'number' as const }))
  const dataset = madeDataset(rows, { catalogue: { attributes } })
  const tasks = planTasks({ outcomes: [churn], horizonsDays } as unknown as Program, dataset)
  const labelled = labelBlock(dataset, wholeBlock(dataset, 2000), { tasks, horizonsDays })
  return findTellingAmounts(dataset, labelled, { tasks, found }).map(({ origin }) => origin)
}

/** Causes that tell about as much together as such companies know. */
const causes = { age: 0.7, visits: 0.5, spend: 0.4 }
const copyWith =
  (spread: number) =>
  ({ left, noise }: Simulated) => ({ copy: (left ? 1 : 0) + spread * noise() })

describe('an amount', () => {
  it.each([0.2, 0.4, 0.6])('that is the outcome blurred by %f is suspected', (spread) => {
    expect(suspectsOf({ slopes: causes, recorded: copyWith(spread) })).toEqual(['copy'])
  })

  it('is suspected also upside down, among its own twins, or where most customers leave', () => {
    const twins = ({ left, noise }: Simulated) => {
      const paid = (left ? 0 : 1) + 0.3 * noise()
      return { paid, pence: 100 * paid }
    }
    expect(suspectsOf({ slopes: causes, recorded: twins })).toEqual(['paid', 'pence'])
    expect(suspectsOf({ slopes: causes, recorded: copyWith(0.4), intercept: 1.5 })).toEqual(['copy'])
  })

  it('that grows while it happens, as a call in which something is bought does, is suspected', () => {
    const seconds = ({ left, noise }: Simulated) => ({
      seconds: Math.exp(5 + 0.6 * noise() + (left ? 1.3 : -0.2)),
    })
    expect(suspectsOf({ slopes: causes, recorded: seconds, customers: 6000 })).toEqual(['seconds'])
  })

  it.each([0.5, 0.8, 1.1, 1.4])('that is one of several causes, with a slope of %f, is kept', (slope) => {
    for (const seed of [1, 2, 3])
      expect(suspectsOf({ slopes: { ...causes, tenure: slope }, seed })).toEqual([])
  })

  it('that others tell much of is kept however strong', () => {
    const measured = ({ causes, noise }: Simulated) => ({
      minutes: causes.usage + 0.2 * noise(),
      calls: causes.usage + 0.2 * noise(),
      bill: causes.usage + 0.3 * noise(),
    })
    const attributes = ['minutes']
    expect(suspectsOf({ slopes: { usage: 3 }, recorded: measured, attributes, customers: 6000 })).toEqual([])
  })

  it('is not suspected among few customers, nor where it is a weak copy', () => {
    for (const seed of [1, 2, 3]) {
      expect(suspectsOf({ slopes: causes, recorded: copyWith(0.3), customers: 150, seed })).toEqual([])
      expect(suspectsOf({ slopes: causes, recorded: copyWith(1), seed })).toEqual([])
    }
  })

  it('is suspected beside a leak that is known already, and that leak not twice', () => {
    const two = (customer: Simulated) => ({ ...copyWith(0.4)(customer), closed: customer.left ? 1 : 0 })
    const found = [{ origin: 'closed', outcome: 'churn', words: '' }]
    expect(suspectsOf({ slopes: causes, recorded: two, found })).toEqual(['copy'])
  })

  it('is judged as an attribute only: categories, flags in words and behaviour are not', () => {
    const recorded = (customer: Simulated) => ({
      ...copyWith(0.4)(customer),
      state: customer.left || customer.noise() > 2 ? 'closed' : 'open',
    })
    expect(suspectsOf({ slopes: causes, recorded, attributes: ['state'] })).toEqual([])
  })
})
