import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { observeCompany } from '../../../bench/demo-observer.ts'
import { type MadeCompany, makeCompany, truthDay } from './made-company.ts'

const size = { customers: 500, days: 300, seed: 4 }
let company: MadeCompany
let pairs: { truth: number; observed: number }[]

beforeAll(async () => {
  company = await makeCompany({ ...size, truthDays: [truthDay], replications: 60 })
  const observed = observeCompany({ ...size, until: size.days - 1 - 90 })
  const truth = await company.query<{ customer_id: string; churn_90: number }>(
    'select customer_id, churn_90 from truth',
  )
  expect(observed.size).toBe(truth.length)
  pairs = truth.map((row) => ({
    truth: row.churn_90,
    observed: observed.get(row.customer_id)?.churn[2] ?? Number.NaN,
  }))
})
afterAll(() => company?.remove())

const meanOf = (value: (pair: { truth: number; observed: number }) => number) =>
  pairs.reduce((sum, pair) => sum + value(pair), 0) / pairs.length
/** Expected log loss of a forecast, given what is true: free of the luck of what happens. */
const loss = (forecast: (pair: { truth: number; observed: number }) => number) =>
  meanOf((pair) => {
    const p = Math.min(1 - 1e-6, Math.max(1e-6, forecast(pair)))
    return -pair.truth * Math.log(p) - (1 - pair.truth) * Math.log(1 - p)
  })

describe('the best informed observer', () => {
  it('is right on the whole', () => {
    const truth = meanOf((pair) => pair.truth)
    expect(Math.abs(meanOf((pair) => pair.observed) - truth)).toBeLessThan(0.2 * truth)
  })
  it('comes nearer to the truth than a constant by more than half, and never all the way', () => {
    const mean = meanOf((pair) => pair.truth)
    const [constant, observed, truth] = [
      loss(() => mean),
      loss((pair) => pair.observed),
      loss((pair) => pair.truth),
    ]
    expect(observed).toBeGreaterThan(truth)
    expect(constant - observed).toBeGreaterThan(0.5 * (constant - truth))
  })
})
