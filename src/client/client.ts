import createFetchClient, { type Client } from 'openapi-fetch'
import type { paths } from './openapi.ts'
import { ApiProblem } from './problem.ts'
import { type Fetch, retrying } from './retries.ts'

export interface ClientOptions {
  /** Of the server, such as `http://127.0.0.1:3000`. */
  readonly url: string
  /** Of the API. */
  readonly key: string
  /** How often something is asked again that the server was too busy for, or did not answer. @default 4 */
  readonly retries?: number
  /** @default the global one */
  readonly fetch?: Fetch
}

/** A call for each method of HTTP, typed by the OpenAPI document: `client.GET('/v1/programs/{program}/summary', …)`. */
export type LoyalcastClient = Client<paths>

/**
 * A client of one server.
 *
 * ```ts
 * const loyalcast = createClient({ url: 'http://127.0.0.1:3000', key })
 * const { nps } = await result(
 *   loyalcast.GET('/v1/programs/{program}/summary', { params: { path: { program: 'my-shop' } } }),
 * )
 * ```
 */
export function createClient({ url, key, retries = 4, ...more }: ClientOptions): LoyalcastClient {
  const { fetch = (request) => globalThis.fetch(request) } = more
  return createFetchClient<paths>({
    baseUrl: url.replace(/\/+$/, ''),
    headers: { authorization: `Bearer ${key}` },
    fetch: retrying(fetch, retries),
  })
}

/** What a call of a {@link LoyalcastClient} comes to. */
interface Answer<T> {
  readonly data?: T
  readonly error?: unknown
  readonly response: Response
}

/**
 * What was asked for, of a call of a client.
 *
 * **Errors** {@link ApiProblem} where the answer is no result.
 */
export async function result<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call
  if (!response.ok) throw new ApiProblem(response, error)
  return data as T
}

/**
 * Page by page, what a list has.
 *
 * ```ts
 * const path = { program: 'my-shop' }
 * for await (const { predictions } of pages((cursor) =>
 *   result(loyalcast.GET('/v1/programs/{program}/predictions', { params: { path, query: { ...cursor } } })),
 * )) …
 * ```
 *
 * @param ask reads one page: the cursor to send along is empty for the first
 */
export async function* pages<P extends { readonly next_cursor: string | null }>(
  ask: (cursor: { readonly cursor?: string }) => Promise<P>,
): AsyncGenerator<P, void, undefined> {
  let page = await ask({})
  yield page
  while (page.next_cursor !== null) {
    page = await ask({ cursor: page.next_cursor })
    yield page
  }
}
