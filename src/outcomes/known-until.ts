import type { Day } from '../domain/days.ts'
import { apiSourceKey, type Outcome, type Program, type Source } from '../domain/program.ts'
import { earliestDay } from '../features/data-begins.ts'
import type { LakeState } from '../lake/commits.ts'

interface Coverage {
  readonly from: Day
  readonly until: Day
  /** Through the API. */
  readonly isSent: boolean
}

/**
 * The last day up to which all events of these types are known: what the sources of each type cover, by declaration or
 * by their last row. A source that ended before another of the same type began was continued by it and does not limit.
 * Rows sent through the API may come late and are often of few customers: they only tell where nothing else does, or
 * what else there was ended before they began.
 *
 * Null where no source ever supplied any of the types and none declares its coverage.
 */
export function knownUntil(program: Program, state: LakeState, eventTypes: readonly string[]): Day | null {
  const ends = eventTypes.flatMap((type) => {
    const coverages = coveragesOf(program, state, type)
    const open = coverages.filter(({ until }) => !coverages.some(({ from }) => from > until))
    const read = open.filter(({ isSent }) => !isSent)
    return (read.length > 0 ? read : open).map(({ until }) => until)
  })
  const declared = program.sources.events.flatMap(({ coversUntil }) => coversUntil ?? [])
  return earliestDay(ends.length > 0 ? ends : declared)
}

/** What each source that ever supplied a type covers. */
function coveragesOf(program: Program, state: LakeState, type: string): Coverage[] {
  return eventSources(program).flatMap(({ key, coversUntil }) => {
    const spans = state.sources.get(key)?.spans ?? {}
    if (!Object.hasOwn(spans, type)) return []
    const days = Object.values(spans)
    const last = days.reduce((latest, { lastDay }) => (lastDay > latest ? lastDay : latest), '')
    const from = earliestDay(days.map(({ firstDay }) => firstDay)) as Day
    return { from, until: coversUntil ?? last, isSent: key === sentEvents.key }
  })
}

const sentEvents = { key: apiSourceKey('events'), coversUntil: null }

/** Those of the program file and what was sent through the API. */
function eventSources({ sources }: Program): readonly Pick<Source, 'key' | 'coversUntil'>[] {
  return [...sources.events, sentEvents]
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
  for (const { key } of eventSources(program)) {
    const parts = Object.entries(state.sources.get(key)?.spans ?? {})
    if (!parts.some(([type]) => eventTypes.includes(type))) continue
    if (kind === 'event' && parts.every(([type]) => happening.includes(type))) return null
    begins.push(...parts.map(([, { firstDay }]) => firstDay))
  }
  return earliestDay(begins)
}
