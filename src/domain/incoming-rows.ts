import { earliestJoiningMs, readTime, type WrittenTime } from './incoming-times.ts'
import type { TableName } from './program.ts'
import { metricRanges, type QuarantineReason, quarantineReasons, tableShapes } from './tables.ts'

/** A row that was sent, as it is kept until it is ingested: canonical columns, and everything else under `extra`. */
export interface KeptRow {
  readonly table: TableName
  /** The id that the sender gave; null where it gave none, and for customers. */
  readonly id: string | null
  readonly customerId: string
  /** Canonical column → text or number; `extra` → properties or attributes. */
  readonly columns: Record<string, unknown>
}

/** Why a row is not kept. */
export interface RefusedRow {
  readonly table: TableName
  readonly reason: QuarantineReason
  readonly words: string
}

/** Column of each table by which a row that is sent twice is known. */
export const idColumns: Readonly<Record<TableName, string | null>> = {
  events: 'event_id',
  responses: 'response_id',
  interventions: 'intervention_id',
  customers: null,
}

/** Amounts beyond this are typing errors. */
export const largestAmount = 1e12

/** Most properties or attributes of a row, and characters of their names, their values and of a comment. */
export const rowLimits = {
  properties: 100,
  nameLength: 100,
  textLength: 1000,
  commentLength: 10_000,
} as const

const times: ReadonlySet<string> = new Set(['at', 'valid_from', 'joined_at', 'observed_until'])
const numbers: ReadonlySet<string> = new Set(['value', 'score', 'weight', 'cost', 'annual_value'])
const namePattern = /^(?!__)[\p{L}\p{N}_$][\p{L}\p{N}_ .:$-]*$/u

class Refusal extends Error {
  constructor(
    readonly reason: QuarantineReason,
    readonly words: string = quarantineReasons[reason],
  ) {
    super(words)
  }
}

/**
 * Takes a row as somebody sent it, or says why not: by the rules and for the reasons of ingest, so that what is taken
 * here is taken there.
 *
 * @param nowMs the clock, milliseconds since 1970.
 */
export function judgeRow(table: TableName, row: unknown, nowMs: number): KeptRow | RefusedRow {
  try {
    return keptRow(table, row, nowMs)
  } catch (error) {
    if (error instanceof Refusal) return { table, reason: error.reason, words: error.words }
    throw error
  }
}

/** Whether a judged row is kept. */
export function isKept(row: KeptRow | RefusedRow): row is KeptRow {
  return !('reason' in row)
}

function keptRow(table: TableName, row: unknown, nowMs: number): KeptRow {
  if (typeof row !== 'object' || row === null || Array.isArray(row))
    throw new Refusal('malformed_line', 'no object of columns and values')
  const { given, extra } = sorted(table, row as Record<string, unknown>)
  const columns: Record<string, unknown> = {}
  const trouble: Trouble = { time: null, number: null, text: null }
  for (const [name, value] of given) {
    const read = times.has(name)
      ? readTimeOf(name, value, trouble)
      : numbers.has(name)
        ? readNumber(name, value, trouble)
        : readText(name, value, trouble)
    if (read !== null) columns[name] = read
  }
  if (columns.customer_id === undefined) throw trouble.text ?? new Refusal('no_customer')
  checkTimes(table, { columns, trouble, nowMs })
  if (trouble.text) throw trouble.text
  checkTable(table, columns)
  if (trouble.number) throw trouble.number
  const kept = propertiesOf(extra)
  for (const name of times) if (columns[name]) columns[name] = (columns[name] as WrittenTime).text
  if (kept !== null) columns.extra = kept
  const idColumn = idColumns[table]
  const id = idColumn === null ? null : ((columns[idColumn] as string | undefined) ?? null)
  return { table, id, customerId: columns.customer_id as string, columns }
}

/** What was there and could not be read: it counts where nothing else is wrong before it. */
interface Trouble {
  time: Refusal | null
  number: Refusal | null
  text: Refusal | null
}

const canonical: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries(tableShapes).map(([table, { required, optional }]) => [
    table,
    new Set([...required, ...optional]),
  ]),
)

/** Canonical columns, whatever the case of their names, apart from everything else. */
function sorted(table: TableName, row: Record<string, unknown>) {
  const columns = canonical.get(table) as ReadonlySet<string>
  const given = new Map<string, unknown>()
  const extra: [string, unknown][] = []
  for (const [written, value] of Object.entries(row)) {
    const name = columns.has(written) ? written : written.trim().toLowerCase()
    if (!columns.has(name)) extra.push([written.trim(), value])
    else if (given.has(name)) throw new Refusal('bad_property', `two columns are called ${name}`)
    else given.set(name, value)
  }
  return { given, extra }
}

function readTimeOf(name: string, value: unknown, trouble: Trouble): WrittenTime | null {
  if (isEmpty(value)) return null
  const time = typeof value === 'string' ? readTime(value.trim()) : null
  if (time === null)
    trouble.time ??= new Refusal(
      'bad_time',
      `${name} is no time that can be read, such as 2026-11-20T08:30:00Z or 2026-11-20`,
    )
  return time
}

function readNumber(name: string, value: unknown, trouble: Trouble): number | null {
  if (isEmpty(value)) return null
  const number =
    typeof value === 'number' ? value : typeof value === 'string' ? Number(value.trim()) : Number.NaN
  const isSound = Number.isFinite(number) && (name === 'score' || Math.abs(number) <= largestAmount)
  if (isSound) return number
  trouble.number ??= new Refusal('bad_value', `${name} is no finite number up to ${largestAmount}`)
  return null
}

function readText(name: string, value: unknown, trouble: Trouble): string | null {
  if (isEmpty(value)) return null
  const text = typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : null
  const longest = name === 'comment' ? rowLimits.commentLength : name === 'customer_id' ? 512 : 200
  if (text === null) trouble.text ??= new Refusal('bad_text', `${name} is no text`)
  else if (text.length > longest)
    trouble.text ??= new Refusal('bad_text', `${name} is longer than ${longest} characters`)
  else if (!isPlain(text)) trouble.text ??= new Refusal('bad_text', `${name} holds characters that are none`)
  else if (name === 'customer_id') return text === 'nan' || text === 'NaN' ? null : text
  else return name === 'metric' ? text.toLowerCase() : text
  return null
}

function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || (typeof value === 'string' && value.trim() === '')
}

/** Without half characters and zero bytes, which no file can hold. */
function isPlain(text: string): boolean {
  return !/[\ud800-\udfff\0]/u.test(text)
}

const dayMs = 24 * 3600 * 1000

function checkTimes(
  table: TableName,
  { columns, trouble, nowMs }: { columns: Record<string, unknown>; trouble: Trouble; nowMs: number },
): void {
  if (trouble.time) throw trouble.time
  if (table !== 'customers' && columns.at === undefined)
    throw new Refusal('bad_time', 'there is no time in at')
  for (const name of times) {
    const time = columns[name] as WrittenTime | undefined
    if (time === undefined) continue
    const isJoining = name === 'valid_from' || name === 'joined_at'
    if (isJoining ? isEmptyJoining(time) : time.earliestMs < dayMs) throw new Refusal('empty_time')
    if (name !== 'observed_until' && time.latestMs > nowMs + 366 * dayMs) throw new Refusal('far_future')
  }
}

/** People join before 1970 too; what an empty timestamp gives is 1970-01-01 itself, or the year 1. */
function isEmptyJoining(time: WrittenTime): boolean {
  return time.earliestMs < earliestJoiningMs || /^1970-01-01([T ]00:00:00|$)/.test(time.text)
}

function checkTable(table: TableName, columns: Record<string, unknown>): void {
  if (table === 'events' && columns.type === undefined) throw new Refusal('no_type')
  if (table === 'interventions' && (columns.initiative === undefined || columns.arm === undefined))
    throw new Refusal('no_arm')
  if (table === 'responses') checkAnswer(columns)
}

function checkAnswer({ metric, score, weight }: Record<string, unknown>): void {
  if (typeof metric !== 'string' || !Object.hasOwn(metricRanges, metric)) throw new Refusal('unknown_metric')
  if (typeof score !== 'number') throw new Refusal('bad_value', 'score is no finite number')
  const [lowest, highest] = metricRanges[metric as keyof typeof metricRanges]
  if (score < lowest || score > highest)
    throw new Refusal('score_out_of_range', `score is ${score}; ${metric} goes from ${lowest} to ${highest}`)
  if (metric === 'nps' && !Number.isInteger(score))
    throw new Refusal('score_out_of_range', `score is ${score}; an nps answer is a whole number`)
  if (typeof weight === 'number' && weight < 0) throw new Refusal('bad_value', 'weight is below 0')
}

/** Null where there are none. Names that differ only in case are one column, so that a row may have only one of them. */
function propertiesOf(extra: readonly [string, unknown][]): Record<string, unknown> | null {
  const kept: Record<string, unknown> = Object.create(null)
  const names = new Set<string>()
  for (const [name, value] of extra) {
    if (isEmpty(value)) continue
    if (name.length > rowLimits.nameLength || !namePattern.test(name))
      throw new Refusal(
        'bad_property',
        `a name of a property that is none: letters, digits, _, ., :, $, - and blanks, up to ${rowLimits.nameLength} characters`,
      )
    if (names.has(name.toLowerCase())) throw new Refusal('bad_property', `two properties are called ${name}`)
    names.add(name.toLowerCase())
    kept[name] = propertyOf(name, value)
  }
  if (names.size > rowLimits.properties)
    throw new Refusal('bad_property', `more than ${rowLimits.properties} properties`)
  return names.size === 0 ? null : kept
}

function propertyOf(name: string, value: unknown): string | number | boolean {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number' && Number.isFinite(value)) return value
  if (typeof value !== 'string')
    throw new Refusal('bad_property', `${name} is no text, number, true or false`)
  if (value.length > rowLimits.textLength)
    throw new Refusal('bad_property', `${name} is longer than ${rowLimits.textLength} characters`)
  if (!isPlain(value)) throw new Refusal('bad_property', `${name} holds characters that are none`)
  return value
}
