import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TextBytes } from '../../src/jobs/day-run/text-bytes.ts'

function decimals(value: number, places: number): string {
  const text = new TextBytes()
  text.addDecimals(value, places)
  return text.take()
}

describe('a text made of bytes', () => {
  it('is its pieces one after the other, however long, and empty again once taken', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 3000 })), (pieces) => {
        const text = new TextBytes()
        for (const piece of pieces) text.add(Buffer.from(piece))
        expect(text.take()).toBe(pieces.join(''))
        expect(text.isEmpty).toBe(true)
      }),
    )
  })

  it('holds numbers with their decimals, as JSON', () => {
    expect(decimals(0, 6)).toBe('0')
    expect(decimals(-0.0000001, 6)).toBe('0')
    expect(decimals(-0.05, 6)).toBe('-0.050000')
    expect(decimals(12, 4)).toBe('12')
    expect(decimals(1234.5, 4)).toBe('1234.5000')
    expect(decimals(1e300, 4)).toBe('1e+300')
    expect(decimals(-3e9, 4)).toBe('-3000000000')
    const places = 4
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 }), (whole) => {
        expect(JSON.parse(decimals(whole / 10 ** places, places))).toBe(whole / 10 ** places)
      }),
    )
  })
})
