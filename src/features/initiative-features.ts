import { quoteText } from '../lake/database.ts'
import type { Catalogue, FeatureColumn, FeatureGroup } from './catalogue.ts'

/** The arm a customer is in, so that treated customers do not teach that risk is harmless. */
export function initiativeGroup(
  catalogue: Catalogue,
  { interventions, spine }: { interventions: string; spine: string },
): FeatureGroup {
  const { initiatives } = catalogue
  if (initiatives.length === 0) return { reads: 'interventions', tables: {}, parts: [] }
  return {
    reads: 'interventions',
    tables: { latest_arms: latestArms({ interventions, spine }) },
    parts: initiatives.map((name) => ({
      join: { alias: 'latest', relation: `(from latest_arms where initiative = ${quoteText(name)})` },
      columns: initiativeColumns(name),
    })),
  }
}

/** Long aggregates: one row a spine row and initiative. */
function latestArms({ interventions, spine }: { interventions: string; spine: string }): string {
  return `
    select
      row,
      initiative,
      arg_max(arm, epoch_us("at")::hugeint * 18446744073709551616 + row_id) as arm,
      max(day) as last_day
    from ${spine} as spine
    join ${interventions} as interventions using (customer_id)
    where day <= cutoff
    group by row, initiative`
}

function initiativeColumns(initiative: string): FeatureColumn[] {
  const name = `initiative_${initiative}`
  const base = { windowDays: null, origin: initiative }
  return [
    {
      feature: { ...base, name, kind: 'category', unit: 'arm', words: `arm of ${initiative}` },
      sql: 'latest.arm',
    },
    {
      feature: {
        ...base,
        name: `${name}_days_since`,
        kind: 'number',
        unit: 'days',
        words: `days since ${initiative}`,
      },
      sql: 'spine.cutoff - latest.last_day',
    },
  ]
}
