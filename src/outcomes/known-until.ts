import { type Day, earlierDay } from '../domain/days.ts'
import type { Outcome, Program } from '../domain/program.ts'
import { earliestDay } from '../features/data-begins.ts'
import type { LakeState } from '../lake/commits.ts'

interface Coverage {
  readonly from: Day
  readonly until: Day
}

/**
 * The last day up to which all events of these types are known: what their sources cover, by declaration or by their
 * last row. A source that ended before another of them began was continued by it and no longer limits.
 *
 * Null where no source ever supplied any of the types and none declares its coverage.
 */
export function knownUntil(program: Program, state: LakeState, eventTypes: readonly string[]): Day | null {
  const coverages: Coverage[] = []
  const declared: Day[] = []
  for (const source of program.sources.events) {
    const spans = state.sources.get(source.key)?.spans ?? {}
    if (source.coversUntil !== null) declared.push(source.coversUntil)
    if (!eventTypes.some((type) => Object.hasOwn(spans, type))) continue
    const all = Object.values(spans)
    const last = all.reduce((day, span) => (span.lastDay > day ? span.lastDay : day), all[0].lastDay)
    coverages.push({
      from: all.reduce((day, span) => earlierDay(day, span.firstDay), all[0].firstDay),
      until: source.coversUntil ?? last,
    })
  }
  const limiting = coverages.filter(
    (one) => !coverages.some((other) => other !== one && other.from > one.until),
  )
  const days = limiting.length > 0 ? limiting.map((coverage) => coverage.until) : declared
  return days.length === 0 ? null : days.reduce(earlierDay)
}

/**
 * The first day from which the outcome's events are known: before its sources began nothing happened only because
 * nobody wrote it down. Null where that cannot be told: a source of outcome events alone may cover more than its rows.
 */
export function knownFrom(program: Program, state: LakeState, { kind, eventTypes }: Outcome): Day | null {
  const begins: Day[] = []
  for (const { key } of program.sources.events) {
    const parts = Object.entries(state.sources.get(key)?.spans ?? {})
    if (!parts.some(([type]) => eventTypes.includes(type))) continue
    if (kind === 'event' && parts.every(([type]) => eventTypes.includes(type))) return null
    begins.push(...parts.map(([, { firstDay }]) => firstDay))
  }
  return earliestDay(begins)
}
