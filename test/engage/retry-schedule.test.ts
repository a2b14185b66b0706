import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { retryAfterMs, waitAfter } from '../../src/engage/retry-schedule.ts'

const hour = 3600_000
const waits = (random: number) => {
  const found: number[] = []
  for (let tries = 1; ; tries++) {
    const wait = waitAfter(tries, { random, retryAfterMs: null })
    if (wait === null) return found
    found.push(wait)
  }
}

describe('the waits between tries', () => {
  it('reach over three days, longer and longer', () => {
    const plain = waits(0.5)
    expect(plain).toHaveLength(10)
    expect(plain).toEqual([...plain].sort((a, b) => a - b))
    expect([plain[0], plain.at(-1)]).toEqual([5000, 24 * hour])
    const total = plain.reduce((sum, wait) => sum + wait, 0)
    expect(total / hour / 24).toBeGreaterThan(3)
    expect(total / hour / 24).toBeLessThan(3.5)
  })

  it('are spread evenly around that', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (random) => {
        const plain = waits(0.5)
        waits(random).forEach((wait, place) => {
          expect(wait).toBe(Math.round(plain[place] * (0.5 + random)))
        })
      }),
    )
  })

  it('are as long as the receiver asks for, up to a day', () => {
    const asked = (retryAfterMs: number) => waitAfter(1, { random: 0.5, retryAfterMs })
    expect([asked(1000), asked(60_000), asked(48 * hour)]).toEqual([5000, 60_000, 24 * hour])
    expect(waitAfter(11, { random: 0.5, retryAfterMs: 1000 })).toBeNull()
  })
})

describe('Retry-After', () => {
  const now = '2026-11-20T12:00:00.000Z'
  it.each([
    ['120', 120_000],
    ['0', 0],
    ['Fri, 20 Nov 2026 12:01:00 GMT', 60_000],
    ['Fri, 20 Nov 2026 11:00:00 GMT', 0],
    ['soon', null],
    ['-5', null],
    ['99999999999', null],
    [null, null],
  ])('is a number of seconds or a date: %s', (header, wait) => {
    expect(retryAfterMs(header, now)).toBe(wait)
  })
})
