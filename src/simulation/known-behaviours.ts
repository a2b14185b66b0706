import type { Day } from '../domain/days.ts'
import { buildCatalogue } from '../features/build-catalogue.ts'
import { lakeRelations } from '../features/relations.ts'
import { type BehaviourEffects, measureBehaviour } from '../impact/behaviour-effects.ts'
import type { Database } from '../lake/database.ts'
import type { Asked } from './question.ts'

/** Days with events that are compared, at most. */
const mostExposed = 4000

export interface BehaviourQuestion {
  readonly asked: Asked
  readonly types: readonly string[]
  /** Days that a change is in force. */
  readonly windowDays: number
  /** Nothing after this day is known. */
  readonly date: Day
  readonly seed: number
}

/** Why nothing can tell what events of some types do; null: days with and without can be compared. */
export function notComparable({ program }: Asked, types: readonly string[]): string | null {
  const outcome = program.outcomes.find(({ eventTypes }) => types.some((type) => eventTypes.includes(type)))
  return outcome ? `the outcome ${outcome.name} is made of such events` : null
}

/**
 * What events of some types do, as known when the version that serves was trained, or on the day where that is earlier:
 * measured once, and kept with what else is known of the version.
 */
export function recallBehaviour(
  database: Database,
  { asked, types, windowDays, date, seed }: BehaviourQuestion,
): Promise<BehaviourEffects> {
  const { program, lake, predictor, trainedAsOf, keep = (_, make) => make() } = asked
  const asOf = trainedAsOf && trainedAsOf < date ? trainedAsOf : date
  const name = JSON.stringify(['behaviour', [...types].sort(), windowDays, seed, mostExposed])
  return keep({ name, mark: asOf }, async () => {
    const excluded = new Set(predictor.parts.excluded)
    const catalogue = await buildCatalogue(database, { program, lake, asOf, excluded })
    const horizonDays = program.horizonsDays[program.horizonsDays.length - 1]
    const relations = lakeRelations(lake, { excluded })
    return measureBehaviour(database, {
      ...{ program, lake, relations, catalogue, types, windowDays, horizonDays, asOf, seed, mostExposed },
    })
  })
}
