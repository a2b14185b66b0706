import type { TableName } from './program.ts'

/** A call in Segment's shape as the row that it is; or why it is none. */
export interface CallRow {
  readonly table: TableName
  readonly row: Readonly<Record<string, unknown>> | null
  readonly refusal?: { readonly reason: 'no_customer' | 'unknown_call'; readonly words: string }
}

/** Traits that say who somebody is, not what moves them: they are not kept. */
const identityTraits = new Set(
  'address avatar birthday createdAt created_at description email firstName lastName name phone username website'.split(
    ' ',
  ),
)

type Call = Readonly<Record<string, unknown>>

/**
 * Takes `identify` as a customer's attributes, and `track`, `page` and `screen` as events.
 *
 * @param type of the call; where it is null the call says it. @param now ISO 8601, for calls without a time of their own
 */
export function rowOfCall(call: unknown, { type, now }: { type: string | null; now: string }): CallRow {
  const given: Call = typeof call === 'object' && call !== null ? (call as Call) : {}
  const kind = type ?? given.type
  const table = kind === 'identify' ? 'customers' : 'events'
  if (kind !== 'identify' && kind !== 'track' && kind !== 'page' && kind !== 'screen')
    return {
      table,
      row: null,
      refusal: { reason: 'unknown_call', words: `${table}: a call of another type` },
    }
  if (isMissing(given.userId)) {
    const words = isMissing(given.anonymousId)
      ? 'no userId'
      : 'no userId but an anonymousId: who is not known is not predicted'
    return { table, row: null, refusal: { reason: 'no_customer', words } }
  }
  const at = given.timestamp ?? given.originalTimestamp ?? now
  return { table, row: table === 'customers' ? customerOf(given, at) : eventOf(given, kind, at) }
}

function customerOf({ userId, traits }: Call, at: unknown): Record<string, unknown> {
  const given = mapOf(traits)
  const kept = Object.entries(given).filter(([name]) => !identityTraits.has(name))
  const joined = given.createdAt ?? given.created_at
  return {
    ...plainProperties(Object.fromEntries(kept), reserved.customers),
    customer_id: userId,
    valid_from: at,
    ...(typeof joined === 'string' && { joined_at: joined }),
  }
}

function eventOf(
  { userId, event, name, properties, messageId }: Call,
  kind: string,
  at: unknown,
): Record<string, unknown> {
  const { revenue, value, ...others } = mapOf(properties)
  const title = kind === 'track' || isMissing(name) ? {} : { name }
  return {
    ...plainProperties({ ...others, ...title }, reserved.events),
    customer_id: userId,
    at,
    type: kind === 'track' ? eventType(event) : `${kind}_viewed`,
    value: revenue ?? value,
    event_id: messageId,
  }
}

/** Names of columns that a property would take the place of. */
const reserved = {
  customers: new Set(['customer_id', 'valid_from', 'joined_at', 'observed_until', 'account_id']),
  events: new Set(['customer_id', 'at', 'type', 'value', 'event_id']),
}

/** "Order Completed" and "orderCompleted" as `order_completed`. */
export function eventType(event: unknown): string | null {
  if (typeof event !== 'string') return null
  return event
    .replaceAll(/(\p{Ll}|\p{N})(\p{Lu})/gu, '$1_$2')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '_')
    .replaceAll(/^_+|_+$/g, '')
}

/** Texts, numbers and truth values; those of a map within as `outer.inner`. Lists and what is too long are left out. */
function plainProperties(properties: Call, taken: ReadonlySet<string>): Record<string, unknown> {
  const flat = Object.entries(properties).flatMap(([name, value]): [string, unknown][] =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.entries(value).map(([inner, one]) => [`${name}.${inner}`, one])
      : [[name, value]],
  )
  const names = new Set(taken)
  const kept = flat.filter(([name, value]) => {
    const isPlain =
      typeof value === 'number' ||
      typeof value === 'boolean' ||
      (typeof value === 'string' && value.length <= 1000)
    const isNamed = /^(?!__)[\p{L}\p{N}_$][\p{L}\p{N}_ .:$-]{0,99}$/u.test(name) && name === name.trim()
    if (!isPlain || !isNamed || names.has(name.toLowerCase())) return false
    names.add(name.toLowerCase())
    return true
  })
  return Object.fromEntries(kept.slice(0, 100))
}

function mapOf(value: unknown): Call {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Call) : {}
}

function isMissing(value: unknown): boolean {
  return value === undefined || value === null || value === ''
}
