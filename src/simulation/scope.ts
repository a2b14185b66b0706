import { join } from 'node:path'
import { usageError } from '../domain/errors.ts'
import { type BehaviourRelations, lakeRelations, makeSpine, readFeatures } from '../features/features.ts'
import { selectAtRisk } from '../features/population.ts'
import type { PredictionDay } from '../lake/commits.ts'
import { type Database, quoteText } from '../lake/database.ts'
import { bucketSql } from '../lake/lake.ts'
import { columnOrNull, openPredictions, type PredictionFile, rowsOf } from '../lake/read-predictions.ts'
import { copyRows, mostAtOnce } from './copied-rows.ts'
import { type Asked, fieldsOf } from './question.ts'
import type { Condition, Population } from './scenario.ts'

/**
 * The customers whom a scenario is about, in the table `scope` (row, customer_id, cutoff, joined); they, and behind them
 * some others to compare with, in `studied` (row, customer_id, cutoff, joined, bucket, part).
 */
export interface Scope {
  /** How many there are. */
  readonly customers: number
  /** How many of them stand for all, and are in the table. */
  readonly sampled: number
  /** Segment of the day's predictions of each sampled customer. */
  readonly segment: readonly (string | null)[]
  readonly customerId: readonly string[]
  /** Rows of those studied up to the day: copied where they are few, else the lake's own. */
  readonly relations: BehaviourRelations
  /** Parts that are looked at one after the other, so that memory does not grow with the population. */
  readonly parts: number
}

export interface ScopeRequest {
  readonly asked: Asked
  readonly relations: BehaviourRelations
  readonly day: PredictionDay
  readonly population: Population
  /** Most customers that are looked at; null: all. */
  readonly most: number | null
  /** Customers who are looked at at once; more are looked at in parts. @default 15000 */
  readonly atOnce?: number
  readonly seed: number
}

/** Customers that others are compared with to see whether they look like any. */
const referenceCustomers = 2000
/** A sample is spread evenly over so many times as many, where there are. */
const poolPerCustomer = 3

/**
 * Finds the population among everybody who was predicted on the day and draws a sample of it, evenly over segments and
 * forecasts. The rows of the lake are read only of those who are drawn; who of them is no longer at risk by what has come
 * in since is left out.
 *
 * **Errors** `empty-population` where nobody fits.
 */
export async function findScope(database: Database, request: ScopeRequest): Promise<Scope> {
  const { asked, day, population, most } = request
  const file = await openPredictions(database, join(asked.lake.folder, day.path))
  await database.run(`
    create or replace temp table members as
    select customer_id, segment, ${forecastColumn(asked, file)} as forecast, ${bucketSql(asked.lake.state.buckets)} as bucket
    from ${rowsOf(file)} as predictions
    where ${await selectPopulation(database, request, file)}`)
  const { members } = await database.row<{ members: number }>('select count(*) as members from members')
  if (members === 0) throw nobody(population, day)
  const kept = most === null ? members : Math.min(most, members)
  const buckets = await drawBuckets(database, file, { ...request, kept })
  const candidates = await drawCandidates(database, file, { ...request, kept, buckets })
  const { atOnce = mostAtOnce } = request
  const isSplit = candidates > atOnce
  const excluded = new Set(asked.predictor.parts.excluded)
  const relations = isSplit
    ? request.relations
    : await copyRows(database, lakeRelations(asked.lake, { buckets, excluded }), {
        customers: 'candidates',
        date: day.date,
      })
  await database.run(`
    create or replace temp table at_risk as
    ${selectAtRisk({ program: asked.program, relations, candidates: `select customer_id, date ${quoteText(day.date)} as cutoff from candidates` })}`)
  await numberStudied(database, isSplit ? asked.lake.state.buckets : 1, atOnce)
  const found = await database.columns('select customer_id, segment from scope order by row')
  const customerId = found.customer_id as string[]
  const sampled = customerId.length
  if (sampled === 0) throw nobody(population, day)
  const { parts } = await database.row<{ parts: number }>('select max(part) + 1 as parts from studied')
  return {
    ...{ sampled, customerId, relations, parts },
    customers: Math.round((members * sampled) / kept),
    segment: found.segment as (string | null)[],
  }
}

/**
 * Buckets of the lake with enough of the table `members`, and of others to compare with, in the order that the seed
 * gives. Which bucket a customer is in is chance: those of some are as good as drawn from all, and the rows of the
 * others need not be read.
 */
async function drawBuckets(
  database: Database,
  file: PredictionFile,
  { asked, population, kept, seed }: ScopeRequest & { kept: number },
): Promise<number[]> {
  const bucket = bucketSql(asked.lake.state.buckets)
  const found = await database.rows<{ bucket: number; members: number; customers: number }>(`
    select bucket, coalesce(members, 0) as members, customers
    from (select ${bucket} as bucket, count(*) as customers from ${rowsOf(file)} group by 1)
    left join (select bucket, count(*) as members from members group by bucket) using (bucket)
    order by md5_number_upper(bucket || ' ${seed}')`)
  const drawn: number[] = []
  const missing = {
    members: kept * poolPerCustomer,
    customers: population.kind === 'all' ? 0 : kept + referenceCustomers,
  }
  for (const { bucket, members, customers } of found) {
    if (missing.members <= 0 && missing.customers <= 0) break
    drawn.push(bucket)
    missing.members -= members
    missing.customers -= customers
  }
  return drawn
}

/** Puts those who stand for all, and others to compare with, into the table `candidates`. Returns how many they are. */
async function drawCandidates(
  database: Database,
  file: PredictionFile,
  { asked, population, kept, buckets, seed }: ScopeRequest & { kept: number; buckets: readonly number[] },
): Promise<number> {
  const others = population.kind === 'all' ? 0 : referenceCustomers
  await database.run(`delete from members where bucket not in (${buckets.join(', ')})`)
  const { members } = await database.row<{ members: number }>('select count(*) as members from members')
  await database.run(`
    create or replace temp table candidates as
    with picked as (
      select customer_id, segment
      from (
        select *, row_number() over (
          order by segment nulls last, round(forecast, 2), md5_number_upper(customer_id || ' ${seed}'), customer_id
        ) as place
        from members
      )
      where (place * ${kept}) // ${members} > ((place - 1) * ${kept}) // ${members}
    ),
    others as (
      select customer_id, md5_number_upper(customer_id || ' reference ${seed}') as draw
      from ${rowsOf(file)}
      where customer_id not in (select customer_id from picked) and ${bucketSql(asked.lake.state.buckets)} in (${buckets.join(', ')})
      order by draw
      limit ${others}
    )
    select customer_id, segment, null as draw from picked
    union all
    select customer_id, null, draw from others`)
  return (await database.row<{ rows: number }>('select count(*) as rows from candidates')).rows
}

/** Numbers those at risk in the tables `scope` and `studied`, and says which part each belongs to. */
async function numberStudied(database: Database, buckets: number, atOnce: number): Promise<void> {
  await database.run(`
    create or replace temp table scope as
    select (row_number() over (order by customer_id) - 1)::integer as row, customer_id, cutoff, joined, segment
    from candidates
    join at_risk using (customer_id)
    where draw is null`)
  await database.run(`
    create or replace temp table studied as
    with numbered as (
      select row, customer_id, cutoff, joined from scope
      union all
      select
        ((select count(*) from scope) + row_number() over (order by draw) - 1)::integer as row,
        customer_id,
        cutoff,
        joined
      from candidates
      join at_risk using (customer_id)
      where draw is not null
    ),
    placed as (
      select
        *,
        ${bucketSql(buckets)} as bucket,
        row_number() over (partition by bucket order by row) - 1 as place
      from numbered
    )
    select
      * exclude (place),
      (dense_rank() over (order by bucket, place // ${atOnce}) - 1)::integer as part
    from placed`)
}

/** What the sample is spread over evenly within segments. */
function forecastColumn({ program }: Asked, file: PredictionFile): string {
  const longest = program.horizonsDays[program.horizonsDays.length - 1]
  const column = program.outcomes[0] ? `${program.outcomes[0].name}_${longest}` : 'nps_score'
  return columnOrNull(file, column, 'double')
}

async function selectPopulation(
  database: Database,
  request: ScopeRequest,
  file: PredictionFile,
): Promise<string> {
  const { asked, population } = request
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
      const who =
        onFeatures.length > 0
          ? [await customersThatFit(database, request, { conditions: onFeatures, file })]
          : []
      return [...conditions.filter((sql) => sql !== null), ...who].join(' and ')
    }
  }
}

/** Customers of the day whose features fit, as SQL. Attributes are features, too. */
async function customersThatFit(
  database: Database,
  { asked, relations, day }: Pick<ScopeRequest, 'asked' | 'relations' | 'day'>,
  { conditions, file }: { conditions: readonly Condition[]; file: PredictionFile },
): Promise<string> {
  const { program, lake, predictor } = asked
  const wanted = new Set(conditions.map(({ field }) => field))
  const candidates = `select customer_id, date ${quoteText(day.date)} as cutoff from ${rowsOf(file)}`
  // Only the days since joining need it; who joined when is dear to find for everybody.
  const joined = wanted.has('tenure_days')
    ? selectAtRisk({ program, relations, candidates })
    : `select *, null::date as joined from (${candidates})`
  await makeSpine(database, 'day_spine', joined)
  const frame = await readFeatures(database, {
    ...{ program, lake, catalogue: predictor.catalogue, relations, spine: 'day_spine' },
    isWanted: ({ name }) => wanted.has(name),
  })
  const columns = conditions.map(
    ({ field }) => frame.columns[frame.features.findIndex(({ name }) => name === field)],
  )
  const fitting: number[] = []
  for (let row = 0; row < frame.rows; row++)
    if (conditions.every((condition, index) => fits(columns[index][row], condition))) fitting.push(row)
  return `customer_id in (
    select customer_id from day_spine where row in (select unnest([${fitting.join(', ')}]::integer[]))
  )`
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

function nobody(population: Population, { rows, date }: PredictionDay): Error {
  const who = {
    all: 'Nobody is at risk',
    segment: `Nobody is in the segment ${population.kind === 'segment' ? population.segment : ''}`,
    where: 'Nobody fits all conditions of population.where',
    customer: `${population.kind === 'customer' ? population.customerId : ''} is no customer at risk`,
  }[population.kind]
  return usageError(
    'empty-population',
    `${who} on ${date}, of ${rows} customers at risk. Ask of others, or of {} for all of them.`,
  )
}
