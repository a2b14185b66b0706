import { type FeatureFrame, type FeatureRequest, readFeatures } from '../features/features.ts'
import type { Database } from '../lake/database.ts'

/** More would make drivers steadier; exact ones take two walks through all behaviours for each. */
const othersCompared = 64
/** Customers whose features are held in memory at once. Those whom drivers compare with are among the first of them. */
export const rowsAtOnce = 150_000

/**
 * Those of a day whom drivers compare everybody with: drawn by hash from everybody at risk, so that the daily run and
 * an exact explanation of the same day mean the same people. @returns their rows in the spine, ascending.
 */
export async function drawCompared(database: Database, spine: string): Promise<Int32Array> {
  const drawn = (await database.columns(`
    select row
    from ${spine}
    where row < ${rowsAtOnce}
    order by md5_number_upper(customer_id), customer_id
    limit ${othersCompared}`)) as Record<string, ArrayLike<number>>
  return Int32Array.from(drawn.row).sort()
}

/** Features of those whom drivers compare with. @param request its spine is that of the day */
export async function readCompared(database: Database, request: FeatureRequest): Promise<FeatureFrame> {
  const rows = await drawCompared(database, request.spine)
  await database.run(`
    create or replace temp table compared_spine as
    select (row_number() over (order by row) - 1)::integer as row, customer_id, cutoff, joined
    from ${request.spine}
    where row in (${rows.join(', ')})`)
  return readFeatures(database, { ...request, spine: 'compared_spine' })
}
