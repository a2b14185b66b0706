import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blankMemory, writeComment } from '../../../training/synthetic/comments.ts'
import { happy, outages, praise, quick } from '../../../training/synthetic/phrases.ts'
import { luckOf } from '../../../training/synthetic/randomness.ts'

const day = 300
const contains = (text: string | null, phrases: readonly string[]) =>
  phrases.some((phrase) => text?.toLowerCase().includes(phrase.toLowerCase()))
/** Comments of many customers on the same score. */
const comments = (score: number, memory = blankMemory()) =>
  Array.from({ length: 400 }, (_, index) => writeComment(memory, { score, day, luck: luckOf(1, index) }))

describe('a comment', () => {
  it('praises nothing in an answer of 0 to 6', () => {
    fc.assert(
      fc.property(fc.nat(6), fc.nat(1e6), (score, index) => {
        const text = writeComment(blankMemory(), { score, day, luck: luckOf(7, index) })
        expect(contains(text, [...praise, ...happy, ...quick]), String(text)).toBe(false)
      }),
    )
  })
  it('complains of nothing in an answer of 9 or 10, whatever happened', () => {
    const hurt = { ...blankMemory(), outageDay: day - 1, slowDay: day - 2, delayDay: day - 3, delayDays: 4 }
    for (const text of [...comments(9, hurt), ...comments(10, hurt)])
      expect(text ?? '').not.toMatch(/outage|down|late|delay|expensive|wait|angry|terrible/i)
  })
  it('names what really happened lately, and nothing that did not', () => {
    const late = { ...blankMemory(), delayDay: day - 5, delayDays: 4 }
    const written = comments(2, late).filter((text) => text !== null)
    expect(written.filter((text) => /4 days/.test(text)).length).toBeGreaterThan(0.9 * written.length)
    for (const text of written) expect(contains(text, outages), text).toBe(false)
    const longAgo = { ...blankMemory(), delayDay: day - 200, delayDays: 4 }
    for (const text of comments(2, longAgo)) expect(text ?? '').not.toMatch(/4 days/)
    const still = { ...blankMemory(), delayDay: day + 3, delayDays: 4 }
    for (const text of comments(2, still)) expect(text ?? '').not.toMatch(/4 days/)
  })
  it('has mixed feelings where the score has', () => {
    const mixed = comments(7, { ...blankMemory(), outageDay: day - 1 }).filter((text) => text !== null)
    expect(mixed.filter((text) => / but /.test(text)).length).toBeGreaterThan(0.4 * mixed.length)
  })
  it('is often left out, comes in many wordings and is seldom misspelt', () => {
    const all = [0, 3, 6, 8, 10].flatMap((score) => comments(score))
    const written = all.filter((text) => text !== null)
    expect(written.length / all.length).toBeGreaterThan(0.5)
    expect(written.length / all.length).toBeLessThan(0.75)
    expect(new Set(written).size).toBeGreaterThan(300)
  })
})
