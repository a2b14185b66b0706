import { z } from 'zod'
import { isDay } from '../domain/days.ts'
import type { PickedRow } from '../lake/read-predictions.ts'
import { Problem } from './problems.ts'

/** Where the next page begins, and the file that all pages of the walk are read from. */
export interface Cursor extends PickedRow {
  readonly program: string
  readonly date: string
  /** Relative to the lake. Only looked up among the files that the lake knows. */
  readonly path: string
  readonly sort: string
  /** The conditions of the walk. */
  readonly where: readonly string[]
}

const fields = z.tuple([
  z.literal(2),
  z.string().max(48),
  z.string().refine(isDay),
  z.string().max(200),
  z.string().max(200),
  z.array(z.string().max(500)).max(30),
  z.int().min(-1),
  z.number().nullable(),
])

/** Opaque to clients. */
export function writeCursor({ program, date, path, sort, where, row, value }: Cursor): string {
  return Buffer.from(JSON.stringify([2, program, date, path, sort, where, row, value])).toString('base64url')
}

/** **Errors** `invalid-cursor` where the text is none of ours. */
export function readCursor(text: string): Cursor {
  const parsed = fields.safeParse(decoded(text))
  if (!parsed.success) {
    throw new Problem(
      'invalid-cursor',
      'The cursor was not made here. Send next_cursor of a page unchanged, or none.',
      {
        errors: [{ field: 'cursor', detail: 'is not a cursor of this API' }],
      },
    )
  }
  const [, program, date, path, sort, where, row, value] = parsed.data
  return { program, date, path, sort, where, row, value }
}

function decoded(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
  } catch {
    return null
  }
}
