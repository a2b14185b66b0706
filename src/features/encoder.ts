import type { ResultColumn } from '../lake/database.ts'
import type { FeatureFrame } from './features.ts'

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

export type NumberEncoding = Extract<FeatureEncoding, { kind: 'number' }>
export type CategoryEncoding = Extract<FeatureEncoding, { kind: 'category' }>

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
  let next = 0
  const parts = encoder.encodings.map((encoding) => {
    const offset = next
    next += columnsOf(encoding, view)
    return { offset, write: writerOf(encoding, byName.get(encoding.name), { view, rows: frame.rows }) }
  })
  for (let from = 0; from < frame.rows; from += rowsAtOnce) {
    const to = Math.min(frame.rows, from + rowsAtOnce)
    for (const { offset, write } of parts) write({ values, columns, offset, from, to })
  }
  return { rows: frame.rows, columns, values }
}

/** Rows whose encoded columns fit the processor's cache while one column after the other is written. */
const rowsAtOnce = 128

interface Target {
  /** Zeros where nothing was written yet. */
  readonly values: Float32Array
  readonly columns: number
  readonly offset: number
  /** Rows from … to − 1. */
  readonly from: number
  readonly to: number
}

type Writer = (target: Target) => void

function writerOf(
  encoding: FeatureEncoding,
  column: ResultColumn | undefined,
  { view, rows }: { readonly view: EncodedView; readonly rows: number },
): Writer {
  if (encoding.kind === 'category') {
    const place = categoryPlaces(encoding)
    const placeOf = (row: number) => place(column?.[row])
    return view === 'raw' ? rawWriter(placeOf) : categoryWriter(placeOf)
  }
  // A column that is none is missing everywhere.
  const numbers = column instanceof Float64Array ? column : new Float64Array(rows).fill(Number.NaN)
  if (view === 'raw') return rawNumberWriter(numbers)
  return numberWriter(encoding, numbers, view === 'piecewise' ? encoding.edges : [])
}

/** The place of a category's column: the last one is for all others and missing ones. */
function categoryPlaces({ categories }: CategoryEncoding): (value: unknown) => number {
  const places = new Map<unknown, number>(categories.map((category, index) => [category, index]))
  return (value) => places.get(value) ?? categories.length
}

function rawWriter(placeOf: (row: number) => number): Writer {
  return ({ values, columns, offset, from, to }) => {
    for (let row = from; row < to; row++) values[row * columns + offset] = placeOf(row)
  }
}

function rawNumberWriter(numbers: Float64Array): Writer {
  return ({ values, columns, offset, from, to }) => {
    for (let row = from; row < to; row++)
      values[row * columns + offset] = Number.isFinite(numbers[row]) ? numbers[row] : Number.NaN
  }
}

function categoryWriter(placeOf: (row: number) => number): Writer {
  return ({ values, columns, offset, from, to }) => {
    for (let row = from; row < to; row++) values[row * columns + offset + placeOf(row)] = 1
  }
}

function numberWriter(encoding: NumberEncoding, numbers: Float64Array, ascending: readonly number[]): Writer {
  const { hasMissing } = encoding
  const edges = Float64Array.from(ascending)
  const last = edges.length - 1
  const firstBin = hasMissing ? 2 : 1
  return ({ values, columns, offset, from, to }) => {
    for (let row = from; row < to; row++) {
      const value = numbers[row]
      const start = row * columns + offset
      if (!Number.isFinite(value)) {
        if (hasMissing) values[start + 1] = 1
        continue
      }
      values[start] = squash(encoding, value)
      let bin = 0
      for (; bin < last && value >= edges[bin + 1]; bin++) values[start + firstBin + bin] = 1
      if (bin < last && value > edges[bin])
        values[start + firstBin + bin] = (value - edges[bin]) / (edges[bin + 1] - edges[bin])
    }
  }
}

function squash(encoding: NumberEncoding, value: number): number {
  const seen = encoding.isLogged ? Math.log1p(Math.max(0, value)) : value
  const offset = Math.min(encoding.high, Math.max(encoding.low, seen)) - encoding.center
  const scaled = Math.min(1e6, Math.max(-1e6, offset / encoding.scale))
  return scaled / Math.sqrt(1 + (scaled / 3) ** 2)
}
