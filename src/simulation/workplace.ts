import type { Day } from '../domain/days.ts'
import { type BehaviourRelations, lakeRelations } from '../features/relations.ts'
import type { PredictionDay } from '../lake/commits.ts'
import type { Database } from '../lake/database.ts'
import { findPredictionDay } from '../lake/prediction-days.ts'
import type { ModelCard } from '../model/model-cards.ts'
import { type OpenedPopulation, openPopulation } from './evaluation.ts'
import { type Asked, refuseUnknown } from './question.ts'
import type { Scenario } from './scenario.ts'
import { findScope, type Scope } from './scope.ts'

export interface ScenarioRequest {
  readonly asked: Asked
  readonly card: ModelCard | null
  readonly scenario: Scenario
  /** Most customers that are looked at; null: the whole population. */
  readonly most: number | null
  /** Customers who are looked at at once; more are looked at in parts. @default 15000 */
  readonly atOnce?: number
  readonly seed: number
  readonly onDraw: (done: number, total: number) => void
}

/** A scenario's population, found and checked. */
export interface Setting extends ScenarioRequest {
  readonly relations: BehaviourRelations
  readonly scope: Scope
  readonly day: PredictionDay
  readonly date: Day
}

/** What was made for a question, as long as the same is asked of the same lake and version. */
interface Kept<T> {
  readonly asked: Asked
  readonly key: string
  readonly value: T
}

/** A database and the population that was found and opened on it last: asking about the same again reads nothing anew. */
export class Workplace {
  readonly database: Database
  #found: Kept<Pick<Setting, 'relations' | 'scope' | 'day' | 'date'>> | null = null
  #opened: Kept<OpenedPopulation> | null = null

  constructor(database: Database) {
    this.database = database
  }

  /** The database for work that finds a population of its own: the one that was open is forgotten. */
  free(): Database {
    this.#found = null
    this.#opened = null
    return this.database
  }

  /** Checks a scenario and finds its population. **Errors** `scenario`, `no-predictions`, `empty-population`. */
  async find(request: ScenarioRequest): Promise<Setting> {
    const { asked, scenario, most, atOnce, seed } = request
    const day = findPredictionDay(asked.lake, scenario.date)
    await refuseUnknown(this.database, asked, scenario)
    const { population } = scenario
    const key = JSON.stringify([day.path, population, most, atOnce, seed])
    if (isSame(this.#found, asked, key)) return { ...request, ...this.#found.value }
    this.free()
    const relations = lakeRelations(asked.lake, { excluded: new Set(asked.predictor.parts.excluded) })
    const scope = await findScope(this.database, {
      ...{ asked, relations, day, population, most, seed },
      ...(atOnce !== undefined && { atOnce }),
    })
    const value = { relations, scope, day, date: day.date }
    this.#found = { asked, key, value }
    return { ...request, ...value }
  }

  /** Finds a population and forecasts it as it is. **Errors** those of {@link find}. */
  async open(request: ScenarioRequest): Promise<{ setting: Setting; opened: OpenedPopulation }> {
    const setting = await this.find(request)
    const { asked, relations } = setting
    const { inForceDays } = request.scenario
    const key = String(inForceDays)
    if (isSame(this.#opened, asked, key)) return { setting, opened: this.#opened.value }
    this.#opened = null
    const opened = await openPopulation(this.database, relations, { ...setting, inForceDays })
    this.#opened = { asked, key, value: opened }
    return { setting, opened }
  }
}

function isSame<T>(kept: Kept<T> | null, { lake, predictor }: Asked, key: string): kept is Kept<T> {
  return kept?.key === key && kept.asked.lake.state === lake.state && kept.asked.predictor === predictor
}
