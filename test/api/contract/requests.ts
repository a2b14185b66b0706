import fc from 'fast-check'
import { examplesOf, type MediaType, type Operation, type Parameter } from './document.ts'
import type { Known } from './known.ts'
import { oddText, oddValue, type SchemaValues } from './values.ts'

/** A request as it goes out. */
export interface Sent {
  readonly method: string
  /** With the query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
  /** Whether the query has a parameter that no address knows. */
  readonly hasSurplus: boolean
  readonly hasKey: boolean
}

/** A request before it is known which ids there are. */
export type Plan = (known: Known) => Sent

/** A value, or the place of one among those that earlier answers held. */
type Part = { readonly text: string } | { readonly place: number }

const surplus = 'surplus_parameter'

/** There once in so many times; null otherwise. */
function onceIn<T>(times: number, values: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.oneof({ arbitrary: fc.constant(null), weight: times - 1 }, { arbitrary: values, weight: 1 })
}

/** Requests for an operation: proper ones, and such as are wrong in all kinds of ways. */
export function requestsFor(operation: Operation, values: SchemaValues, key: string): fc.Arbitrary<Plan> {
  const { method, path, parameters = [] } = operation
  const named = (place: Parameter['in']) => parameters.filter((parameter) => parameter.in === place)
  return fc
    .record({
      inPath: fc.tuple(...named('path').map((parameter) => partOf(parameter, values))),
      query: queryOf(named('query'), values),
      surplus: onceIn(25, oddText),
      raw: onceIn(30, fc.constantFrom('%', '%zz', '%ff', '%C3%28', '%00', '%2F', '%2e%2e', '//', ';')),
      headers: headersOf(operation, key),
      body: bodyOf(operation, values),
    })
    .map(({ inPath, query, raw, headers, body, ...more }) => (known) => {
      const names = named('path').map(({ name }) => name)
      const texts = names.map((name, index) => known.resolve(name, inPath[index]))
      const lastPart = inPath.at(-1)
      const made = lastPart && 'place' in lastPart ? known.madeAt(path, lastPart.place) : null
      const address =
        made ??
        names.reduce(
          (whole, name, index) => whole.replace(`{${name}}`, encodeURIComponent(texts[index])),
          path,
        )
      const pairs = query.map(([name, part]): [string, string] => [name, known.resolve(name, part)])
      if (more.surplus !== null) pairs.push([surplus, more.surplus])
      const search = pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')
      const withTag = known.withTag(headers, path)
      return {
        method,
        path: `${address}${raw ?? ''}${search === '' ? '' : `?${search}`}`,
        headers:
          body === null ? withTag : { ...(body.type !== null && { 'content-type': body.type }), ...withTag },
        body: body === null ? null : body.text,
        hasSurplus: more.surplus !== null,
        hasKey: headers.authorization === `Bearer ${key}`,
      }
    })
}

function partOf(parameter: Parameter, values: SchemaValues): fc.Arbitrary<Part> {
  const { schema, example, examples } = parameter
  const given = examplesOf({
    schema,
    ...(example !== undefined && { example }),
    ...(examples && { examples }),
  })
  const text = (value: unknown) => ({ text: asText(value) })
  return fc.oneof(
    // One wrong part of a path hides whatever else a request asks for.
    { arbitrary: fc.nat(1000).map((place) => ({ place })), weight: parameter.in === 'path' ? 60 : 6 },
    { arbitrary: values.fitting(schema).map(text), weight: 4 },
    { arbitrary: fc.constantFrom(...(given.length === 0 ? ['x'] : given)).map(text), weight: 1 },
    { arbitrary: oddText.map((odd) => ({ text: odd })), weight: 1 },
  )
}

type Pair = [name: string, part: Part]

/** Most are left out, some come twice. */
function queryOf(parameters: readonly Parameter[], values: SchemaValues): fc.Arbitrary<Pair[]> {
  const optional = parameters.map((parameter) => {
    const pair = partOf(parameter, values).map((part): Pair => [parameter.name, part])
    const one = pair.map((given) => [given])
    const none = fc.constant<Pair[]>([])
    const usual = parameter.required ? one : none
    return fc.oneof(
      { arbitrary: usual, weight: 5 },
      { arbitrary: one, weight: 3 },
      { arbitrary: none, weight: 1 },
      { arbitrary: fc.tuple(pair, pair).map((both) => both), weight: parameter.name === 'where' ? 2 : 0 },
    )
  })
  const all =
    optional.length === 0 ? fc.constant<Pair[]>([]) : fc.tuple(...optional).map((pairs) => pairs.flat())
  const twice = fc.tuple(all, fc.nat(9)).map(([pairs, place]) => [...pairs, ...pairs.slice(place, place + 1)])
  return fc.oneof({ arbitrary: all, weight: 9 }, { arbitrary: twice, weight: 1 })
}

const headerText = fc.oneof(
  fc.string({
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
    maxLength: 40,
  }),
  fc.constantFrom('*', 'W/"x"', '"', ',,,', 'x'.repeat(300), 'x'.repeat(12_000)),
)

const accepted = fc.constantFrom(
  ...['*/*', 'application/json', 'text/csv', 'application/x-ndjson', 'application/vnd.apache.parquet'],
  ...[
    'text/html',
    'image/*',
    'application/json;q=0',
    'application/problem+json',
    ';',
    'text/csv;q=0.9, */*;q=0.1',
  ],
)

type HeaderMap = Readonly<Record<string, string>>

function headersOf({ parameters = [] }: Operation, key: string): fc.Arbitrary<HeaderMap> {
  const rarely = <T>(values: fc.Arbitrary<T>) => onceIn(6, values)
  const keys = fc.constantFrom(
    '',
    'Bearer',
    'Bearer wrong',
    'Basic d3Jvbmc6',
    `Basic ${key}`,
    'Bearer a b',
    'x'.repeat(5000),
  )
  const takesKey = parameters.some(({ name }) => name === 'idempotency-key')
  return fc
    .record({
      authorization: fc.oneof(
        { arbitrary: fc.constant(`Bearer ${key}`), weight: 19 },
        { arbitrary: keys, weight: 1 },
      ),
      accept: rarely(fc.oneof(accepted, headerText)),
      'accept-encoding': rarely(
        fc.constantFrom('gzip', 'deflate', 'br', 'identity', 'gzip;q=0', '*;q=0', 'zzz'),
      ),
      'if-none-match': rarely(fc.oneof(fc.constantFrom('*', 'earlier', 'earlier', 'earlier'), headerText)),
      'idempotency-key': takesKey
        ? rarely(fc.oneof(fc.constantFrom('a', 'b', 'c'), headerText))
        : rarely(headerText),
      'content-encoding': onceIn(60, fc.constantFrom('gzip', 'identity', 'x')),
      range: onceIn(30, fc.constantFrom('bytes=0-1', 'rows=x')),
      'x-odd': onceIn(20, headerText),
    })
    .map((headers) => {
      const given = Object.entries(headers).filter((pair): pair is [string, string] => pair[1] !== null)
      return Object.fromEntries(given.map(([name, text]) => [name, text.trim()]))
    })
}

interface Body {
  /** Null: no header. */
  readonly type: string | null
  readonly text: string
}

const wrongType = fc.constantFrom(
  ...[
    null,
    'text/plain',
    'application/xml',
    'application/json; charset=utf-16',
    'application/json;;',
    'x',
    ';',
  ],
  ...[
    'multipart/form-data',
    'application/x-www-form-urlencoded',
    'APPLICATION/JSON',
    'text/csv',
    'application/x-ndjson',
  ],
)

const brokenText = fc.constantFrom(
  ...[
    '',
    ' ',
    '{',
    '[',
    '[1,',
    '{"a":}',
    'nul',
    '\u0000',
    '{"__proto__":{"a":1}}',
    '{"constructor":{"prototype":1}}',
  ],
  ...[
    '['.repeat(5_000),
    `"${'x'.repeat(17_000)}"`,
    `"${'x'.repeat(70_000)}"`,
    '{"a":1,"a":2}',
    '\ufeff{}',
    '1e999',
  ],
)

/** Bodies; null: none. */
function bodyOf({ requestBody }: Operation, values: SchemaValues): fc.Arbitrary<Body | null> {
  const broken = fc.record({ type: fc.oneof(wrongType, fc.constant('application/json')), text: brokenText })
  const none = fc.constant(null)
  if (requestBody === undefined)
    return fc.oneof({ arbitrary: none, weight: 15 }, { arbitrary: broken, weight: 1 })
  const proper = Object.entries(requestBody.content).map(([type, media]) => properBody(type, media, values))
  const mistyped = fc.tuple(fc.oneof(...proper), wrongType).map(([{ text }, type]) => ({ type, text }))
  return fc.oneof(
    { arbitrary: fc.oneof(...proper), weight: 16 },
    { arbitrary: mistyped, weight: 1 },
    { arbitrary: broken, weight: 2 },
    { arbitrary: none, weight: 1 },
  )
}

function properBody(type: string, media: MediaType, values: SchemaValues): fc.Arbitrary<Body> {
  const given = examplesOf(media)
  const examples = fc.constantFrom(...(given.length === 0 ? [{}] : given))
  const { schema = {} } = media
  const of = (text: fc.Arbitrary<string>) => text.map((one): Body => ({ type, text: one }))
  if (!type.endsWith('json') || type.endsWith('x-ndjson')) {
    const text = examples.map(asText)
    const cut = fc
      .tuple(text, fc.nat(60), oddText)
      .map(([whole, at, odd]) => whole.slice(0, at) + odd + whole.slice(at))
    return of(fc.oneof(text, cut, oddText))
  }
  const value = fc.oneof(
    { arbitrary: examples, weight: 8 },
    { arbitrary: values.fitting(schema), weight: 4 },
    { arbitrary: values.spoilt(schema), weight: 4 },
    { arbitrary: values.spoilt({ examples: given.length === 0 ? [{}] : given }), weight: 3 },
    { arbitrary: oddValue, weight: 1 },
  )
  return of(value.map((one) => JSON.stringify(one)))
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}

/** The request as it can be sent by hand. */
export function asCurl(url: string, { method, path, headers, body }: Sent): string {
  const quote = (text: string) => `'${text.replaceAll("'", "'\\''").replaceAll('\u0000', '\\0')}'`
  const short = (text: string) =>
    text.length > 2_000 ? `${text.slice(0, 2_000)}… (${text.length} characters)` : text
  const all = Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${short(value)}`)}`)
  const data = body === null ? [] : [`--data-binary ${quote(short(body))}`]
  return ['curl -i --path-as-is', `-X ${method}`, ...all, ...data, quote(url + path)].join(' ')
}
