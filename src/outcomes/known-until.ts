import type { Day } from '../domain/days.ts'
import type { Outcome, Program } from '../domain/program.ts'
import { earliestDay } from '../features/data-begins.ts'
import type { LakeState } from '../lake/commits.ts'

interface Coverage {
  readonly from: Day
  readonly until: Day
}

/**
 * The last day up to which all events of these types are known: what the sources of each type cover, by declaration or
 * by their last row. A source that ended before another of the same type began was continued by it and does not limit.
 *
 * Null where no source ever supplied any of the types and none declares its coverage.
 */
export function knownUntil(program: Program, state: LakeState, eventTypes: readonly string[]): Day | null {
  const ends = eventTypes.flatMap((type) => {
    const coverages = coveragesOf(program, state, type)
    return coverages
      .filter(({ until }) => !coverages.some(({ from }) => from > until))
      .map(({ until }) => until)
  })
  const declared = program.sources.events.flatMap(({ coversUntil }) => coversUntil ?? [])
  return earliestDay(ends.length > 0 ? ends : declared)
}

/** What each source that ever supplied a type covers. */
function coveragesOf(program: Program, state: LakeState, type: string): Coverage[] {
  return program.sources.events.flatMap(({ key, coversUntil }) => {
    const spans = state.sources.get(key)?.spans ?? {}
    if (!Object.hasOwn(spans, type)) return []
    const days = Object.values(spans)
    const last = days.reduce((latest, { lastDay }) => (lastDay > latest ? lastDay : latest), '')
    return { from: earliestDay(days.map(({ firstDay }) => firstDay)) as Day, until: coversUntil ?? last }
  })
}

/**
 * The first day from which the outcome's events are known: before its sources began nothing happened only because
 * nobody wrote it down. Null where that cannot be told: a source of outcome events alone may cover more than its rows.
 */
export function knownFrom(program: Program, state: LakeState, { kind, eventTypes }: Outcome): Day | null {
  const happening = program.outcomes.flatMap((outcome) =>
    outcome.kind === 'event' ? outcome.eventTypes : [],
  )
  const begins: Day[] = []
  for (const { key } of program.sources.events) {
    const parts = Object.entries(state.sources.get(key)?.spans ?? {})
    if (!parts.some(([type]) => eventTypes.includes(type))) continue
    if (kind === 'event' && parts.every(([type]) => happening.includes(type))) return null
    begins.push(...parts.map(([, { firstDay }]) => firstDay))
  }
  return earliestDay(begins)
}
