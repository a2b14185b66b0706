import { join } from 'node:path'
import type { Day } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import { type BehaviourRelations, makeDaySpine, readFeatures } from '../features/features.ts'
import type { PredictionDay } from '../lake/commits.ts'
import { type Database, quoteText } from '../lake/database.ts'
import { columnOrNull, openPredictions, type PredictionFile, rowsOf } from '../lake/read-predictions.ts'
import { type Asked, fieldsOf } from './question.ts'
import type { Condition, Population } from './scenario.ts'

/** The customers whom a scenario is about, in the table `scope` (row, customer_id, cutoff, joined). */
export interface Scope {
  /** How many there are. */
  readonly customers: number
  /** How many of them stand for all, and are in the table. */
  readonly sampled: number
  /** Segment of the day's predictions of each sampled customer. */
  readonly segment: readonly (string | null)[]
  readonly customerId: readonly string[]
}

export interface ScopeRequest {
  readonly asked: Asked
  readonly relations: BehaviourRelations
  readonly day: PredictionDay
  readonly population: Population
  /** Most customers that are looked at; null: all. */
  readonly most: number | null
  readonly seed: number
}

/**
 * Finds the population among everybody at risk on the day and draws a sample of it, evenly over segments and forecasts.
 *
 * **Errors** `empty-population` where nobody fits.
 */
export async function findScope(database: Database, request: ScopeRequest): Promise<Scope> {
  const { asked, relations, day, population, most, seed } = request
  const everybody = await makeDaySpine(database, 'day_spine', {
    program: asked.program,
    relations,
    date: day.date,
  })
  const file = await openPredictions(database, join(asked.lake.folder, day.path))
  await database.run(`
    create or replace temp table members as
    select day_spine.*, predictions.segment, ${forecastColumn(asked, file)} as forecast
    from day_spine
    left join ${rowsOf(file)} as predictions using (customer_id)
    where ${await selectPopulation(database, request, file)}`)
  const { customers } = await database.row<{ customers: number }>('select count(*) as customers from members')
  if (customers === 0) throw nobody(population, { everybody, date: day.date })
  const kept = most === null ? customers : Math.min(most, customers)
  await database.run(`
    create or replace temp table scope as
    select (row_number() over (order by customer_id) - 1)::integer as row, customer_id, cutoff, joined, segment
    from (
      select *, row_number() over (
        order by segment nulls last, round(forecast, 2), md5_number_upper(customer_id || ' ${seed}'), customer_id
      ) as place
      from members
    )
    where (place * ${kept}) // ${customers} > ((place - 1) * ${kept}) // ${customers}`)
  const found = await database.columns('select customer_id, segment from scope order by row')
  return {
    customers,
    sampled: kept,
    segment: found.segment as (string | null)[],
    customerId: found.customer_id as string[],
  }
}

/** What the sample is spread over evenly within segments. */
function forecastColumn({ program }: Asked, file: PredictionFile): string {
  const longest = program.horizonsDays[program.horizonsDays.length - 1]
  const column = program.outcomes[0] ? `${program.outcomes[0].name}_${longest}` : 'nps_score'
  return columnOrNull(file, column, 'double')
}

async function selectPopulation(
  database: Database,
  { asked, relations, population }: ScopeRequest,
  file: PredictionFile,
): Promise<string> {
  switch (population.kind) {
    case 'all':
      return 'true'
    case 'segment':
      return `segment = ${quoteText(population.segment)}`
    case 'customer':
      return `customer_id = ${quoteText(population.customerId)}`
    case 'where': {
      const fields = fieldsOf(asked)
      const conditions = population.where.map((condition) => {
        const column = fields.get(condition.field)
        if (column === undefined || column === 'feature') return null
        const type = column.type === 'double' ? 'double' : 'varchar'
        return conditionSql(columnOrNull(file, column.name, type), condition)
      })
      const onFeatures = population.where.filter(({ field }) => fields.get(field) === 'feature')
      const rows =
        onFeatures.length > 0 ? [await rowsThatFit(database, { asked, relations }, onFeatures)] : []
      return [...conditions.filter((sql) => sql !== null), ...rows].join(' and ')
    }
  }
}

/** Rows of the day whose features fit, as SQL. Attributes are features, too. */
async function rowsThatFit(
  database: Database,
  { asked, relations }: Pick<ScopeRequest, 'asked' | 'relations'>,
  conditions: readonly Condition[],
): Promise<string> {
  const { program, lake, predictor } = asked
  const request = { program, lake, catalogue: predictor.catalogue, relations, spine: 'day_spine' }
  const frame = await readFeatures(database, request)
  const columns = conditions.map(
    ({ field }) => frame.columns[frame.features.findIndex(({ name }) => name === field)],
  )
  const fitting: number[] = []
  for (let row = 0; row < frame.rows; row++)
    if (conditions.every((condition, index) => fits(columns[index][row], condition))) fitting.push(row)
  return `row in (select unnest([${fitting.join(', ')}]::integer[]))`
}

function fits(value: string | number | null, condition: Condition): boolean {
  if (value === null || (typeof value === 'number' && Number.isNaN(value))) return false
  const equals = (wanted: string | number | boolean) =>
    typeof value === 'number' ? value === Number(wanted) : value === String(wanted)
  return (
    (condition.is === undefined || equals(condition.is)) &&
    (condition.in === undefined || condition.in.some(equals)) &&
    (condition.above === undefined || Number(value) > condition.above) &&
    (condition.below === undefined || Number(value) < condition.below)
  )
}

function conditionSql(column: string, condition: Condition): string {
  const literal = (value: string | number | boolean) =>
    typeof value === 'number' ? String(value) : quoteText(String(value))
  const tests = [
    condition.is === undefined ? null : `${column} = ${literal(condition.is)}`,
    condition.in === undefined ? null : `${column} in (${condition.in.map(literal).join(', ')})`,
    condition.above === undefined ? null : `${column} > ${condition.above}`,
    condition.below === undefined ? null : `${column} < ${condition.below}`,
  ]
  return `coalesce(${tests.filter((test) => test !== null).join(' and ')}, false)`
}

function nobody(population: Population, { everybody, date }: { everybody: number; date: Day }): Error {
  const who = {
    all: 'Nobody is at risk',
    segment: `Nobody is in the segment ${population.kind === 'segment' ? population.segment : ''}`,
    where: 'Nobody fits all conditions of population.where',
    customer: `${population.kind === 'customer' ? population.customerId : ''} is no customer at risk`,
  }[population.kind]
  return usageError(
    'empty-population',
    `${who} on ${date}, of ${everybody} customers at risk. Ask of others, or of {} for all of them.`,
  )
}
