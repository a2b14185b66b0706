import type { Day } from '../domain/days.ts'
import { type LoyalcastError, usageError } from '../domain/errors.ts'
import { type PredictionColumn, predictionColumns } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import { nearest, show } from '../domain/program-problems.ts'
import { tableShapes } from '../domain/tables.ts'
import { partsBegin } from '../features/data-begins.ts'
import { listFeatures } from '../features/features.ts'
import { lakeRelations } from '../features/relations.ts'
import type { ColumnKind } from '../lake/commits.ts'
import { type Database, quoteName } from '../lake/database.ts'
import { extraColumns, type Lake } from '../lake/lake.ts'
import type { Predictor } from '../model/predictor.ts'
import type { Forecaster } from './forecast.ts'
import type { AttributeEdit, Condition, EventEdit, Scenario } from './scenario.ts'

/** What something that was measured goes by. */
export interface MeasuredName {
  readonly name: string
  /** What it was measured from: with another mark it is measured anew, and the older one is forgotten. */
  readonly mark: string
}

/** What a scenario is asked of. */
export interface Asked {
  readonly program: Program
  readonly lake: Lake
  readonly predictor: Predictor
  /** Where forecasts are made. Default: in this thread. */
  readonly forecaster?: Forecaster
  /** Gives what was measured before for the version, also by another process. Default: everything is measured anew. */
  readonly keep?: <T>(name: MeasuredName, make: () => Promise<T>) => Promise<T>
  /** The last day that the version learned from; null: not known. */
  readonly trainedAsOf?: Day | null
}

/**
 * Refuses what the data do not know: event types, properties, attributes and their values, fields of conditions.
 *
 * **Errors** `scenario`, each naming what is allowed.
 */
export async function refuseUnknown(
  database: Database,
  asked: Asked,
  scenario: Pick<Scenario, 'changes' | 'population'>,
): Promise<void> {
  for (const [place, change] of scenario.changes.entries()) {
    const at = `changes[${place}]`
    if (change.kind === 'events') refuseUnknownEvents(asked, change, at)
    else if (change.kind === 'attribute') await refuseUnknownValue(database, asked, { change, at })
    else requireKnown(change.initiative, initiativesOf(asked), `${at}.initiative`)
  }
  const { population } = scenario
  if (population.kind !== 'where') return
  const fields = fieldsOf(asked)
  for (const [place, condition] of population.where.entries()) {
    const at = `population.where[${place}]`
    requireKnown(condition.field, [...fields.keys()], `${at}.field`)
    refuseWrongKind(fields.get(condition.field) as PredictionColumn | 'feature', condition, at)
  }
}

/** A number is compared with numbers, and a text is neither above nor below anything. */
function refuseWrongKind(
  column: PredictionColumn | 'feature',
  { is, in: among = [], above, below }: Condition,
  at: string,
): void {
  if (column === 'feature') return
  const values = [...(is === undefined ? [] : [is]), ...among]
  const wrong = column.type === 'double' ? values.find((value) => typeof value !== 'number') : undefined
  if (wrong !== undefined)
    throw refused(at, `found ${show(wrong)}; allowed: a number, as ${column.name} is one.`)
  if (column.type !== 'double' && (above ?? below) !== undefined)
    throw refused(at, `${column.name} is no number: it has is and in, not above or below.`)
}

/** Where a condition finds its field: a prediction column, or a feature (attributes are features). */
export function fieldsOf({ program, predictor }: Asked): ReadonlyMap<string, PredictionColumn | 'feature'> {
  const features = listFeatures(predictor.catalogue, program).map(({ name }) => [name, 'feature'] as const)
  const columns = predictionColumns(program).map((column) => [column.name, column] as const)
  return new Map<string, PredictionColumn | 'feature'>([...features, ...columns])
}

/** Initiatives that there are rows of. */
export function initiativesOf({ lake }: Asked): string[] {
  return [...partsBegin(lake.state, 'interventions').keys()].sort()
}

function refuseUnknownEvents({ lake }: Asked, change: EventEdit, at: string): void {
  const known = [...partsBegin(lake.state, 'events').keys()].sort()
  for (const type of change.types) requireKnown(type, known, `${at}.events`)
  const property = change.amount?.property ?? null
  if (property === null) return
  const numbers = [...extraColumns(lake.state, 'events')].filter(([, kind]) => kind === 'number')
  requireKnown(
    property,
    numbers.map(([name]) => name),
    `${at}.property`,
  )
}

async function refuseUnknownValue(
  database: Database,
  { lake, program }: Asked,
  { change, at }: { change: AttributeEdit; at: string },
): Promise<void> {
  const kinds = new Map<string, ColumnKind>([
    ...extraColumns(lake.state, 'customers'),
    ['annual_value', 'number'],
  ])
  requireKnown(change.attribute, [...kinds.keys()].sort(), `${at}.attribute`)
  const kind = kinds.get(change.attribute) as ColumnKind
  const column = quoteName(
    change.attribute === 'annual_value'
      ? 'annual_value'
      : tableShapes.customers.extraPrefix + change.attribute,
  )
  const { customers } = lakeRelations(lake)
  const place = `${at}.set`
  if (kind === 'time') throw refused(place, `${change.attribute} is a time, which cannot be set.`)
  if (kind === 'number') {
    const { low, high } = await database.row<{ low: number | null; high: number | null }>(
      `select min(${column}) as low, max(${column}) as high from ${customers}`,
    )
    const isSeen =
      typeof change.value === 'number' && low !== null && change.value >= low && change.value <= Number(high)
    if (!isSeen)
      throw refused(
        place,
        `found ${show(change.value)}; allowed: a number from ${low} to ${high}, as ${program.name} has seen of ${change.attribute}.`,
      )
    return
  }
  const seen = await database.rows<{ value: string }>(
    `select ${column}::varchar as value from ${customers} where ${column} is not null group by 1 order by count(*) desc, 1 limit 200`,
  )
  requireKnown(
    String(change.value),
    seen.map(({ value }) => value),
    place,
  )
}

/** **Errors** `scenario`, with the known names and the nearest. */
export function requireKnown(found: string, known: readonly string[], place: string): void {
  if (known.includes(found)) return
  const near = nearest(found, known)
  const shown = known.slice(0, 40).join(', ') + (known.length > 40 ? ', …' : '')
  throw refused(
    place,
    `found ${show(found)}.${near === null ? '' : ` Did you mean ${near}?`} Allowed: ${shown || 'nothing, as the data have none'}.`,
  )
}

function refused(place: string, words: string): LoyalcastError {
  return usageError('scenario', `The scenario cannot be used:\n- ${place}: ${words}`)
}
