import { parse } from 'csv-parse/sync'

/** How a body says its rows. */
export const rowFormats = ['json', 'ndjson', 'csv'] as const
export type RowFormat = (typeof rowFormats)[number]

/** Most rows of a request. */
export const mostRows = 10_000

/** Why a body could not be read at all. */
export class UnreadableBody extends Error {
  constructor(
    readonly code: 'invalid-request' | 'body-too-large',
    message: string,
  ) {
    super(message)
  }
}

/** A line that could not be read; the others of its body can. */
export class UnreadableRow {
  constructor(
    /** As it came. */
    readonly text: string,
    readonly words: string,
  ) {}
}

/** The rows of a body, each whatever it may be. **Errors** {@link UnreadableBody} */
export function readRows(format: RowFormat, body: Uint8Array): unknown[] {
  const text = decode(body)
  const rows = format === 'json' ? jsonRows(text) : format === 'ndjson' ? lineRows(text) : csvRows(text)
  return counted(rows)
}

/** A body that is one JSON document. **Errors** {@link UnreadableBody} */
export function readJson(body: Uint8Array): unknown {
  return parsedJson(decode(body))
}

/** **Errors** {@link UnreadableBody} where there are none or too many. */
export function counted<T>(rows: readonly T[]): T[] {
  if (rows.length === 0) throw new UnreadableBody('invalid-request', 'There are no rows in the body.')
  if (rows.length > mostRows)
    throw new UnreadableBody(
      'body-too-large',
      `There are ${rows.length} rows in the body; ${mostRows} may be sent at once.`,
    )
  return [...rows]
}

function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw new UnreadableBody('invalid-request', 'The body is not UTF-8 text.')
  }
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UnreadableBody('invalid-request', 'The body is no JSON.')
  }
}

/** A list of rows, `{ "rows": […] }`, or one row. */
function jsonRows(text: string): unknown[] {
  const body = parsedJson(text)
  if (Array.isArray(body)) return body
  if (typeof body !== 'object' || body === null)
    throw new UnreadableBody('invalid-request', 'The body is neither a row nor a list of rows.')
  const { rows, ...more } = body as { rows?: unknown }
  return Array.isArray(rows) && Object.keys(more).length === 0 ? rows : [body]
}

function lineRows(text: string): unknown[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  return counted(lines).map((line) => {
    try {
      return JSON.parse(line)
    } catch {
      return new UnreadableRow(line, 'a line that is no JSON')
    }
  })
}

function csvRows(text: string): unknown[] {
  let records: string[][]
  try {
    records = parse(text, { relax_column_count: true, skip_empty_lines: true, to: mostRows + 2 })
  } catch (error) {
    throw new UnreadableBody('invalid-request', `The body is no CSV: ${(error as Error).message}.`)
  }
  const [header = [], ...rows] = records
  const names = header.map((name) => name.trim())
  const twice = names.find((name, place) => names.indexOf(name) !== place)
  if (twice !== undefined)
    throw new UnreadableBody('invalid-request', `Two columns of the CSV are called ${twice.slice(0, 100)}.`)
  return rows.map((values) =>
    values.length === names.length
      ? Object.fromEntries(names.map((name, place) => [name, values[place]]))
      : new UnreadableRow(values.join(','), `${values.length} values where the header has ${names.length}`),
  )
}
