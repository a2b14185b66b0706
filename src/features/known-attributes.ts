import type { Program } from '../domain/program.ts'
import { tableShapes } from '../domain/tables.ts'
import type { ColumnKind } from '../lake/commits.ts'
import { type Database, quoteName } from '../lake/database.ts'
import { extraColumns, type Lake } from '../lake/lake.ts'
import { attributeAggregates } from './attribute-features.ts'
import { attributeSuppliers } from './features.ts'
import { lakeRelations } from './relations.ts'

/** Attributes that customers may be picked by: name → what it holds. Times are none. */
export function knownAttributes({ state }: Lake): Map<string, Exclude<ColumnKind, 'time'>> {
  const kinds = [...extraColumns(state, 'customers')]
  return new Map(kinds.filter((entry): entry is [string, Exclude<ColumnKind, 'time'>] => entry[1] !== 'time'))
}

/** A table of attributes: SQL name of the column of each. Its column `row` numbers the customers. */
export interface AttributeTable {
  readonly name: string
  readonly columns: ReadonlyMap<string, string>
}

/**
 * Makes a table of attributes as known at the end of a day, one row a customer.
 *
 * @param name of the table. @param customers relation of (row, customer_id).
 */
export async function makeAttributeTable(
  database: Database,
  name: string,
  request: { program: Pick<Program, 'timezone'>; lake: Lake; date: string; customers: string },
): Promise<AttributeTable> {
  const { program, lake, date, customers } = request
  const attributes = [...knownAttributes(lake)].map(([attribute, kind]) => ({ name: attribute, kind }))
  const spine = quoteName(`${name}_spine`)
  await database.run(
    `create or replace table ${spine} as select row, customer_id, $date::date as cutoff from ${customers}`,
    { date },
  )
  const source = { spine, timezone: program.timezone, suppliers: attributeSuppliers(lake) }
  const known = attributeAggregates({ attributes }, { ...source, customers: lakeRelations(lake).customers })
  const picks = attributes.map((attribute, place) => {
    const column = `known.${quoteName(tableShapes.customers.extraPrefix + attribute.name)}`
    return `, ${attribute.kind === 'boolean' ? `${column}::varchar` : column} as a${place}`
  })
  await database.run(`
    create or replace table ${quoteName(name)} as
    select spine.row ${picks.join('')}
    from ${spine} as spine
    left join (${known}) as known using (row)`)
  await database.run(`drop table ${spine}`)
  return { name, columns: new Map(attributes.map((attribute, place) => [attribute.name, `a${place}`])) }
}
