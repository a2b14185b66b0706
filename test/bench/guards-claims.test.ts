import { describe, expect, it } from 'vitest'
import { exactInterval, judgeHonest, judgeLeaks, judgeSkill } from '../../bench/guards-claims.ts'
import type { Search } from '../../bench/guards-leaks.ts'
import type { Trained } from '../../bench/guards-skill.ts'

/** A company with so many tasks, of which the first ones claim skill. */
function trained(tasks: number, claiming: number, leaks: readonly string[] = []): Trained {
  const claims = Array.from({ length: tasks }, (_, index) => ({
    task: `t${index}`,
    hasSkill: index < claiming,
    words: '',
  }))
  return { claims, leaks, skipped: [], split: 'forward' }
}

function search(plant: Partial<Search['plant']>, found: Partial<Search>): Search {
  const whole = { isLeak: true, kind: 'k', words: 'w', origin: 'o', ...plant }
  return { plant: whole, seed: 1, isNamed: false, isShutOut: false, alsoNamed: [], ...found }
}

describe('the exact interval of a share', () => {
  it.each([
    [0, 50, 0, 0.0711],
    [2, 100, 0.0024, 0.0704],
    [5, 10, 0.1871, 0.8129],
    [20, 20, 0.8316, 1],
  ])('of %i in %i is %f to %f', (hits, count, low, high) => {
    const interval = exactInterval(hits, count)
    expect(interval.low).toBeCloseTo(low, 4)
    expect(interval.high).toBeCloseTo(high, 4)
  })
})

describe('the claim', () => {
  it('of no skill without signal fails above 5% of the tasks of all companies', () => {
    expect(judgeSkill([trained(10, 1), trained(10, 0)])).toMatchObject({ isHeld: true })
    expect(judgeSkill([trained(10, 1), trained(9, 0)])).toMatchObject({ isHeld: false })
  })

  it('of leaks fails with one that is neither named nor shut out, unless it is faint', () => {
    const held = [search({}, { isNamed: true }), search({}, { isShutOut: true })]
    expect(judgeLeaks(held).isHeld).toBe(true)
    expect(judgeLeaks([...held, search({ isUnclear: true }, {})]).isHeld).toBe(true)
    expect(judgeLeaks([...held, search({}, {})]).isHeld).toBe(false)
  })

  it('of honest features fails with one left out, or with anything named beside a plant or without one', () => {
    const kept = search({ isLeak: false }, {})
    expect(judgeHonest([kept], []).isHeld).toBe(true)
    expect(judgeHonest([search({ isLeak: false }, { isNamed: true })], []).isHeld).toBe(false)
    expect(judgeHonest([search({}, { isNamed: true, alsoNamed: ['age'] })], []).isHeld).toBe(false)
    expect(judgeHonest([kept], [trained(3, 0, ['age for churn'])]).isHeld).toBe(false)
  })
})
