import { Temporal } from 'temporal-polyfill'
import { addDays, type Day } from './days.ts'

/** When a day is to be predicted. */
export interface DueDay {
  /** The instant, ISO 8601 in UTC. */
  readonly at: string
  /** The day that was over by then: the one before. */
  readonly date: Day
}

/** A local time of day, and where it is that. */
export interface Schedule {
  /** Such as `05:00`. */
  readonly schedule: string
  readonly timezone: string
}

/**
 * When the schedule strikes first after an instant (ISO 8601). It strikes once on each local day: where clocks are put
 * forward past its time as much later, where they are put back the first time.
 */
export function nextDue(schedule: Schedule, now: string): DueDay {
  const due = around(schedule, now).find(({ at }) => isAfter(at, now))
  if (due === undefined) throw new Error(`${schedule.schedule} never comes in ${schedule.timezone}`)
  return due
}

/** When it struck last, up to an instant (ISO 8601). */
export function lastDue(schedule: Schedule, now: string): DueDay {
  const due = around(schedule, now).findLast(({ at }) => !isAfter(at, now))
  if (due === undefined) throw new Error(`${schedule.schedule} never came in ${schedule.timezone}`)
  return due
}

/** Of the days next to that of an instant, in order. */
function around({ schedule, timezone }: Schedule, now: string): DueDay[] {
  const today = Temporal.Instant.from(now).toZonedDateTimeISO(timezone).toPlainDate()
  return [-2, -1, 0, 1, 2].map((days) => {
    const day = today.add({ days })
    const plainTime = Temporal.PlainTime.from(schedule)
    const at = day.toZonedDateTime({ timeZone: timezone, plainTime }).toInstant().toString()
    return { at, date: addDays(day.toString(), -1) }
  })
}

function isAfter(a: string, b: string): boolean {
  return Temporal.Instant.compare(a, b) > 0
}
