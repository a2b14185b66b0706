import { Temporal } from 'temporal-polyfill'

/** A calendar day in a program's timezone, `YYYY-MM-DD`. */
export type Day = string

/** True where `text` is an existing calendar day written `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' }).toString() === text
  } catch {
    return false
  }
}

/** The day `days` after `day` (before it where negative). */
export function addDays(day: Day, days: number): Day {
  return Temporal.PlainDate.from(day).add({ days }).toString()
}

/** Whole days from `from` to `to`; negative where `to` is earlier. */
export function daysBetween(from: Day, to: Day): number {
  return Temporal.PlainDate.from(from).until(Temporal.PlainDate.from(to), { largestUnit: 'day' }).days
}

/** A day in whole days since 1970-01-01. */
export function epochDay(day: Day): number {
  return daysBetween('1970-01-01', day)
}

/** The day `days` after 1970-01-01: see {@link epochDay}. */
export function dayOfEpoch(days: number): Day {
  return addDays('1970-01-01', days)
}

/** The local day on which an instant (ISO 8601 with zone) falls in `timezone`. */
export function localDay(instant: string, timezone: string): Day {
  return Temporal.Instant.from(instant).toZonedDateTimeISO(timezone).toPlainDate().toString()
}

/** When a day is over in a timezone: the first instant of the next one, ISO 8601 in UTC. */
export function endOfDay(day: Day, timezone: string): string {
  return Temporal.PlainDate.from(day).add({ days: 1 }).toZonedDateTime(timezone).toInstant().toString()
}

/** An instant (ISO 8601 with zone) as people of a timezone write it, such as `2026-11-20 05:00`. */
export function localTime(instant: string, timezone: string): string {
  const local = Temporal.Instant.from(instant).toZonedDateTimeISO(timezone)
  return `${local.toPlainDate()} ${local.toPlainTime().toString({ smallestUnit: 'minute' })}`
}

/** Whole seconds from one instant to a later one. */
export function secondsBetween(from: string, to: string): number {
  return Math.floor(Temporal.Instant.from(from).until(to).total('second'))
}

/** True where `name` is a timezone of the IANA database. */
export function isTimezone(name: string): boolean {
  try {
    Temporal.PlainDate.from('2000-01-01').toZonedDateTime(name)
    return /^[A-Z]/.test(name)
  } catch {
    return false
  }
}
