import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  answeringChance,
  detractorChance,
  drawScore,
  expectedScore,
  promoterChance,
} from '../../../training/synthetic/answers.ts'
import {
  accountOf,
  bornCustomer,
  type Customer,
  copyOf,
  feeling,
} from '../../../training/synthetic/customer.ts'
import { blankChances, decision, weighDecisions } from '../../../training/synthetic/decisions.ts'
import { blankToday, feelDay, priceDays } from '../../../training/synthetic/feelings.ts'
import { makeOutages } from '../../../training/synthetic/outages.ts'
import { luckOf, onceNormal, uniform } from '../../../training/synthetic/randomness.ts'

const run = { seed: 1, days: 548 }
const satisfaction = fc.double({ min: -3.5, max: 3.5, noNaN: true })

/** A customer who feels so. */
function feelingOf(points: number, change: Partial<Customer> = {}): Customer {
  return {
    ...bornCustomer(run, 4),
    joinDay: 0,
    planSince: 0,
    contract: 0,
    plan: 1,
    ...change,
    mood: Float64Array.of(points, 0, 0, 0),
  }
}

const satisfactionOf = (customer: Customer) => customer.mood[feeling.satisfaction]

function chancesOf(customer: Customer, day = 200) {
  const chances = blankChances()
  weighDecisions(customer, day, chances)
  return chances
}

describe('random numbers by counter', () => {
  it('are even, also where only one of customer, day and purpose changes', () => {
    const streams = [
      (n: number) => uniform(luckOf(1, n), 5, 3),
      (n: number) => uniform(luckOf(1, 5), n, 3),
      (n: number) => uniform(luckOf(n, 5), 7, 3),
      (n: number) => uniform(luckOf(1, n >> 5), 9, n & 31),
    ]
    for (const stream of streams) {
      const counts = new Array(20).fill(0)
      let [previous, products] = [0.5, 0]
      for (let n = 0; n < 20_000; n++) {
        const value = stream(n)
        counts[Math.floor(value * 20)]++
        products += (value - 0.5) * (previous - 0.5)
        previous = value
      }
      // 19 degrees of freedom: 99.99% lie below 52. Neighbours' correlation has a spread of 0.007.
      expect(counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)).toBeLessThan(52)
      expect(Math.abs(products / 20_000 / (1 / 12))).toBeLessThan(0.035)
    }
  })
  it('are normal where they should be', () => {
    const values = Array.from({ length: 50_000 }, (_, n) => onceNormal(luckOf(3, n), 2))
    const moment = (power: number) => values.reduce((sum, value) => sum + value ** power, 0) / values.length
    expect(moment(1)).toBeCloseTo(0, 1.5)
    expect(moment(2)).toBeCloseTo(1, 1)
    expect(moment(4)).toBeGreaterThan(2.8)
    expect(moment(4)).toBeLessThan(3.2)
  })
})

describe('the laws', () => {
  it('make the more satisfied stay, upgrade, recommend and answer better', () => {
    fc.assert(
      fc.property(satisfaction, satisfaction, (one, other) => {
        fc.pre(Math.abs(one - other) > 0.1)
        const [low, high] = [Math.min(one, other), Math.max(one, other)]
        const [sad, glad] = [chancesOf(feelingOf(low)), chancesOf(feelingOf(high))]
        expect(glad[decision.churn]).toBeLessThanOrEqual(sad[decision.churn])
        expect(glad[decision.upgrade]).toBeGreaterThan(sad[decision.upgrade])
        expect(glad[decision.referral]).toBeGreaterThan(sad[decision.referral])
        expect(glad[decision.downgrade]).toBeLessThan(sad[decision.downgrade])
        expect(expectedScore(high)).toBeGreaterThan(expectedScore(low))
        expect(promoterChance(high)).toBeGreaterThanOrEqual(promoterChance(low))
        expect(detractorChance(high)).toBeLessThanOrEqual(detractorChance(low))
      }),
    )
  })
  it('draw answers whose mean is the expected one', () => {
    for (const points of [-2, -0.5, 0.4, 1.5]) {
      const draws = Array.from({ length: 2000 }, (_, n) => drawScore(points, (n + 0.5) / 2000))
      expect(draws.reduce((sum, score) => sum + score, 0) / 2000).toBeCloseTo(expectedScore(points), 1)
      expect(draws.filter((score) => score >= 9).length / 2000).toBeCloseTo(promoterChance(points), 2)
    }
  })
  it('bind by contract but around its renewal, and make newcomers leave more easily', () => {
    const annual = feelingOf(0, { contract: 1 })
    expect(chancesOf(annual, 200)[decision.churn]).toBeLessThan(
      0.5 * chancesOf(feelingOf(0), 200)[decision.churn],
    )
    expect(chancesOf(annual, 365)[decision.churn]).toBeGreaterThan(
      2 * chancesOf(feelingOf(0), 365)[decision.churn],
    )
    expect(chancesOf(feelingOf(0), 5)[decision.churn]).toBeGreaterThan(
      1.5 * chancesOf(feelingOf(0), 500)[decision.churn],
    )
  })
  it('give nobody more than gold and nobody less than basic', () => {
    expect(chancesOf(feelingOf(3, { plan: 2 }))[decision.upgrade]).toBe(0)
    expect(chancesOf(feelingOf(-3, { plan: 0 }))[decision.downgrade]).toBe(0)
  })
  it('make answering depend on behaviour alone or on feelings alone', () => {
    const options = { day: 300, loginDays: 5 }
    const chance = (points: number, answering: 'observed' | 'hidden', loginDays = 5) =>
      answeringChance(feelingOf(points), { ...options, answering, loginDays })
    expect(chance(2, 'observed')).toBe(chance(-2, 'observed'))
    expect(chance(0, 'observed', 20)).toBeGreaterThan(1.5 * chance(0, 'observed', 2))
    expect(chance(2, 'hidden')).toBeGreaterThan(3 * chance(-2, 'hidden'))
    expect(chance(0, 'hidden', 20)).toBe(chance(0, 'hidden', 2))
  })
})

describe('feelings', () => {
  const world = { outages: makeOutages(1, { firstDay: 0, days: 548 }), priceDays: priceDays(548) }
  const through = (customer: Customer, days: number) => {
    for (let day = 0; day < days; day++) feelDay(customer, day, world, blankToday())
    return customer
  }
  it('of two worlds that differ in a call are the same but for what the call mends', () => {
    for (let index = 0; index < 200; index++) {
      const customer = through(bornCustomer(run, index), 300)
      const called = { ...copyOf(customer), callDay: 300, callArm: 1 }
      const not = { ...copyOf(customer), callDay: 300, callArm: 0 }
      for (const one of [called, not]) feelDay(one, 300, world, blankToday())
      const lift = satisfactionOf(called) - satisfactionOf(not)
      if (customer.mood[feeling.grievance] < 0.25) expect(lift).toBe(0)
      else expect(lift).toBeGreaterThan(0.3)
    }
  })
  it('spread by a point and a bit where nobody leaves', () => {
    const all = Array.from({ length: 3000 }, (_, index) =>
      satisfactionOf(through(bornCustomer(run, index), 400)),
    )
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length
    const spread = Math.sqrt(all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / all.length)
    expect(mean).toBeGreaterThan(-0.3)
    expect(mean).toBeLessThan(0.7)
    expect(spread).toBeGreaterThan(0.8)
    expect(spread).toBeLessThan(1.5)
  })
})

describe('accounts', () => {
  it('hold one to eight customers each, told for each customer alone', () => {
    const accounts = new Map<number, number>()
    for (let index = 0; index < 8000; index++) {
      const account = accountOf(1, index)
      expect(account).toBeLessThanOrEqual(index)
      accounts.set(account, (accounts.get(account) ?? 0) + 1)
    }
    expect(Math.max(...accounts.values())).toBe(8)
    expect(accounts.size).toBeGreaterThan(4000)
    expect(accounts.size).toBeLessThan(7000)
  })
})
