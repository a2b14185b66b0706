import type { AttemptResult, DueDelivery } from '../control/webhook-deliveries.ts'
import { longestFailingMs, retryAfterMs, waitAfter } from './retry-schedule.ts'
import type { SendResult } from './sender.ts'

/** An answer and what is needed to decide what follows. */
export interface Tried {
  readonly result: SendResult
  /** When it was sent, ISO 8601. */
  readonly at: string
  /** When the answer was there. */
  readonly answeredAt: string
  readonly ms: number
  /** From 0 to 1. */
  readonly random: number
}

/**
 * Decides what a try leads to. 2xx: it is delivered. 410: the endpoint wants nothing more and is disabled. Anything
 * else fails: it is tried again until the last try, and an endpoint that did nothing but fail for days is disabled.
 */
export function judgeAttempt({ tries, endpoint }: DueDelivery, tried: Tried): AttemptResult {
  const { result, at, answeredAt, ms, random } = tried
  const { status, excerpt } = result
  const attempt = { at, status, excerpt, ms, problem: problemOf(result) }
  if (attempt.problem === null) return { ...attempt, next: 'delivered', disabledReason: null }
  if (status === 410)
    return {
      ...attempt,
      next: 'dead',
      disabledReason: 'It answered 410 (Gone): it wants nothing more to be sent.',
    }
  const failingMs = Date.parse(at) - Date.parse(endpoint.failingSince ?? at)
  if (failingMs >= longestFailingMs)
    return {
      ...attempt,
      next: 'dead',
      disabledReason: `Nothing has got through since ${endpoint.failingSince}. Last: ${attempt.problem}`,
    }
  const wait = waitAfter(tries + 1, { random, retryAfterMs: retryAfterMs(result.retryAfter, answeredAt) })
  const next = wait === null ? 'dead' : { tryAt: new Date(Date.parse(answeredAt) + wait).toISOString() }
  return { ...attempt, next, disabledReason: null }
}

/** What went wrong; null where nothing did. */
function problemOf({ status, problem }: SendResult): string | null {
  if (status === null) return problem
  if (status >= 200 && status < 300) return null
  if (status >= 300 && status < 400) return `It answered ${status}: redirects are not followed.`
  return `It answered ${status}.`
}
