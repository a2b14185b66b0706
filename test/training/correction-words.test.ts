import { expect, it } from 'vitest'
import { describeCorrections } from '../../training/correction-words.ts'

it('corrections read as words, interval by interval', () => {
  const words = describeCorrections([
    { kind: 'none', intercept: 0, slope: 1 },
    { kind: 'shift', intercept: -0.214, slope: 1 },
    { kind: 'temperature', intercept: 0, slope: 0.8 },
    { kind: 'platt', intercept: 0.3, slope: 0.8 },
    { kind: 'beta', intercept: 0.1, lower: 0.7, upper: 1.4 },
    { kind: 'isotonic', from: [-2, 0, 1], to: [-1, 0, 2] },
  ])
  expect(words).toBe(
    'none, shift −0.21, temperature (slope 0.80), Platt (slope 0.80, shift +0.30), beta (slopes 0.70 below and 1.40 above even odds, shift +0.10), isotonic (3 knots)',
  )
  expect(describeCorrections({ kind: 'shift', intercept: 0.5, slope: 1 })).toBe('shift +0.50')
})
