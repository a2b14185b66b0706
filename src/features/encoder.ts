import { createHash } from 'node:crypto'
import type { ResultColumn } from '../lake/database.ts'
import type { Feature } from './catalogue.ts'
import type { FeatureFrame } from './features.ts'
import { type BinaryTarget, findPiecewiseSplits, type PiecewiseSplits, piecewiseEdges } from './piecewise.ts'

/** A feature as the learners see it: what was learned about its scale, its bins or its categories. */
export type FeatureEncoding =
  | {
      readonly kind: 'number'
      readonly name: string
      readonly isLogged: boolean
      readonly low: number
      readonly high: number
      readonly center: number
      readonly scale: number
      /** Whether a flag of its own says that the value is missing. */
      readonly hasMissing: boolean
      /** Ascending edges of the bins the value climbs through; empty: none. */
      readonly edges: readonly number[]
    }
  | {
      readonly kind: 'category'
      readonly name: string
      /** Frequent categories, each a column of its own; the last column is for all others and missing ones. */
      readonly categories: readonly string[]
    }

/** Turns features into numbers around zero. Fitted on learning rows only; plain JSON. */
export interface Encoder {
  readonly encodings: readonly FeatureEncoding[]
}

export interface EncoderSettings {
  /** Most bins of a number's piecewise-linear encoding. 0: none. @default 16 */
  readonly mostBins?: number
  /** Most splits of all numbers together; those that gain most are kept. @default 320 */
  readonly mostSplits?: number
}

/**
 * Learns scales, categories and bins from some rows of a frame.
 *
 * @param targets what the piecewise bins should tell apart, one a task; labels aligned with `rows`.
 */
export function fitEncoder(
  frame: FeatureFrame,
  rows: Int32Array,
  options: { targets: readonly BinaryTarget[]; settings?: EncoderSettings },
): Encoder {
  const encodings: Unbinned[] = []
  for (const [index, feature] of frame.features.entries()) {
    const column = frame.columns[index]
    if (isCounted(feature) && missingShare(column, rows) > mostlyMissing) continue
    const encoding =
      feature.kind === 'category'
        ? fitCategory(feature.name, column as (string | null)[], rows)
        : fitNumber(feature.name, column as Float64Array, { rows, ...options })
    if (encoding) encodings.push(encoding)
  }
  const flagged = shareFlags(encodings, frame, rows)
  return { encodings: keepBestSplits(flagged, options.settings?.mostSplits ?? 320) }
}

/** Features that are missing in the same rows share the flag of the first of them. */
function shareFlags(encodings: readonly Unbinned[], frame: FeatureFrame, rows: Int32Array): Unbinned[] {
  const columns = new Map(frame.features.map(({ name }, index) => [name, frame.columns[index]]))
  const seen = new Set<string>()
  return encodings.map((encoding) => {
    if (encoding.kind === 'category' || !encoding.hasMissing) return encoding
    const pattern = missingPattern(columns.get(encoding.name) as Float64Array, rows)
    if (seen.has(pattern)) return { ...encoding, hasMissing: false }
    seen.add(pattern)
    return encoding
  })
}

/** The same for columns that are missing in the same rows. */
function missingPattern(column: Float64Array, rows: Int32Array): string {
  const bits = new Uint8Array(Math.ceil(rows.length / 8))
  for (let at = 0; at < rows.length; at++) {
    if (!Number.isFinite(column[rows[at]])) bits[at >> 3] |= 1 << (at & 7)
  }
  return createHash('sha256').update(bits).digest('base64')
}

type NumberEncoding = Extract<FeatureEncoding, { kind: 'number' }>
type CategoryEncoding = Extract<FeatureEncoding, { kind: 'category' }>
/** Numbers with their splits not yet chosen among those of all numbers. */
type Unbinned = CategoryEncoding | (Omit<NumberEncoding, 'edges'> & { readonly splits: PiecewiseSplits })

/** With many features most splits are chance: those that gain most over all features become bins. */
function keepBestSplits(encodings: readonly Unbinned[], mostSplits: number): FeatureEncoding[] {
  const gains = encodings
    .flatMap((encoding) => (encoding.kind === 'number' ? encoding.splits.splits : []))
    .map(({ gain }) => gain)
    .sort((a, b) => b - a)
  const leastGain = gains.length > mostSplits ? gains[mostSplits - 1] : 0
  return encodings.map((encoding) => {
    if (encoding.kind === 'category') return encoding
    const { splits, ...number } = encoding
    return { ...number, edges: piecewiseEdges(splits, leastGain) }
  })
}

/**
 * A window that the data reached back for at few cutoffs only is left out: known always later on, it would carry what
 * little was seen of it, and its era, into every prediction.
 */
const mostlyMissing = 0.5

/** Known for everybody as soon as the window is covered, so that missing means: the data did not reach back. */
function isCounted({ windowDays, unit }: Feature): boolean {
  return windowDays !== null && ['events', 'value', 'types', 'days', 'log ratio'].includes(unit)
}

function missingShare(column: ResultColumn, rows: Int32Array): number {
  let missing = 0
  for (const row of rows) if (column[row] === null || Number.isNaN(column[row])) missing++
  return missing / rows.length
}

function fitCategory(
  name: string,
  column: readonly (string | null)[],
  rows: Int32Array,
): CategoryEncoding | null {
  const counts = new Map<string, number>()
  for (const row of rows) {
    const value = column[row]
    if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  const fewest = Math.max(Math.min(20, rows.length / 20), 0.002 * rows.length)
  const categories = [...counts]
    .filter(([, count]) => count >= fewest && count < rows.length)
    .sort(([a, first], [b, second]) => second - first || (a < b ? -1 : 1))
    .slice(0, 64)
    .map(([category]) => category)
  return categories.length === 0 ? null : { kind: 'category', name, categories }
}

function fitNumber(
  name: string,
  column: Float64Array,
  {
    rows,
    targets,
    settings,
  }: { rows: Int32Array; targets: readonly BinaryTarget[]; settings?: EncoderSettings },
): Unbinned | null {
  const present = new Float64Array(rows.length)
  let count = 0
  for (const row of rows) if (Number.isFinite(column[row])) present[count++] = column[row]
  const sorted = present.subarray(0, count).sort()
  if (count === 0) return null
  const hasMissing = count < rows.length
  if (sorted[0] === sorted[count - 1] && !hasMissing) return null
  const at = (share: number) => sorted[Math.min(count - 1, Math.max(0, Math.round(share * (count - 1))))]
  const isLogged =
    sorted[0] >= 0 && at(0.99) - at(0.5) > 3 * Math.max(at(0.5) - at(0.01), 1e-9) && at(0.99) > 2
  const view = (value: number) => (isLogged ? Math.log1p(value) : value)
  const [low, high] =
    at(0.002) < at(0.998) ? [view(at(0.002)), view(at(0.998))] : [view(sorted[0]), view(sorted[count - 1])]
  const spread = (view(at(0.75)) - view(at(0.25))) / 1.349
  const center = view(at(0.5))
  const scale = spread > 1e-9 ? spread : Math.max((high - low) / 4, 1e-9)
  const mostBins = settings?.mostBins ?? 16
  const splits = findPiecewiseSplits(column, rows, { targets: mostBins === 0 ? [] : targets, mostBins })
  return { kind: 'number', name, isLogged, low, high, center, scale, hasMissing, splits }
}

/**
 * Which columns of the encoded rows: scaled numbers, flags and categories; these and the piecewise bins; or raw, a
 * column a feature, where missing numbers are NaN and a category is its place.
 */
export type EncodedView = 'plain' | 'piecewise' | 'raw'

/** For each encoded column the index of the encoding it comes from. */
export function columnOrigins(encoder: Encoder, view: EncodedView): Int32Array {
  return Int32Array.from(
    encoder.encodings.flatMap((encoding, index) => new Array(columnsOf(encoding, view)).fill(index)),
  )
}

/** Categories of each raw column, those for all others included; 0 for a number. */
export function rawCategories(encoder: Encoder): Int32Array {
  return Int32Array.from(encoder.encodings, (encoding) =>
    encoding.kind === 'category' ? encoding.categories.length + 1 : 0,
  )
}

/** Encoded columns of a feature. */
export function columnsOf(encoding: FeatureEncoding, view: EncodedView): number {
  if (view === 'raw') return 1
  if (encoding.kind === 'category') return encoding.categories.length + 1
  const bins = view === 'piecewise' && encoding.edges.length > 0 ? encoding.edges.length - 1 : 0
  return 1 + (encoding.hasMissing ? 1 : 0) + bins
}

/** Rows × columns of float32, row after row. */
export interface EncodedRows {
  readonly rows: number
  readonly columns: number
  readonly values: Float32Array
}

/**
 * Encodes every row of a frame: numbers into (-3, 3), flags, categories and bins into [0, 1]. A feature the frame
 * lacks, and a number that is not finite, is missing.
 */
export function encode(encoder: Encoder, frame: FeatureFrame, view: EncodedView): EncodedRows {
  const columns = columnOrigins(encoder, view).length
  const values = new Float32Array(frame.rows * columns)
  const byName = new Map(frame.features.map((feature, index) => [feature.name, frame.columns[index]]))
  for (let from = 0; from < frame.rows; from += rowsAtOnce) {
    const to = Math.min(frame.rows, from + rowsAtOnce)
    let offset = 0
    for (const encoding of encoder.encodings) {
      const target = { values, columns, offset, from, to }
      const column = byName.get(encoding.name)
      if (view === 'raw') copyRaw(encoding, column, target)
      else if (encoding.kind === 'category') encodeCategory(encoding, column, target)
      else encodeNumber(encoding, column, { ...target, view })
      offset += columnsOf(encoding, view)
    }
  }
  return { rows: frame.rows, columns, values }
}

/** Rows whose encoded columns fit the processor's cache while one column after the other is written. */
const rowsAtOnce = 256

interface Target {
  readonly values: Float32Array
  readonly columns: number
  readonly offset: number
  /** Rows from … to − 1. */
  readonly from: number
  readonly to: number
}

function copyRaw(
  encoding: FeatureEncoding,
  column: ResultColumn | undefined,
  { values, columns, offset, from, to }: Target,
): void {
  const place = encoding.kind === 'category' ? categoryPlaces(encoding) : null
  for (let row = from; row < to; row++) {
    const value = column?.[row]
    const number = typeof value === 'number' && Number.isFinite(value) ? value : Number.NaN
    values[row * columns + offset] = place ? place(value) : number
  }
}

/** The place of a category's column: the last one is for all others and missing ones. */
function categoryPlaces({ categories }: CategoryEncoding): (value: unknown) => number {
  const places = new Map<unknown, number>(categories.map((category, index) => [category, index]))
  return (value) => places.get(value) ?? categories.length
}

function encodeCategory(
  encoding: CategoryEncoding,
  column: ResultColumn | undefined,
  { values, columns, offset, from, to }: Target,
): void {
  const place = categoryPlaces(encoding)
  for (let row = from; row < to; row++) values[row * columns + offset + place(column?.[row])] = 1
}

function encodeNumber(
  encoding: NumberEncoding,
  column: ResultColumn | undefined,
  { values, columns, offset, from, to, view }: Target & { view: EncodedView },
): void {
  const { edges, hasMissing } = encoding
  const bins = offset + 1 + (hasMissing ? 1 : 0)
  for (let row = from; row < to; row++) {
    const value = column === undefined ? Number.NaN : (column[row] as number)
    const start = row * columns
    if (!Number.isFinite(value)) {
      if (hasMissing) values[start + offset + 1] = 1
      continue
    }
    values[start + offset] = squash(encoding, value)
    if (view === 'plain') continue
    for (let bin = 0; bin + 1 < edges.length; bin++) {
      const climbed = (value - edges[bin]) / (edges[bin + 1] - edges[bin])
      if (climbed <= 0) break
      values[start + bins + bin] = Math.min(1, climbed)
    }
  }
}

function squash(encoding: NumberEncoding, value: number): number {
  const seen = encoding.isLogged ? Math.log1p(Math.max(0, value)) : value
  const offset = Math.min(encoding.high, Math.max(encoding.low, seen)) - encoding.center
  const scaled = Math.min(1e6, Math.max(-1e6, offset / encoding.scale))
  return scaled / Math.sqrt(1 + (scaled / 3) ** 2)
}
