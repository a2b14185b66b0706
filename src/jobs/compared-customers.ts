import { type FeatureFrame, type FeatureRequest, readFeatures } from '../features/features.ts'
import type { Database } from '../lake/database.ts'

/** More would make drivers steadier; exact ones take two walks through all behaviours for each. */
const othersCompared = 64

/**
 * Features of those of a day whom drivers compare everybody with: drawn by hash from everybody at risk, so that the
 * daily run and an exact explanation of the same day mean the same people.
 *
 * @param request its spine is that of the day
 */
export async function readCompared(database: Database, request: FeatureRequest): Promise<FeatureFrame> {
  await database.run(`
    create or replace temp table compared_spine as
    select (row_number() over (order by md5_number_upper(customer_id), customer_id) - 1)::integer as row,
      customer_id, cutoff, joined
    from ${request.spine}
    qualify row < ${othersCompared}`)
  return readFeatures(database, { ...request, spine: 'compared_spine' })
}
