import type { Program } from '../domain/program.ts'
import { tableShapes } from '../domain/tables.ts'
import type { BehaviourRelations } from '../features/features.ts'
import type { LakeState } from '../lake/commits.ts'
import { type Database, quoteName, quoteText, quoteTexts } from '../lake/database.ts'
import { extraColumns } from '../lake/lake.ts'

/**
 * What each spine row's customer is worth in a year, in program currency, as known at the cutoff. NaN: not known.
 *
 * A sum over days that the data do not reach back for is not known; other spans are scaled to 365 days.
 */
export async function readAnnualValues(
  database: Database,
  options: { program: Program; state: LakeState; relations: BehaviourRelations; spine: string },
): Promise<Float64Array> {
  const { program, relations, spine, state } = options
  const definition = program.value.annualValue
  const { rows } = await database.row<{ rows: number }>(`select count(*) as rows from ${spine}`)
  if (definition === null) return new Float64Array(rows).fill(Number.NaN)
  if ('sumOf' in definition) {
    const { days, sumOf } = definition
    const found = await database.columns(`
      with spent as (
        select row, sum(value::decimal(18, 4)) as value
        from ${spine} as spine
        join ${relations.events} as events using (customer_id)
        where day <= cutoff and day > cutoff - ${days} and type in ${quoteTexts(sumOf)}
        group by row
      )
      select
        spine.row,
        case when spine.cutoff - ${days - 1} >= (select min(day) from ${relations.events})
          then round(coalesce(spent.value, 0)::double * 365 / ${days}, 2) end as value
      from ${spine} as spine
      left join spent using (row)
      order by spine.row`)
    return found.value as Float64Array
  }
  const prefix = tableShapes.customers.extraPrefix
  const column = extraColumns(state, 'customers').has(definition.column)
    ? prefix + definition.column
    : 'annual_value'
  const found = await database.columns(`
    with known as (
      select row, arg_max(${quoteName(column)}::double, (coalesce(valid_from, timestamptz '0001-01-01'), ordinal)) as value
      from ${spine} as spine
      join ${relations.customers} as customers using (customer_id)
      where coalesce((valid_from at time zone ${quoteText(program.timezone)})::date, date '0001-01-01') <= cutoff
      group by row
    )
    select spine.row, known.value
    from ${spine} as spine
    left join known using (row)
    order by spine.row`)
  return found.value as Float64Array
}
