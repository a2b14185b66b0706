import type { Parameters } from '../lake/database.ts'
import { columnOrNull, type PredictionFile, rowsOf } from '../lake/read-predictions.ts'
import type { ExportFormat } from './export-shapes.ts'

/** A driver as DuckDB reads it from the JSON of a prediction. Its value is a number, a text, or missing. */
const driverShape =
  '[{"feature":"VARCHAR","words":"VARCHAR","value":"JSON","effect":"DOUBLE","unit":"VARCHAR","outcome":"VARCHAR"}]'

export interface DriverQuestion {
  /** `json`: one array. JSON keeps numbers and texts among the values apart, elsewhere all of them are text. */
  readonly format: ExportFormat | 'json'
  /** Only the drivers of this task; null: of all. */
  readonly outcome: string | null
}

/**
 * The drivers of a day's predictions as a select, a row each, in the order of customers and, within one, in that of
 * `top_drivers`: the strongest of a task first, its remainder last. `rank` counts within customer and task, from 1.
 */
export function selectDrivers(
  file: PredictionFile,
  { format, outcome }: DriverQuestion,
): { readonly sql: string; readonly parameters: Parameters } {
  const isJson = format === 'ndjson' || format === 'json'
  const value = isJson ? "case when json_type(value) <> 'NULL' then value end" : "value ->> '$'"
  const sql = `
    with listed as (
      select customer_id, from_json(${columnOrNull(file, 'top_drivers', 'varchar')}, '${driverShape}') as drivers
      from ${rowsOf(file)}
    ),
    ranked as (
      select customer_id, unnest(list_transform(drivers, lambda one, place: struct_pack(
        driver := one,
        rank := len(list_filter(drivers[:place], lambda other: other.outcome = one.outcome))
      ))) as one
      from listed
    ),
    spread as (select customer_id, one.rank as rank, unnest(one.driver) from ranked)
    select customer_id, outcome, rank, feature, words, ${value} as value, effect, unit
    from spread
    ${outcome === null ? '' : 'where outcome = $outcome'}`
  return { sql, parameters: outcome === null ? {} : { outcome } }
}
