import type { Day } from '../domain/days.ts'
import type { Program } from '../domain/program.ts'
import { type FeatureFrame, lakeRelations, makeDaySpine, readFeatures } from '../features/features.ts'
import type { KeptEvents } from '../features/kept-events.ts'
import type { Database } from '../lake/database.ts'
import type { Lake } from '../lake/lake.ts'
import type { Predictor } from '../model/predictor.ts'
import { bucketGroups } from './day-run/plan.ts'

/** More would make drivers steadier; exact ones take two walks through all behaviours for each. */
const othersCompared = 64

export interface ComparedRequest {
  readonly program: Program
  readonly lake: Lake
  readonly predictor: Predictor
  readonly date: Day
  /** Buckets that they are drawn from. Default: those that a daily run reads together first. */
  readonly buckets?: readonly number[]
  /** What is kept of the events of these buckets at the end of the day. Absent: all are read. */
  readonly kept?: KeptEvents
}

/**
 * Features of those whom drivers compare everybody of a day with: drawn by hash from everybody at risk, so that the
 * daily run and an exact explanation of the same day mean the same people. Customers fall into buckets by hash, so that
 * those of the first ones that are read together do for all.
 */
export async function readCompared(
  database: Database,
  { program, lake, predictor, date, buckets = bucketGroups(lake.state)[0], kept }: ComparedRequest,
): Promise<FeatureFrame> {
  const { catalogue, parts } = predictor
  const own = lakeRelations(lake, { buckets, excluded: new Set(parts.excluded) })
  const relations = kept === undefined ? own : { ...own, kept }
  await makeDaySpine(database, 'everybody_compared', { program, relations, date })
  await database.run(`
    create or replace temp table compared_spine as
    select (row_number() over (order by row) - 1)::integer as row, customer_id, cutoff, joined
    from (
      select *
      from everybody_compared
      order by md5_number_upper(customer_id), customer_id
      limit ${othersCompared}
    )`)
  return readFeatures(database, { program, lake, catalogue, relations, spine: 'compared_spine' })
}
