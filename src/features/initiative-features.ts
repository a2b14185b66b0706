import { quoteText } from '../lake/database.ts'
import type { Catalogue, FeatureColumn } from './catalogue.ts'

/** Long aggregates: one row a spine row and initiative. */
export function initiativeAggregates({
  interventions,
  spine,
}: {
  interventions: string
  spine: string
}): string {
  return `
    select
      row,
      initiative,
      arg_max(arm, ("at", row_id)) as arm,
      max(day) as last_day
    from ${spine} as spine
    join ${interventions} as interventions
      using (customer_id)
    where day <= cutoff
    group by row, initiative`
}

/** The arm a customer is in, so that treated customers do not teach that risk is harmless. */
export function initiativeColumns(catalogue: Catalogue): FeatureColumn[] {
  return catalogue.initiatives.flatMap((initiative): FeatureColumn[] => {
    const is = `filter (where initiative = ${quoteText(initiative)})`
    const base = { windowDays: null, origin: initiative }
    return [
      {
        feature: {
          ...base,
          name: `initiative_${initiative}`,
          kind: 'category',
          unit: 'arm',
          words: `arm of ${initiative}`,
        },
        sql: `max(arm) ${is}`,
      },
      {
        feature: {
          ...base,
          name: `initiative_${initiative}_days_since`,
          kind: 'number',
          unit: 'days',
          words: `days since ${initiative}`,
        },
        sql: `any_value(spine_cutoff) - max(last_day) ${is}`,
      },
    ]
  })
}
