const second = 1000
const minute = 60 * second
const hour = 60 * minute

/** Waits between the tries, as Standard Webhooks suggests: eleven tries over three days. */
const waitsMs = [
  ...[5 * second, 30 * second, 5 * minute, 30 * minute],
  ...[2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour],
]
const longestWaitMs = 24 * hour

/** An endpoint that only failed for so long is disabled: longer than one message is tried. */
export const longestFailingMs = 5 * 24 * hour

/**
 * How long to wait before the next try, in milliseconds; null where it was the last one.
 *
 * A wait is drawn evenly from half of its length to one and a half, so that what failed together is not sent again
 * together, and the tries still reach over three days. (Drawn from nothing on, they would end after half of that.) What
 * the receiver asks for is honoured, up to a day.
 *
 * @param tries that have failed, from 1
 * @param random from 0 to 1
 */
export function waitAfter(
  tries: number,
  { random, retryAfterMs }: { random: number; retryAfterMs: number | null },
): number | null {
  const wait = waitsMs[tries - 1]
  if (wait === undefined) return null
  const spread = wait * (0.5 + random)
  return Math.round(Math.max(spread, Math.min(retryAfterMs ?? 0, longestWaitMs)))
}

/** What `Retry-After` asks for, in milliseconds from `now`: it is a number of seconds or a date. Null where it is neither. */
export function retryAfterMs(header: string | null, now: string): number | null {
  if (header === null) return null
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * second
  // Dates begin with the day of the week; Date.parse would also make something of other numbers.
  const at = /^[a-z]/i.test(header) ? Date.parse(header) : Number.NaN
  return Number.isNaN(at) ? null : Math.max(0, at - Date.parse(now))
}
