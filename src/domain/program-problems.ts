import { distance } from 'fastest-levenshtein'
import type { z } from 'zod'
import { reservedKeys } from './program-schema.ts'

/** What is wrong at one place of a program file: what was found, what is allowed, what to do. */
export interface Problem {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** The candidate that is spelled most like `word`; null where none comes close. */
export function nearest(word: string, candidates: readonly string[]): string | null {
  const far = (candidate: string) => distance(word.toLowerCase(), candidate.toLowerCase())
  const best = candidates.toSorted((a, b) => far(a) - far(b))[0]
  return best !== undefined && far(best) <= Math.max(1, Math.floor(word.length / 3)) ? best : null
}

/** A place of a program file, such as `sources.events[0].columns`; empty for the whole file. */
export function placeOf(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`))
    .join('')
    .replace(/^\./, '')
}

/** What the schema found wrong with `data`, one problem a key or value. */
export function problemsOf(error: z.ZodError, data: unknown): Problem[] {
  return error.issues.flatMap((issue) => describeIssue(issue, data))
}

function describeIssue(issue: z.core.$ZodIssue, data: unknown): Problem[] {
  const { path } = issue
  const found = valueAt(data, path)
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({ path: [...path, key], message: unknownKey(key, issue) }))
    case 'invalid_union':
      return describeUnion(issue, data)
    case 'invalid_key':
      return [{ path, message: `found ${show(path.at(-1))}; allowed: ${issue.issues[0]!.message}.` }]
    case 'invalid_value':
      return [{ path, message: wrongValue(found, issue.values.map(String)) }]
    default:
      return [{ path, message: notAllowed(found, issue) }]
  }
}

/** The problems of the alternative that the value was meant to be: the one of its kind (a list, a map, a text). */
function describeUnion(issue: z.core.$ZodIssueInvalidUnion, data: unknown): Problem[] {
  const meant = issue.errors.find(
    (issues) => !issues.some((it) => it.code === 'invalid_type' && it.path.length === 0),
  )
  if (!meant) return [{ path: issue.path, message: notAllowed(valueAt(data, issue.path), issue) }]
  return meant.flatMap((it) => describeIssue({ ...it, path: [...issue.path, ...it.path] }, data))
}

function unknownKey(key: string, issue: z.core.$ZodIssueUnrecognizedKeys): string {
  if (issue.path.length === 0 && reservedKeys.includes(key)) {
    return 'reserved for a later version and not available yet. Remove it.'
  }
  const known = issue.message.split(', ')
  return `not a known key.${suggestion([nearest(key, known)])} Allowed here: ${issue.message}.`
}

function wrongValue(found: unknown, allowed: readonly string[]): string {
  const near = typeof found === 'string' ? suggestion([nearest(found, allowed)]) : ''
  return `found ${show(found)}.${near} Allowed: ${allowed.join(', ')}.`
}

function notAllowed(
  found: unknown,
  { path, message }: { path: readonly PropertyKey[]; message: string },
): string {
  if (message.endsWith('.')) return message
  if (found === undefined) return `missing. Add it: ${message}.`
  return `found ${show(found)}; allowed: ${message}.${hint(found, path, message)}`
}

/** What to do about a frequent slip. */
function hint(found: unknown, path: readonly PropertyKey[], allowed: string): string {
  if (found === null) return path.length > 0 ? ' Fill it in or remove the key.' : ''
  if (allowed.includes('text') && isScalar(found) && typeof found !== 'string')
    return ` Write it in quotes: "${found}".`
  if (
    /number|amount/.test(allowed) &&
    typeof found === 'string' &&
    found.trim() !== '' &&
    Number.isFinite(Number(found))
  ) {
    return ' Write it without quotes.'
  }
  if (typeof found !== 'string') return ''
  if (path.at(-1) === 'timezone') return suggestion(nearTimezones(found))
  return path.at(-1) === 'currency' ? suggestion(nearCurrencies(found)) : ''
}

function suggestion(near: readonly (string | null)[]): string {
  const known = near.filter((name) => name !== null)
  return known.length > 0 ? ` Did you mean ${known.join(' or ')}?` : ''
}

/** Timezones spelled like `name`, as a whole or by their city. */
function nearTimezones(name: string): string[] {
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone')]
  const city = (zone: string) => zone.split('/').at(-1)!
  const near = [nearest(name, zones), nearest(city(name), zones.map(city))]
  return zones.filter((zone) => zone === near[0] || (near[0] === null && city(zone) === near[1]))
}

function nearCurrencies(name: string): string[] {
  const code = name.trim().slice(0, 3).toUpperCase()
  return Intl.supportedValuesOf('currency').filter((known) => known === code)
}

/** A value in few words. */
export function show(value: unknown): string {
  if (value === null) return 'nothing'
  if (typeof value === 'object' && !Array.isArray(value))
    return `a map with the keys ${Object.keys(value).join(', ') || '(none)'}`
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 60 ? `${text.slice(0, 57)}…` : text
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, step) => (isScalar(value) ? undefined : Object(value)[step]), data)
}
