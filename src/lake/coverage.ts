import type { Day } from '../domain/days.ts'
import type { Program } from '../domain/program.ts'
import type { LakeState } from './commits.ts'

/** The last day with any dated row, or declared as covered: what `train` without a day is trained as of. */
export function lastDayWithData(program: Program, state: LakeState): Day | null {
  const days = [...state.sources.values()].flatMap((reading) =>
    Object.values(reading.spans).map((span) => span.lastDay),
  )
  for (const { coversUntil } of Object.values(program.sources).flat())
    if (coversUntil !== null) days.push(coversUntil)
  return days.length === 0 ? null : days.reduce((last, day) => (day > last ? day : last))
}
