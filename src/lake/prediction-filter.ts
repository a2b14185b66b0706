import type { Parameters } from './database.ts'

/** A condition on one field of a prediction. A missing value fits nothing but being missing. */
export interface FieldTest {
  readonly field: string
  readonly test: 'is' | 'in' | 'above' | 'below'
  /** One, but for `in`. Null: the value is missing. */
  readonly values: readonly (string | number | null)[]
}

/** SQL that holds where a column passes, with its values bound. @param name of the parameters, which no other has. */
export function testSql(
  column: string,
  { test, values }: FieldTest,
  name: string,
): { sql: string; parameters: Parameters } {
  const given = values.filter((value) => value !== null)
  const parameters = Object.fromEntries(given.map((value, place) => [`${name}_${place}`, value]))
  const names = given.map((_, place) => `$${name}_${place}`)
  if (test === 'above' || test === 'below')
    return { sql: `${column} ${test === 'above' ? '>' : '<'} ${names[0]}`, parameters }
  const tests = [
    ...(names.length > 0 ? [`${column} in (${names.join(', ')})`] : []),
    ...(given.length < values.length ? [`${column} is null`] : []),
  ]
  return { sql: tests.join(' or '), parameters }
}

/** All of them. */
export function allOf(
  tests: readonly { readonly sql: string; readonly parameters: Parameters }[],
): { readonly sql: string; readonly parameters: Parameters } | null {
  if (tests.length === 0) return null
  return {
    sql: tests.map(({ sql }) => `coalesce(${sql}, false)`).join(' and '),
    parameters: Object.assign({}, ...tests.map(({ parameters }) => parameters)),
  }
}
