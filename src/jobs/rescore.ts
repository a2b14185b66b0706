import { join } from 'node:path'
import { findInbox } from '../control/inbox.ts'
import { type Day, localDay } from '../domain/days.ts'
import { predictionColumns } from '../domain/prediction.ts'
import { apiSourceKey, type Program, type TableName, tableNames } from '../domain/program.ts'
import { type BehaviourRelations, lakeRelations, makeDaySpine, readFeatures } from '../features/features.ts'
import { readSegmentSignals } from '../features/segment-signals.ts'
import { readAnnualValues } from '../impact/annual-value.ts'
import { makeCustomerTables } from '../lake/customer-rows.ts'
import { type Database, quoteName } from '../lake/database.ts'
import type { Lake } from '../lake/lake.ts'
import { predictionDays } from '../lake/prediction-days.ts'
import type { PredictionRow } from '../lake/predictions.ts'
import { openPredictions, type PredictionFile, readLine, rowsOf } from '../lake/read-predictions.ts'
import { withScratchFolder } from '../lake/scratch.ts'
import { withScratchDatabase } from '../lake/scratch-database.ts'
import { type Compared, comparedCustomers } from '../model/drivers.ts'
import type { Predictor } from '../model/predictor.ts'
import { readCompared } from './compared-customers.ts'
import { dayConstants, predictionBatch, rowOf } from './day-run/prediction-batch.ts'
import type { Rescored } from './question-task.ts'
import type { WhatIfSession } from './what-if-session.ts'

export interface RescoreOptions {
  readonly session: WhatIfSession
  readonly dataFolder: string
  readonly scratchFolder: string
  readonly customerId: string
  /** Null: the last day that is known of the customer or was predicted. */
  readonly date: Day | null
  /** The clock, ISO 8601. */
  readonly now: string
}

/**
 * Scores one customer as the daily run would, had it ingested what was sent up to now. Nothing is kept. Null where
 * nobody knows the customer.
 */
export async function rescoreCustomer(program: Program, options: RescoreOptions): Promise<Rescored | null> {
  const { asked, version } = await options.session.current()
  const { lake, predictor } = asked
  const waiting = await readWaiting(program, lake, options)
  return withScratchFolder(options.scratchFolder, (scratchFolder) =>
    withScratchDatabase(scratchFolder, program, async (database) => {
      const whole = await makeCustomerTables(database, { ...options, program, lake, waiting, scratchFolder })
      const last = await lastDay(database)
      if (last === null) return null
      const published = await publishedFile(database, lake)
      const today = localDay(options.now, program.timezone)
      const known = [last.day ?? '', predictionDays(lake).at(-1) ?? ''].map((day) =>
        day > today ? today : day,
      )
      const date = options.date ?? ((known.sort().at(-1) as Day) || today)
      const work = { program, lake: whole, database, predictor, version, date, published }
      return {
        date,
        prediction: await predict(work, lake),
        published:
          published &&
          (await readLine(database, published, {
            columns: predictionColumns(program),
            customerId: options.customerId,
          })),
        waiting: Object.values(waiting).reduce((sum, lines) => sum + lines.length, 0),
      }
    }),
  )
}

/** What was sent about the customer and the lake does not have. */
async function readWaiting(
  program: Program,
  lake: Lake,
  { dataFolder, customerId }: RescoreOptions,
): Promise<Record<TableName, string[]>> {
  const inbox = await findInbox(dataFolder, program)
  try {
    const found = tableNames.map((table): [TableName, string[]] => {
      const read = lake.state.sources.get(apiSourceKey(table))?.inbox
      const after = read && read.id === inbox?.id ? read.sequence : 0
      return [table, inbox?.linesOf(table, { customerId, after }) ?? []]
    })
    return Object.fromEntries(found) as Record<TableName, string[]>
  } finally {
    inbox?.close()
  }
}

/** The last day of any row of the customer, null where none has a time; null where there is no row at all. */
async function lastDay(database: Database): Promise<{ readonly day: Day | null } | null> {
  const { rows, day } = await database.row<{ rows: number; day: string | null }>(`
    select count(*) as rows, max(day)::varchar as day
    from (
      select day from customer_events
      union all select day from customer_responses
      union all select day from customer_interventions
      union all select null::date from customer_customers
    )`)
  return rows === 0 ? null : { day }
}

async function publishedFile(database: Database, lake: Lake): Promise<PredictionFile | null> {
  const day = lake.state.predictions.get(predictionDays(lake).at(-1) ?? '')
  return day ? openPredictions(database, join(lake.folder, day.path)) : null
}

interface Work {
  readonly program: Program
  /** With the columns of what waits. */
  readonly lake: Lake
  readonly database: Database
  readonly predictor: Predictor
  readonly version: string
  readonly date: Day
  readonly published: PredictionFile | null
}

/** The customer's row of the day; null where the customer is not at risk. */
async function predict(work: Work, published: Lake): Promise<PredictionRow | null> {
  const { program, lake, database, predictor, version, date } = work
  const excluded = new Set(predictor.parts.excluded)
  const all = lakeRelations(published, { excluded })
  const isObserved = excluded.has('observed_until')
  const relations: BehaviourRelations = {
    ...all,
    events: 'customer_events',
    customers: isObserved
      ? '(select * replace (null::date as observed_until) from customer_customers)'
      : 'customer_customers',
    responses: 'customer_responses',
    interventions: 'customer_interventions',
  }
  const spine = 'customer_spine'
  if ((await makeDaySpine(database, spine, { program, relations, date })) === 0) return null
  const frame = await readFeatures(database, {
    program,
    lake,
    catalogue: predictor.catalogue,
    relations,
    spine,
  })
  const customers = (await database.columns(`select customer_id from ${spine}`)).customer_id as string[]
  const batch = predictionBatch({
    ...{ program, customers, frame, predictor },
    predictions: predictor.predict(frame, [0, ...program.horizonsDays]),
    compared: await comparedOf({ ...work, lake: published }),
    signals: await readSegmentSignals(database, { program, relations, spine }),
    annualValues: await readAnnualValues(database, { program, state: lake.state, relations, spine }),
  })
  const row = rowOf(batch, 0, dayConstants(program, { predictor, date, version }))
  return withSegment(work, row)
}

/** Whom drivers compare with on a day takes everybody's rows to find: kept as long as the predictor and the lake are. */
const kept = new WeakMap<Predictor, Map<string, Promise<Compared>>>()
const mostKept = 8

function comparedOf(work: Work): Promise<Compared> {
  const { predictor, lake, date } = work
  const known = kept.get(predictor) ?? new Map<string, Promise<Compared>>()
  kept.set(predictor, known)
  const key = `${lake.state.sequence} ${date}`
  const found = known.get(key)
  if (found) return found
  const [oldest] = known.keys()
  if (known.size >= mostKept) known.delete(oldest)
  const reading = readComparedOf(work)
  known.set(key, reading)
  reading.catch(() => known.delete(key))
  return reading
}

/** The same as the daily run draws. */
async function readComparedOf(work: Work): Promise<Compared> {
  return comparedCustomers(work.predictor, await readCompared(work.database, work))
}

/** An expansion promoter is one whose upsell lies in the top fifth: of those of the published day. */
async function withSegment(
  { program, database, published }: Work,
  { is_expanding: isExpanding, ...row }: PredictionRow,
): Promise<PredictionRow> {
  const column = `upsell_${program.horizonsDays[program.horizonsDays.length - 1]}`
  if (isExpanding !== 1 || !published?.columns.has(column)) return row
  const { lowest } = await database.row<{ lowest: number | null }>(
    `select quantile_cont(${quoteName(column)}, 0.8) as lowest from ${rowsOf(published)}`,
  )
  const isTop = lowest !== null && (row[column] as number) >= lowest
  return isTop ? { ...row, segment: 'expansion-promoters' } : row
}
