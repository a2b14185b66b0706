import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cutIntervals } from '../../src/outcomes/labels.ts'

const days = fc.oneof(fc.integer({ min: 1, max: 130 }), fc.constant(Number.NaN))
const row = fc.record({
  event: days,
  known: fc.integer({ min: -20, max: 130 }),
  censored: fc.oneof(fc.integer({ min: -20, max: 130 }), fc.constant(Infinity)),
})
const horizons = fc
  .uniqueArray(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 4 })
  .map((list) => list.sort((a, b) => a - b))

const cut = (
  rows: readonly { event: number; known: number; censored: number }[],
  horizonsDays: readonly number[],
) =>
  cutIntervals(
    {
      event: Float64Array.from(rows, ({ event }) => event),
      known: Float64Array.from(rows, ({ known }) => known),
    },
    horizonsDays,
    rows.map(({ censored }) => censored),
  )

describe('an interval', () => {
  it('counts exactly if its end is known and nothing happened before its start', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), horizons, (rows, horizonsDays) => {
        const { happened, known, observed } = cut(rows, horizonsDays)
        for (const [index, { event, known: until, censored }] of rows.entries()) {
          const ends = horizonsDays.filter((end) => end <= until && end <= censored)
          expect(observed[index]).toBe(ends.length)
          for (const [j, end] of horizonsDays.entries()) {
            const start = j === 0 ? 0 : horizonsDays[j - 1]
            const at = index * horizonsDays.length + j
            const isKnown = j < ends.length && !(event <= start)
            expect(known[at]).toBe(isKnown ? 1 : 0)
            expect(happened[at]).toBe(isKnown && event > start && event <= end ? 1 : 0)
          }
        }
      }),
    )
  })

  it('is not known because its event is: its end must have been observed', () => {
    const rows = [
      { event: 10, known: 29, censored: Infinity },
      { event: 10, known: 30, censored: Infinity },
    ]
    const { happened, known } = cut(rows, [30, 60])
    expect([...known]).toEqual([0, 0, 1, 0])
    expect([...happened]).toEqual([0, 0, 1, 0])
  })

  it('lasts from the day after the horizon before to its own, both whole days', () => {
    const rows = [1, 30, 31, 60, 61].map((event) => ({ event, known: 90, censored: Infinity }))
    expect([...cut(rows, [30, 60]).happened]).toEqual([1, 0, 1, 0, 0, 1, 0, 1, 0, 0])
  })
})
