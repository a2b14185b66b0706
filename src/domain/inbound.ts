import { z } from 'zod'
import { type InboundMapping, tableNames } from './program.ts'
import { strict, text } from './schema-parts.ts'
import { tableShapes } from './tables.ts'

const pointerWords =
  'a JSON pointer such as /contact/id, or #/form/id for one that starts at the whole document'
const pointer = z.string(pointerWords).regex(/^#?(\/([^~]|~[01])*)*$/, pointerWords)

const mappingSchema = strict({
  table: z
    .enum(tableNames, `one of ${tableNames.join(', ')}`)
    .describe('The table that the rows belong to: events, customers, responses or interventions.'),
  each: pointer
    .optional()
    .describe(
      'JSON pointer to a list in the document: each of its entries is a row. Without it the document is one row.',
    ),
  columns: z
    .record(text('the name of a column'), pointer, 'a map from columns to JSON pointers')
    .describe('Column → JSON pointer to its value, in the entry or, after #, in the whole document.'),
  constants: z
    .record(
      text('the name of a column'),
      z.union([z.string(), z.number(), z.boolean()], 'a text, a number, true or false'),
      'a map from columns to values',
    )
    .default({})
    .describe('Column → what it always is, such as metric: nps.'),
}).superRefine(({ table, columns, constants }, context) => {
  const given = new Set([...Object.keys(columns), ...Object.keys(constants)])
  const missing = tableShapes[table].required.filter((name) => !given.has(name))
  if (missing.length > 0)
    context.addIssue({ code: 'custom', message: `does not say where to find ${missing.join(', ')}.` })
  const twice = Object.keys(columns).filter((name) => Object.hasOwn(constants, name))
  if (twice.length > 0)
    context.addIssue({ code: 'custom', message: `has ${twice.join(', ')} under columns and constants.` })
})

const nameWords = 'a name of small letters, digits, - and _, up to 40 characters'

/** What tools of others post, by name. */
export const inboundSchema = z
  .record(
    z.string().regex(/^[a-z0-9][a-z0-9_-]{0,39}$/, nameWords),
    mappingSchema,
    'a map from names to mappings',
  )
  .default({})
  .describe('Which rows the documents are that tools post to /v1/programs/<program>/inbound/<name>.')

/** The mappings of a program file as programs have them. */
export function resolveInbound(mappings: z.output<typeof inboundSchema>): Record<string, InboundMapping> {
  return Object.fromEntries(
    Object.entries(mappings).map(([name, mapping]) => [name, { ...mapping, each: mapping.each ?? null }]),
  )
}

/**
 * The rows of a document that a tool posted: what is not there is missing, and judged as such.
 *
 * **Shape** a map of columns for each entry, or one; null where the list is none.
 */
export function mapInbound(mapping: InboundMapping, document: unknown): Record<string, unknown>[] | null {
  const entries = mapping.each === null ? [document] : pointedAt(document, mapping.each)
  if (!Array.isArray(entries)) return null
  return entries.map((entry) => {
    const found = Object.entries(mapping.columns).map(([column, place]) => [
      column,
      place.startsWith('#') ? pointedAt(document, place.slice(1)) : pointedAt(entry, place),
    ])
    return { ...Object.fromEntries(found), ...mapping.constants }
  })
}

/** What a JSON pointer (RFC 6901) points at; undefined where there is nothing. */
function pointedAt(document: unknown, place: string): unknown {
  let value = document
  for (const step of place.split('/').slice(1)) {
    if (typeof value !== 'object' || value === null) return undefined
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~')
    if (!Object.hasOwn(value, key) || (Array.isArray(value) && !/^\d+$/.test(key))) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}
