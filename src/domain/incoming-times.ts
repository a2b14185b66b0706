/** A time as it was sent. One without a zone is local, so that its instant is known to within a day only. */
export interface WrittenTime {
  /** In UTC where a zone was given, else as local time. */
  readonly text: string
  /** The first and the last instant that it can mean, milliseconds since 1970. */
  readonly earliestMs: number
  readonly latestMs: number
}

/** Before it nobody joined: 1900-01-01. */
export const earliestJoiningMs = Date.UTC(1900, 0, 1)

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?: ?(Z|[+-]\d{2}(?::?\d{2})?))?)?$/i

/** Most that a local time can lie beside the same time in UTC. */
const widestZoneMs = 14 * 3600 * 1000

/** Reads ISO 8601, to the millisecond: a day, or a time with or without a zone. Null where the text is none, or no day has it. */
export function readTime(text: string): WrittenTime | null {
  const match = pattern.exec(text)
  if (match === null) return null
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = match
  const ms = utcMs({ year: +year, month: +month, day: +day }, [+hour, +minute, +second, millis(fraction)])
  if (ms === null) return null
  if (zone === undefined) {
    const iso = new Date(ms).toISOString()
    const isDay = match[4] === undefined
    return {
      text: isDay ? iso.slice(0, 10) : iso.slice(0, -1).replace('T', ' '),
      earliestMs: ms - widestZoneMs,
      latestMs: ms + widestZoneMs,
    }
  }
  const offset = offsetMs(zone)
  if (offset === null) return null
  const instant = ms - offset
  return { text: new Date(instant).toISOString(), earliestMs: instant, latestMs: instant }
}

function millis(fraction: string): number {
  return Number(fraction.slice(0, 3).padEnd(3, '0'))
}

interface CalendarDay {
  readonly year: number
  readonly month: number
  readonly day: number
}

function utcMs(
  { year, month, day }: CalendarDay,
  [hour, minute, second, ms]: readonly number[],
): number | null {
  if (year < 1 || hour > 23 || minute > 59 || second > 59) return null
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null
  return date.setUTCHours(hour, minute, second, ms)
}

function offsetMs(zone: string): number | null {
  if (/^z$/i.test(zone)) return 0
  const [, sign, hours, minutes = '00'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) as RegExpExecArray
  if (Number(hours) > 15 || Number(minutes) > 59) return null
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}
