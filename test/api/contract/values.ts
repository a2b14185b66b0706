import fc from 'fast-check'
import type { Schema } from './document.ts'

type Values = fc.Arbitrary<unknown>

/** Texts that programs trip over. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    ...['', ' ', '\u0000', '\u007f', '\r\n', '\u202e', '\ufeff', '\u{1f9ff}', 'ß', 'İ', 'e\u0301'],
    ...['../../etc/passwd', '..', '.', '/', '\\', '%', '%2e%2e', '?', '#', '&', '=', ';', ',', ':'],
    ...["'", '"', "' or 1=1 --", '`', '$' + '{x}', '<script>', '__proto__', 'constructor', 'toString'],
    ...['null', 'undefined', 'true', 'NaN', 'Infinity', '-0', '1e309', '0x10', '١٢', '9007199254740993'],
    ...['0000-01-01', '2025-02-30', '9999-12-31', '10000-01-01', '2025-02-20T00:00:00Z'],
  ),
  fc.string({ unit: 'binary', maxLength: 30 }),
  fc.string({ maxLength: 40 }),
  fc.tuple(fc.constantFrom('x', 'ä', '\u{1f9ff}', '['), fc.constantFrom(100, 513, 2500)).map(repeated),
)

function repeated([text, times]: [string, number]): string {
  return text.repeat(times)
}

const days = fc.constantFrom(
  '2025-02-20',
  '2025-02-10',
  '2025-01-25',
  '2025-01-01',
  '2030-12-31',
  '1970-01-01',
)

/** Values of the wrong kind, at the edge or beyond it. */
export const oddValue: Values = fc.oneof(
  oddText,
  fc.constantFrom(null, true, false, 0, -1, 1.5, 1e308, -1e308, 2 ** 53, 1e-320),
  fc.constantFrom<unknown[]>([], {}, [[]], [null], { a: {} }),
  fc.jsonValue({ maxDepth: 3 }),
)

/** Makes values from schemas. */
export class SchemaValues {
  readonly #schemas: Readonly<Record<string, Schema>>

  constructor(schemas: Readonly<Record<string, Schema>>) {
    this.#schemas = schemas
  }

  /** Values that the schema allows, or nearly: not all limits can be kept at once. */
  fitting(schema: Schema, depth = 0): Values {
    const { $ref, const: only, enum: some, examples } = schema
    if ($ref !== undefined) return this.fitting(this.#schemas[$ref.split('/').at(-1)!], depth)
    if (only !== undefined) return fc.constant(only)
    if (some !== undefined) return fc.constantFrom(...some)
    const forms = schema.anyOf ?? schema.oneOf
    if (forms !== undefined) return fc.oneof(...forms.map((form) => this.fitting(form, depth)))
    const plain = fc.oneof(
      ...[schema.type ?? 'object'].flat().map((type) => this.#typed(schema, type, depth)),
    )
    return examples === undefined ? plain : fc.oneof(fc.constantFrom(...examples), plain)
  }

  /** Fitting values of which something is taken away, added or replaced. */
  spoilt(schema: Schema): Values {
    return fc
      .tuple(this.fitting(schema), fc.array(fc.nat(6), { maxLength: 4 }), oddValue, fc.nat(2))
      .map(([value, way, odd, kind]) => spoil(value, way, { odd, kind }))
  }

  #typed(schema: Schema, type: string, depth: number): Values {
    if (type === 'string') return textOf(schema)
    if (type === 'integer' || type === 'number') return numberOf(schema, type === 'integer')
    if (type === 'boolean') return fc.boolean()
    if (type === 'null') return fc.constant(null)
    return type === 'array' ? this.#list(schema, depth) : this.#map(schema, depth)
  }

  #list({ items = {}, prefixItems, minItems = 0, maxItems = 3 }: Schema, depth: number): Values {
    if (prefixItems !== undefined) return fc.tuple(...prefixItems.map((one) => this.fitting(one, depth + 1)))
    const most = depth > 4 ? minItems : Math.min(maxItems, minItems + 3)
    return fc.array(this.fitting(items, depth + 1), { minLength: minItems, maxLength: most })
  }

  #map(schema: Schema, depth: number): Values {
    const { properties = {}, required = [], additionalProperties: more } = schema
    const wanted = Object.entries(properties).filter(([name]) => depth < 5 || required.includes(name))
    const own = fc.record(
      Object.fromEntries(wanted.map(([name, one]) => [name, this.fitting(one, depth + 1)])),
      { requiredKeys: required.filter((name) => name in properties) },
    )
    if (more === undefined || more === false || depth > 4) return own
    const names =
      schema.propertyNames === undefined ? fc.oneof(words, oddText) : this.fitting(schema.propertyNames)
    const others = fc.dictionary(
      names as fc.Arbitrary<string>,
      this.fitting(more === true ? {} : more, depth + 1),
      {
        maxKeys: 3,
      },
    )
    return fc.tuple(own, others).map(([first, rest]) => ({ ...rest, ...first }))
  }
}

/** What programs, customers and columns of the tests are called. */
const words = fc.constantFrom(
  ...[
    'small-company',
    'c1',
    'c111',
    'churn',
    'churn_90',
    'nps',
    'nps_score',
    'plan',
    'age',
    'login',
    'ticket',
  ],
  ...[
    'gold',
    'customer_id',
    '-value_at_risk',
    'customer_id,churn_90:risk',
    'churn_90:above:0.2',
    'plan:is:gold',
  ],
  ...['segment', 'at-risk-passives', 'annual_value', 'https://hooks.example.org/x', 'http://127.0.0.1:9/'],
)

function textOf({ format, pattern, minLength = 0, maxLength = 60 }: Schema): fc.Arbitrary<string> {
  if (format === 'date') return fc.oneof({ arbitrary: days, weight: 4 }, { arbitrary: oddText, weight: 1 })
  const edges = [minLength, maxLength, maxLength + 1].filter((length) => length < 20_000)
  const free = fc.oneof(
    { arbitrary: words, weight: 4 },
    { arbitrary: fc.constantFrom(...edges).map((length) => 'x'.repeat(length)), weight: 1 },
    { arbitrary: oddText, weight: 2 },
  )
  return pattern === undefined ? free : fc.oneof(fc.stringMatching(new RegExp(pattern)), free)
}

function numberOf({ minimum = -1000, maximum = 1000 }: Schema, isWhole: boolean): fc.Arbitrary<number> {
  const most = Math.min(maximum, 1e6)
  const least = Math.max(minimum, -1e6)
  const within = isWhole
    ? fc.integer({ min: Math.ceil(least), max: Math.floor(most) })
    : fc.double({ min: least, max: most, noNaN: true })
  const small = fc.constantFrom(...[1, 2, 5].filter((number) => number >= least && number <= most), least)
  return fc.oneof(
    { arbitrary: small, weight: 3 },
    { arbitrary: within, weight: 2 },
    { arbitrary: fc.constantFrom(minimum, maximum, minimum - 1, maximum + 1), weight: 1 },
  )
}

/** Changes what lies at the end of a way through lists and maps. */
function spoil(value: unknown, way: readonly number[], change: { odd: unknown; kind: number }): unknown {
  if (value === null || typeof value !== 'object' || way.length === 0) return change.odd
  const entries = Object.entries(value)
  const [step, ...rest] = way
  const place = entries.length === 0 ? 0 : step % entries.length
  const changed =
    change.kind === 0 && rest.length === 0
      ? entries.filter((_, index) => index !== place)
      : change.kind === 1 && rest.length === 0
        ? [...entries, ['surplus', change.odd] as const]
        : entries.map(
            ([name, one], index) => [name, index === place ? spoil(one, rest, change) : one] as const,
          )
  return Array.isArray(value) ? changed.map(([, one]) => one) : Object.fromEntries(changed)
}
