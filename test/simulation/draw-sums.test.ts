import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { describe, expect, it } from 'vitest'
import { DrawSums, type ForecastDraws } from '../../src/simulation/draw-sums.ts'

const customers = 5000
const every = 5
const list = [{ name: 'churn_90', task: 'churn' }]
const asItIs = { list, blend: [new Float64Array(customers)], members: [], laterRisk: null }
const nothing = { rows: 0, features: [], columns: [] }
const part = { studied: Int32Array.from({ length: customers }, (_, row) => row), frame: nothing }

/** A draw in which half of some customers are moved by 2, so that the variance of each is 1. */
function draw(among: readonly number[], seed: number): ForecastDraws {
  const random = xoroshiro128plus(seed)
  const customer = Int32Array.from(among.filter(() => uniformFloat64(random) < 0.5))
  const drawn = { draw: new Int32Array(customer.length), customer, frame: nothing, contactsAvoided: [0] }
  const blend = [new Float64Array(customer.length).fill(2)]
  return { part, drawn, forecast: { list, blend, members: [], laterRisk: null } }
}

describe('the error of a single draw', () => {
  const everybody = [...part.studied]
  const few = everybody.filter((row) => row % every === 0)
  it('is told by another one of some customers', () => {
    const sums = new DrawSums(asItIs, { sampled: customers })
    sums.add(draw(everybody, 1), 0)
    expect(sums.total().drawVariance).toEqual([0])
    sums.addPilot(draw(few, 2), every)
    const [told] = sums.total().drawVariance
    // A thousand pairs tell a variance to within a tenth.
    expect(Math.abs(told * customers - 1)).toBeLessThan(0.1)
    expect(sums.total().replications).toHaveLength(1)
  })
  it('is no longer needed where all were drawn twice', () => {
    const [piloted, plain] = [0, 1].map(() => new DrawSums(asItIs, { sampled: customers }))
    for (const sums of [piloted, plain]) sums.add(draw(everybody, 1), 0)
    piloted.addPilot(draw(few, 2), every)
    for (const sums of [piloted, plain]) sums.add(draw(everybody, 3), 1)
    expect(piloted.total()).toEqual(plain.total())
    const [told] = plain.total().drawVariance
    expect(Math.abs(told * customers * 2 - 1)).toBeLessThan(0.1)
  })
})
