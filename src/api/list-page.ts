import { z } from 'zod'
import { Problem } from './problems.ts'

const mostRows = 100
const limitWords = `is a whole number from 1 to ${mostRows}`

/** How lists are read page by page. */
export const rowCursor = {
  limit: z.coerce
    .number(limitWords)
    .int(limitWords)
    .min(1, limitWords)
    .max(mostRows, limitWords)
    .default(50)
    .meta({ description: 'Rows of a page' }),
  cursor: z
    .string()
    .min(1, 'is empty; leave it out for the first page')
    .max(300, 'is longer than any cursor')
    .optional()
    .meta({ description: 'next_cursor of the page before', examples: ['WyJsaXN0Iiwia2V5cyIsNDJd'] }),
}

/** The query of lists that are read page by page, newest first. */
export const listQuery = z.strictObject(rowCursor)

export const nextCursor = z.string().nullable().meta({ description: 'For the next page; null on the last' })

const fields = z.tuple([z.literal('list'), z.string(), z.number().int().min(1)])

/** Where a page begins. @param list tells it from all other lists. **Errors** `invalid-cursor`. */
export function pageStart(
  { limit, cursor }: z.output<typeof listQuery>,
  list: string,
): { readonly after: number | null; readonly limit: number } {
  if (cursor === undefined) return { after: null, limit }
  const parsed = fields.safeParse(decoded(cursor))
  if (parsed.success && parsed.data[1] === list) return { after: parsed.data[2], limit }
  throw new Problem(
    'invalid-cursor',
    'The cursor was not made for this list. Send next_cursor of a page unchanged, or none.',
    {
      errors: [{ field: 'cursor', detail: 'is not a cursor of this list' }],
    },
  )
}

/** Reads a row more than a page has, to know whether there is a next one. */
export async function readListPage<T extends { readonly number: number }>(
  start: { readonly after: number | null; readonly limit: number },
  list: string,
  read: (page: { after: number | null; limit: number }) => Promise<T[]>,
): Promise<{ readonly rows: T[]; readonly next_cursor: string | null }> {
  const found = await read({ after: start.after, limit: start.limit + 1 })
  const rows = found.slice(0, start.limit)
  const last = found.length > rows.length ? rows.at(-1) : undefined
  return { rows, next_cursor: last === undefined ? null : writeCursor(list, last.number) }
}

function writeCursor(list: string, number: number): string {
  return Buffer.from(JSON.stringify(['list', list, number])).toString('base64url')
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return null
  }
}
