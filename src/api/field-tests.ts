import { z } from 'zod'
import { predictionColumns } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import { nearest, show } from '../domain/program-problems.ts'
import { knownAttributes } from '../features/known-attributes.ts'
import type { Lake } from '../lake/lake.ts'
import type { FieldTest } from '../lake/prediction-filter.ts'
import type { RowOrder } from '../lake/read-predictions.ts'
import { Problem } from './problems.ts'

const mostTests = 20
const longestTest = 500

const oneTest = z.string().min(1, 'is empty').max(longestTest, `is longer than ${longestTest} characters`)

/** Query parameters that say whom a list is about. */
export const whoseQuery = {
  where: z
    .union([oneTest, z.array(oneTest).max(mostTests, `has more than ${mostTests} conditions`)])
    .optional()
    .meta({
      description:
        'A condition `field:test:value`, given as often as needed; all must hold. Fields are columns of predictions and attributes of customers; tests are `is`, `in` (values with commas between), `above` and `below`. An empty value means missing.',
      examples: ['churn_90:above:0.3', 'plan:in:gold,silver'],
    }),
  segment: z
    .string()
    .max(100)
    .optional()
    .meta({
      description: 'The same as where=segment:is:…',
      examples: ['at-risk-passives'],
    }),
  nps_class: z
    .enum(['detractor', 'passive', 'promoter'])
    .optional()
    .meta({ description: 'The same as where=nps_class:is:…' }),
}

export interface WhoseQuery {
  readonly where?: string | readonly string[] | undefined
  readonly segment?: string | undefined
  readonly nps_class?: string | undefined
}

/** The conditions of a query as one list of texts: what a cursor remembers. */
export function testsOf({ where = [], segment, nps_class }: WhoseQuery): string[] {
  return [
    ...[where].flat(),
    ...(segment === undefined ? [] : [`segment:is:${segment}`]),
    ...(nps_class === undefined ? [] : [`nps_class:is:${nps_class}`]),
  ]
}

/** Columns that nobody is picked by: they are the same for all, or hold JSON. */
const unpicked = new Set(['program', 'date', 'top_drivers', 'flags'])

/** What customers of a day may be picked by: name → what it holds, and where it is found. */
export type Fields = ReadonlyMap<string, { readonly isNumber: boolean; readonly isAttribute: boolean }>

/** Where a prediction and an attribute have one name, the prediction's is meant. */
export function fieldsOf(program: Program, lake: Lake): Fields {
  const fields = new Map<string, { isNumber: boolean; isAttribute: boolean }>()
  for (const [name, kind] of knownAttributes(lake))
    fields.set(name, { isNumber: kind === 'number', isAttribute: true })
  for (const { name, type } of predictionColumns(program))
    if (!unpicked.has(name)) fields.set(name, { isNumber: type === 'double', isAttribute: false })
  return fields
}

/** **Errors** `invalid-request` with what is allowed. */
export function readTest(text: string, fields: Fields): FieldTest {
  const parts = /^(.*?):(is|in|above|below):([\s\S]*)$/.exec(text)
  if (parts === null)
    throw refused(
      'where',
      `is ${show(text)}; it looks like field:test:value, where the test is is, in, above or below`,
    )
  const [, field, test, given] = parts as unknown as [string, string, FieldTest['test'], string]
  const found = fields.get(field)
  if (found === undefined) throw unknownField('where', field, [...fields.keys()])
  if (!found.isNumber && (test === 'above' || test === 'below'))
    throw refused('where', `${field} is no number: it has is and in, not ${test}`)
  const texts = test === 'in' ? given.split(',') : [given]
  const values = texts.map((value) => {
    if (value === '' && test !== 'above' && test !== 'below') return null
    if (!found.isNumber) return value
    const number = Number(value)
    if (value.trim() === '' || !Number.isFinite(number))
      throw refused('where', `${field} is a number, and ${show(value)} is none`)
    return number
  })
  return { field, test, values }
}

/** What rows are put in order by; null: by customer. **Errors** `invalid-request` where it is no column of numbers. */
export function readOrder(sort: string, fields: Fields): RowOrder | null {
  if (sort === 'customer_id') return null
  const isDescending = sort.startsWith('-')
  const name = isDescending ? sort.slice(1) : sort
  const column =
    name === 'churn' ? ([...fields.keys()].findLast((one) => /^churn_\d+$/.test(one)) ?? name) : name
  if (column === 'churn')
    throw refused('sort', `is ${sort}, but there is no outcome called churn; name a column instead`)
  const field = fields.get(column)
  if (field?.isNumber && !field.isAttribute) return { column, isDescending }
  const allowed = [...fields].filter(([, one]) => one.isNumber && !one.isAttribute).map(([name]) => name)
  throw unknownField('sort', name, ['customer_id', ...allowed])
}

/** What customers can be divided by. **Errors** `invalid-request` with what there is. */
export function requireGroup(name: string, fields: Fields): { readonly isAttribute: boolean } {
  const found = fields.get(name)
  if (found && name !== 'customer_id' && (found.isAttribute || !found.isNumber)) return found
  const allowed = [...fields].filter(
    ([one, { isNumber, isAttribute }]) => one !== 'customer_id' && (isAttribute || !isNumber),
  )
  throw unknownField(
    'by',
    name,
    allowed.map(([one]) => one),
  )
}

function unknownField(parameter: string, found: string, known: readonly string[]): Problem {
  const near = nearest(found, known)
  const hint = near === null ? '' : ` Did you mean ${near}?`
  const shown = known.slice(0, 60).join(', ') + (known.length > 60 ? ', …' : '')
  return refused(parameter, `names ${show(found)}, which cannot be used there.${hint} Allowed: ${shown}`)
}

/** A parameter of a query that cannot be used. */
export function refused(field: string, detail: string): Problem {
  return new Problem('invalid-request', `In the query: ${field} ${detail}.`, { errors: [{ field, detail }] })
}
