import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Feature } from '../../src/features/catalogue.ts'
import { columnOrigins, encode, rawCategories } from '../../src/features/encoder.ts'
import type { FeatureFrame } from '../../src/features/features.ts'
import { fitEncoder } from '../../src/features/fit-encoder.ts'
import { findPiecewiseSplits, piecewiseEdges } from '../../src/features/piecewise.ts'

const feature = (name: string, kind: Feature['kind']): Feature => ({
  name,
  kind,
  unit: '',
  windowDays: null,
  words: name,
  origin: name,
})

const frameOf = (columns: Record<string, number[] | (string | null)[]>): FeatureFrame => {
  const entries = Object.entries(columns)
  const isText = (values: readonly unknown[]) =>
    values.some((value) => typeof value === 'string' || value === null)
  return {
    rows: entries[0]?.[1].length ?? 0,
    features: entries.map(([name, values]) => feature(name, isText(values) ? 'category' : 'number')),
    columns: entries.map(([, values]) =>
      isText(values) ? (values as (string | null)[]) : Float64Array.from(values as number[]),
    ),
  }
}
const allRows = (frame: FeatureFrame) => Int32Array.from({ length: frame.rows }, (_, row) => row)
const row = (encoded: { columns: number; values: Float32Array }, at: number) =>
  Array.from(encoded.values.subarray(at * encoded.columns, (at + 1) * encoded.columns))

describe('encoded values', () => {
  const wild = fc.oneof(
    fc.double(),
    fc.constantFrom(
      0,
      1,
      -1,
      1e300,
      -1e300,
      Number.MAX_VALUE,
      -Number.MAX_VALUE,
      5e-324,
      Number.NaN,
      Infinity,
      -Infinity,
    ),
    fc.integer({ min: -3, max: 3 }),
  )
  it('are finite and bounded for any numbers, seen or not', () => {
    const columns = fc
      .integer({ min: 40, max: 120 })
      .chain((length) =>
        fc.tuple(
          fc.array(wild, { minLength: length, maxLength: length }),
          fc.array(fc.constantFrom(0, 1), { minLength: length, maxLength: length }),
          fc.array(wild, { minLength: 1, maxLength: 20 }),
        ),
      )
    fc.assert(
      fc.property(columns, ([seen, label, later]) => {
        const frame = frameOf({ x: seen })
        const targets = [
          { label, weight: label.map(() => 1) },
          { label: seen.map((value) => (value > 0 ? 1 : 0)), weight: label.map(() => 1) },
        ]
        const encoder = fitEncoder(frame, allRows(frame), { targets })
        for (const encoding of encoder.encodings) {
          if (encoding.kind !== 'number') continue
          const { edges } = encoding
          for (let i = 1; i < edges.length; i++) expect(edges[i]).toBeGreaterThan(edges[i - 1])
        }
        for (const view of ['plain', 'piecewise'] as const) {
          for (const values of [seen, later]) {
            const encoded = encode(encoder, frameOf({ x: values }), view)
            expect(encoded.values).toHaveLength(values.length * columnOrigins(encoder, view).length)
            expect(encoded.values.every((value) => Math.abs(value) <= 3)).toBe(true)
          }
        }
      }),
      { numRuns: 200 },
    )
  })

  it('grow with the number, and extremes stay extreme', () => {
    const frame = frameOf({ x: [...Array.from({ length: 98 }, (_, index) => index / 100), 1e300, -1e300] })
    const encoder = fitEncoder(frame, allRows(frame), { targets: [] })
    const values = encode(encoder, frameOf({ x: [-1e308, -5, 0, 0.5, 0.9, 5, 1e308] }), 'plain').values
    for (let i = 1; i < values.length; i++) expect(values[i]).toBeGreaterThanOrEqual(values[i - 1])
    expect(values.at(0)).toBeLessThan(-2.9)
    expect(values.at(-1)).toBeGreaterThan(2.9)
  })

  it('flag what is missing, and leave out what is constant', () => {
    const frame = frameOf({
      x: [1, 2, Number.NaN, 4],
      constant: [3, 3, 3, 3],
      empty: [Number.NaN, Number.NaN, Number.NaN, Number.NaN],
      half: [5, Number.NaN, 5, 5],
    })
    const encoder = fitEncoder(frame, allRows(frame), { targets: [] })
    expect(encoder.encodings.map(({ name }) => name)).toEqual(['x', 'half'])
    const encoded = encode(encoder, frame, 'plain')
    expect(row(encoded, 2).slice(0, 2)).toEqual([0, 1])
    expect(row(encoded, 1)).toEqual([expect.any(Number), 0, 0, 1])
  })

  it('climb through one bin after the other', () => {
    const scale = { isLogged: false, low: -9, high: 9, center: 0, scale: 1, hasMissing: false }
    const encoder = { encodings: [{ kind: 'number', name: 'x', ...scale, edges: [0, 1, 3] } as const] }
    const x = [-1, 0, 0.5, 1, 2, 3, 4]
    const encoded = encode(encoder, frameOf({ x }), 'piecewise')
    expect(x.map((_, at) => row(encoded, at).slice(1))).toEqual([
      [0, 0],
      [0, 0],
      [0.5, 0],
      [1, 0],
      [1, 0.5],
      [1, 1],
      [1, 1],
    ])
  })

  it('put unseen, rare and missing categories into one column', () => {
    const seen = [...Array(30).fill('gold'), ...Array(30).fill('free'), 'rare', null]
    const frame = frameOf({ plan: seen })
    const encoder = fitEncoder(frame, allRows(frame), { targets: [] })
    const encoded = encode(encoder, frameOf({ plan: ['gold', 'free', 'new', 'rare', null] }), 'plain')
    const rows = [0, 1, 2, 3, 4].map((at) => row(encoded, at))
    expect(rows).toEqual([
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 1],
      [0, 0, 1],
      [0, 0, 1],
    ])
  })

  it('are, raw, the numbers themselves, NaN where missing, and places of categories', () => {
    const frame = frameOf({ x: [1, 2, 3, 1e9], plan: ['free', 'gold', 'free', 'gold'] })
    const encoder = fitEncoder(frame, allRows(frame), { targets: [] })
    const later = frameOf({ x: [7.5, Number.NaN], plan: ['gold', null] })
    const raw = encode(encoder, later, 'raw')
    expect([row(raw, 0), row(raw, 1)]).toEqual([
      [7.5, 1],
      [Number.NaN, 2],
    ])
    expect(Array.from(rawCategories(encoder))).toEqual([0, 3])
    expect(encode(encoder, frameOf({ other: [1] }), 'raw').values).toEqual(Float32Array.of(Number.NaN, 2))
  })

  it('take a feature that the frame lacks, or holds as text, as missing', () => {
    const frame = frameOf({ x: [1, 2, Number.NaN, 4], plan: ['a', 'b', 'a', 'b'] })
    const encoder = fitEncoder(frame, allRows(frame), { targets: [] })
    const without = encode(encoder, { ...frameOf({ other: [1, 2] }) }, 'piecewise')
    expect(row(without, 0)).toEqual([0, 1, 0, 0, 1])
    expect(row(encode(encoder, frameOf({ x: ['a', 'b'], plan: [1, 2] }), 'piecewise'), 0)).toEqual([
      0, 1, 0, 0, 1,
    ])
  })

  it('come from learning rows only', () => {
    const frame = frameOf({ x: [1, 2, 3, 4, 1e9, -1e9] })
    const rows = Int32Array.from([0, 1, 2, 3])
    expect(fitEncoder(frame, rows, { targets: [] })).toEqual(
      fitEncoder(frameOf({ x: [1, 2, 3, 4] }), rows, { targets: [] }),
    )
    expect(fitEncoder(frame, new Int32Array(0), { targets: [] }).encodings).toEqual([])
  })
})

describe('piecewise edges', () => {
  const values = Float64Array.from({ length: 400 }, (_, index) => index / 10)
  const rows = Int32Array.from(values.keys())
  const weight = new Float64Array(400).fill(1)
  it('find the step of a label', () => {
    const label = Array.from(values, (value) => (value >= 20 ? 1 : 0))
    const edges = piecewiseEdges(
      findPiecewiseSplits(values, rows, { targets: [{ label, weight }], mostBins: 16 }),
    )
    const closest = Math.min(...edges.map((edge) => Math.abs(edge - 20)))
    expect(closest).toBeLessThan(0.5)
    expect(edges.length).toBeLessThanOrEqual(17)
  })
  it('are none where nothing is told, or rows are few', () => {
    const constant = { label: new Float64Array(400), weight }
    expect(findPiecewiseSplits(values, rows, { targets: [constant], mostBins: 16 }).splits).toEqual([])
    const few = { label: [0, 1, 0, 1], weight: [1, 1, 1, 1] }
    expect(findPiecewiseSplits(values, rows.subarray(0, 4), { targets: [few], mostBins: 16 }).splits).toEqual(
      [],
    )
  })
})

describe('columns that would say the same', () => {
  const gap = (at: number) => at % 3 === 0
  const frame = frameOf({
    a: Array.from({ length: 90 }, (_, at) => (gap(at) ? Number.NaN : at)),
    b: Array.from({ length: 90 }, (_, at) => (gap(at) ? Number.NaN : -at * 2)),
    c: Array.from({ length: 90 }, (_, at) => (at % 5 === 0 ? Number.NaN : at)),
  })

  it('are left out: features missing in the same rows share a flag', () => {
    const { encodings } = fitEncoder(frame, allRows(frame), { targets: [] })
    expect(encodings.map((encoding) => encoding.kind === 'number' && encoding.hasMissing)).toEqual([
      true,
      false,
      true,
    ])
  })
  it('are bins of chance: only the best splits of all features are kept', () => {
    const rows = 4000
    const value = (at: number, step: number) => ((at * step) % 997) / 997
    const wide = frameOf({
      telling: Array.from({ length: rows }, (_, at) => value(at, 31)),
      chance: Array.from({ length: rows }, (_, at) => value(at, 577)),
    })
    const label = Array.from(
      { length: rows },
      (_, at) => (value(at, 31) > 0.4 ? 1 : 0) ^ (at % 7 === 0 ? 1 : 0),
    )
    const target = { label, weight: new Array(rows).fill(1) }
    const { encodings } = fitEncoder(wide, allRows(wide), { targets: [target], settings: { mostSplits: 1 } })
    const edges = encodings.map((encoding) => (encoding.kind === 'number' ? encoding.edges : []))
    expect(edges[0]).toHaveLength(3)
    expect(edges[0][1]).toBeCloseTo(0.4, 1)
    expect(edges[1]).toEqual([])
  })
})
