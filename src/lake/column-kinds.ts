import type { ExtraColumns } from './canonical.ts'
import { canonicalNames } from './canonical.ts'
import type { ColumnKind } from './commits.ts'
import { categoryOf, instantOf, isNumber, numberOf } from './conversions.ts'
import { type Database, quoteName } from './database.ts'
import { type SourceRelation, sqlError } from './source.ts'

/** Rows that are looked at first. */
const sampledRows = 200_000

/**
 * What each column beyond the canonical ones holds, and its name in the lake.
 *
 * What an earlier reading of the table found stays, so that a column never changes its type; names that differ only in
 * case are one column. Texts that are nearly all numbers, times or truth values count as such. A column without any
 * value is left out: what it holds will show when there is one.
 */
export async function columnKinds(
  database: Database,
  relation: SourceRelation,
  { known, timezone }: { known: ReadonlyMap<string, ColumnKind>; timezone: string },
): Promise<ExtraColumns> {
  const canonical = new Set(canonicalNames(relation.source.table))
  const knownNames = new Map([...known.keys()].map((name) => [name.toLowerCase(), name]))
  const found = new Map<string, { name: string; kind: ColumnKind }>()
  const texts: string[] = []
  for (const [own, type] of relation.columns) {
    if (canonical.has(own.toLowerCase())) continue
    const name = knownNames.get(own.toLowerCase())
    const kind = name === undefined ? kindOfType(type) : (known.get(name) as ColumnKind)
    if (kind !== null) found.set(own, { name: name ?? own, kind })
    else if (type !== '"NULL"') texts.push(own)
  }
  for (const [own, kind] of await sniffTexts(database, relation, { texts, timezone }))
    found.set(own, { name: own, kind })
  return new Map([...found].sort(([, a], [, b]) => (a.name < b.name ? -1 : 1)))
}

/** Null: a text, whose values must be looked at. */
function kindOfType(type: string): ColumnKind | null {
  if (type === 'BOOLEAN') return 'boolean'
  if (/^(DATE|TIMESTAMP)/.test(type)) return 'time'
  if (isNumber({ type })) return 'number'
  return ['VARCHAR', 'JSON', '"NULL"'].includes(type) ? null : 'category'
}

interface Sniffing {
  readonly texts: readonly string[]
  readonly timezone: string
}

async function sniffTexts(
  database: Database,
  relation: SourceRelation,
  { texts, timezone }: Sniffing,
): Promise<Map<string, ColumnKind>> {
  const rows = `(select * from (${relation.sql}\n) limit ${sampledRows})`
  const kinds = await sniff(database, relation, { texts, timezone, rows })
  const empty = texts.filter((name) => !kinds.has(name))
  if (empty.length === 0) return kinds
  const later = await sniff(database, relation, { texts: empty, timezone, rows: `(${relation.sql}\n)` })
  return new Map([...kinds, ...later])
}

async function sniff(
  database: Database,
  relation: SourceRelation,
  { texts, timezone, rows }: Sniffing & { rows: string },
): Promise<Map<string, ColumnKind>> {
  if (texts.length === 0) return new Map()
  const measures = texts.flatMap((name, place) => {
    const value = { sql: quoteName(name), type: relation.columns.get(name) as string }
    const text = categoryOf(value)
    return [
      `count(${text}) as filled_${place}`,
      // 01234 is a postcode: what begins with a zero is no amount.
      `count(${numberOf(value)}) filter (not regexp_matches(${text}, '^0[0-9]')) as numbers_${place}`,
      `count(${instantOf(value, timezone)}) as times_${place}`,
      `count(*) filter (lower(${text}) in ('true', 'false')) as booleans_${place}`,
    ]
  })
  const found = await database
    .row<Record<string, number>>(`select ${measures.join(', ')} from ${rows}`)
    .catch((error) => {
      throw sqlError(relation.source, error)
    })
  return new Map(
    texts.flatMap((name, place): [string, ColumnKind][] => {
      const kind = kindOfTexts(found, place)
      return kind === null ? [] : [[name, kind]]
    }),
  )
}

/** Null where there is no value at all. */
function kindOfTexts(found: Record<string, number>, place: number): ColumnKind | null {
  const filled = found[`filled_${place}`]
  if (filled === 0) return null
  const isNearlyAll = (count: number) => count >= 0.99 * filled
  if (isNearlyAll(found[`numbers_${place}`])) return 'number'
  if (isNearlyAll(found[`times_${place}`])) return 'time'
  return found[`booleans_${place}`] === filled ? 'boolean' : 'category'
}
