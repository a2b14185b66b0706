import { type LoyalcastClient, result } from './client.ts'
import type { components, paths } from './openapi.ts'

/** A row of a day: one customer. */
export type Prediction = components['schemas']['Prediction']

const path = '/v1/programs/{program}/predictions.ndjson'
type BulkQuery = NonNullable<paths[typeof path]['get']['parameters']['query']>

/** Whose rows, and of which day: as in the query of the address. */
export type RowsWanted = Pick<BulkQuery, 'date' | 'where' | 'segment' | 'nps_class'>

/** Breaks one after the other without a row in between, after which it is given up. */
const mostBreaks = 5

/**
 * Every prediction of a day in the order of `customer_id`, as it streams in: one row is held at a time. Where the
 * connection breaks it goes on behind the last whole row, with the day as it was when the first row was sent.
 *
 * **Errors** {@link ApiProblem}, {@link NoAnswer}; whatever broke the connection where that goes on.
 */
export async function* predictionRows(
  client: LoyalcastClient,
  program: string,
  wanted: RowsWanted = {},
): AsyncGenerator<Prediction, void, undefined> {
  let place: Pick<BulkQuery, 'cursor' | 'after'> = {}
  for (let breaks = 0; ; ) {
    const params = { path: { program }, query: { ...wanted, ...place } }
    const call = client.GET(path, { params, parseAs: 'stream' })
    const body = (await result(call)) as ReadableStream<Uint8Array>
    place = { ...place, ...cursorOf((await call).response) }
    try {
      for await (const line of linesOf(body)) {
        const row = JSON.parse(line) as Prediction
        yield row
        place = { ...place, after: row.customer_id }
        breaks = 0
      }
      return
    } catch (error) {
      if (!isBreak(error) || ++breaks > mostBreaks) throw error
    }
  }
}

function cursorOf({ headers }: Response): { readonly cursor?: string } {
  const cursor = headers.get('loyalcast-cursor')
  return cursor === null ? {} : { cursor }
}

/** How fetch tells that a body ended too soon. Anything else was thrown by whoever takes the rows, or by the parser. */
function isBreak(error: unknown): boolean {
  return error instanceof TypeError || (error as { name?: string }).name === 'SocketError'
}

/** Whole lines. What a broken connection left of one does not count. */
async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ''
  try {
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const lines = (rest + part.value).split('\n')
      rest = lines.pop() as string
      for (const line of lines) if (line !== '') yield line
    }
    if (rest !== '') throw new TypeError('The rows ended within one')
  } finally {
    await reader.cancel().catch(() => {})
  }
}
