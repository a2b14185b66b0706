import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { tableShapes } from '../domain/tables.ts'
import { allBegin, isCovered } from '../features/data-begins.ts'
import { type BehaviourRelations, validDay, validOrder } from '../features/relations.ts'
import type { LakeState } from '../lake/commits.ts'
import { type Database, quoteName, quoteTexts } from '../lake/database.ts'
import { extraColumns } from '../lake/lake.ts'

export interface AnnualValueOptions {
  readonly program: Program
  readonly state: LakeState
  readonly relations: BehaviourRelations
  /** Table of (row, customer_id, cutoff). */
  readonly spine: string
}

/**
 * What each spine row's customer is worth in a year, in program currency, as known at the cutoff. NaN: not known.
 *
 * **Errors** `missing-column` where the program file names a column that no source of customers has.
 */
export async function readAnnualValues(
  database: Database,
  options: AnnualValueOptions,
): Promise<Float64Array> {
  const definition = options.program.value.annualValue
  const known =
    definition === null
      ? `select row, null as value from ${options.spine}`
      : 'sumOf' in definition
        ? selectSum(definition, options)
        : selectColumn(definition.column, options)
  const found = await database.columns(`
    with known as (${known})
    select spine.row, known.value::double as value
    from ${options.spine} as spine
    left join known using (row)
    order by spine.row`)
  return found.value as Float64Array
}

/** A sum over days that the data do not reach back for is not known; spans other than a year are scaled to 365 days. */
function selectSum(
  { sumOf, days }: { sumOf: readonly string[]; days: number },
  { relations, spine }: AnnualValueOptions,
): string {
  const begin = allBegin(relations.beginsOn, sumOf)
  const isKnown = begin === null ? 'false' : isCovered(begin, days)
  if (relations.kept !== undefined)
    return `
    select spine.row, round(coalesce(worth, 0)::double * 365 / ${days}, 2) as value
    from ${spine} as spine
    left join ${relations.kept.customers} as kept using (customer_id)
    where ${isKnown}`
  return `
    select
      spine.row,
      round(coalesce(sum(value::decimal(18, 4)), 0)::double * 365 / ${days}, 2) as value
    from ${spine} as spine
    left join ${relations.events} as events
      on events.customer_id = spine.customer_id
      and day <= cutoff and day > cutoff - ${days} and type in ${quoteTexts(sumOf)}
    where ${isKnown}
    group by spine.row`
}

/** The last value known at the cutoff. */
function selectColumn(column: string, { program, state, relations, spine }: AnnualValueOptions): string {
  const attributes = [...extraColumns(state, 'customers').keys()]
  if (column !== 'annual_value' && !attributes.includes(column)) {
    throw usageError(
      'missing-column',
      `value.annual_value.column: no source of customers has a column ${column}. Found: ${['annual_value', ...attributes].join(', ')}.`,
    )
  }
  const own = column === 'annual_value' ? column : tableShapes.customers.extraPrefix + column
  return `
    select row, arg_max(try_cast(${quoteName(own)} as double), ${validOrder}) as value
    from ${spine} as spine
    join ${relations.customers} as customers using (customer_id)
    where ${validDay(program.timezone)} <= cutoff
    group by row`
}
