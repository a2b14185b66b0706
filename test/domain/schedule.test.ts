import fc from 'fast-check'
import { expect, it } from 'vitest'
import { localTime } from '../../src/domain/days.ts'
import { lastDue, nextDue } from '../../src/domain/schedule.ts'

it.each([
  // Clocks go from 2:00 to 3:00: an hour later than written, still on that day.
  ['02:30', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T01:30:00Z', '2026-03-28'],
  // Clocks go from 3:00 to 2:00: the first of two times, and once.
  ['02:30', 'Europe/Berlin', '2026-10-24T12:00:00Z', '2026-10-25T00:30:00Z', '2026-10-24'],
  ['02:30', 'Europe/Berlin', '2026-10-25T00:30:00Z', '2026-10-26T01:30:00Z', '2026-10-25'],
  ['01:30', 'America/New_York', '2026-11-01T05:30:00Z', '2026-11-02T06:30:00Z', '2026-11-01'],
  // Midnight does not exist.
  ['00:00', 'America/Sao_Paulo', '2017-10-14T12:00:00Z', '2017-10-15T03:00:00Z', '2017-10-14'],
  // Clocks go forward by half an hour.
  ['02:15', 'Australia/Lord_Howe', '2026-10-03T00:00:00Z', '2026-10-03T15:45:00Z', '2026-10-03'],
  ['05:00', 'Asia/Kolkata', '2026-11-20T23:29:59Z', '2026-11-20T23:30:00Z', '2026-11-20'],
  ['05:00', 'Pacific/Kiritimati', '2026-11-20T15:00:00Z', '2026-11-21T15:00:00Z', '2026-11-21'],
  ['05:00', 'UTC', '2026-11-20T05:00:00Z', '2026-11-21T05:00:00Z', '2026-11-20'],
])('%s in %s strikes after %s at %s, for %s', (schedule, timezone, now, at, date) => {
  expect(nextDue({ schedule, timezone }, now)).toEqual({ at, date })
  expect(lastDue({ schedule, timezone }, at)).toEqual({ at, date })
})

const zones = [
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'Australia/Lord_Howe',
  'Asia/Tokyo',
  'Africa/Casablanca',
]
const times = fc
  .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
  .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'))
const instants = fc
  .date({ min: new Date('2010-01-01'), max: new Date('2035-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString())

it('strikes once on every local day, for the day before', () => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), times, instants, (timezone, schedule, now) => {
      const place = { schedule, timezone }
      let { at, date } = lastDue(place, now)
      expect(Date.parse(at)).toBeLessThanOrEqual(Date.parse(now))
      for (let days = 0; days < 5; days++) {
        const next = nextDue(place, at)
        expect(Date.parse(next.at)).toBeGreaterThan(Date.parse(at))
        expect(new Date(Date.parse(date) + 86_400_000).toISOString().slice(0, 10)).toBe(next.date)
        expect(localTime(next.at, timezone).slice(11) >= schedule).toBe(true)
        expect(lastDue(place, next.at)).toEqual(next)
        ;({ at, date } = next)
      }
    }),
    { numRuns: 300 },
  )
})
