import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fillBudget, type Offers, orderByNet } from '../../src/simulation/offers.ts'

/** Offers of these net values and costs, in whole ticks. */
function offersOf(customers: readonly (readonly [net: number, cost: number])[]): Offers {
  return {
    treatment: new Int16Array(customers.length),
    gain: Float64Array.from(customers, ([net, cost]) => net + cost),
    cost: Float64Array.from(customers, ([, cost]) => cost),
    net: Float64Array.from(customers, ([net]) => net),
    lot: Int32Array.from(customers.keys()),
    gainTicks: 1,
    isMoney: true,
  }
}

/** The highest net value that any choice within the budget brings. */
function best(customers: readonly (readonly [net: number, cost: number])[], budget: number): number {
  let most = 0
  for (let choice = 0; choice < 2 ** customers.length; choice++) {
    const own = customers.filter((_, place) => choice & (1 << place))
    const cost = own.reduce((sum, [, each]) => sum + each, 0)
    if (cost <= budget)
      most = Math.max(
        most,
        own.reduce((sum, [net]) => sum + net, 0),
      )
  }
  return most
}

describe('a filled budget', () => {
  const customers = fc.array(fc.tuple(fc.integer({ min: -20, max: 100 }), fc.integer({ min: 0, max: 50 })), {
    maxLength: 9,
  })
  it('is never overspent, treats nobody who costs more than they bring, and misses no more than it says', () => {
    fc.assert(
      fc.property(customers, fc.integer({ min: 0, max: 200 }), (made, budget) => {
        const offers = offersOf(made)
        const filled = fillBudget(offers, orderByNet(offers), budget)
        expect(filled.spent).toBeLessThanOrEqual(budget)
        expect(new Set(filled.chosen).size).toBe(filled.chosen.length)
        for (const row of filled.chosen) expect(offers.net[row]).toBeGreaterThan(0)
        const sum = (amounts: Float64Array) => filled.chosen.reduce((total, row) => total + amounts[row], 0)
        expect([sum(offers.net), sum(offers.cost), sum(offers.gain)]).toEqual([
          filled.net,
          filled.spent,
          filled.gain,
        ])
        const optimum = best(made, budget)
        expect(filled.net).toBeLessThanOrEqual(optimum)
        expect(filled.net + filled.mostMissed).toBeGreaterThanOrEqual(optimum - 1e-9)
      }),
    )
  })
  it('passes over who no longer fits for cheaper ones', () => {
    const offers = offersOf([
      [90, 10],
      [70, 10],
      [10, 2],
    ])
    expect([...fillBudget(offers, orderByNet(offers), 13).chosen]).toEqual([0, 2])
  })
  it('takes those first who cost nothing', () => {
    const offers = offersOf([
      [90, 10],
      [1, 0],
      [2, 0],
    ])
    expect([...orderByNet(offers)]).toEqual([2, 1, 0])
    expect([...fillBudget(offers, orderByNet(offers), 0).chosen]).toEqual([2, 1])
  })
})
