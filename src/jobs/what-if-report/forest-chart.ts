import type { CustomSeriesOption } from 'echarts/charts'
import { chartWidth, drawChart, labelStyle, lineAt, oneLine, valueAxis, widthOf } from './charts.ts'
import type { Markup } from './markup.ts'
import { accent, ink, neutral } from './style.ts'

type Interval = readonly [number, number]

/** A row of a forest plot: a value with its intervals, and how it is written at its end. */
export interface ForestRow {
  readonly label: string
  readonly value: number
  /** Null: the row has none. */
  readonly ci80: Interval | null
  readonly ci95: Interval | null
  readonly shown: string
  /** Stands back behind the others. */
  readonly isBaseline?: boolean
}

export interface ForestChart {
  readonly rows: readonly ForestRow[]
  /** What the values are, with their unit. */
  readonly unit: string
  readonly write: (value: number) => string
  /** A line that values are held against; null: zero. */
  readonly target: { readonly value: number; readonly words: string } | null
  /** What it shows, for who cannot see it. */
  readonly words: string
}

const rowHeight = 26
const above = 22
const below = 52

/** Draws values below each other, with 80% intervals as thick and 95% intervals as thin lines. */
export function drawForest({ rows, unit, write, target, words }: ForestChart): Markup {
  const labels = rows.map(({ label }) => oneLine(label, 34))
  const shown = rows.map((row) => row.shown)
  const edge = (texts: readonly string[]) => Math.max(...texts.map(widthOf)) + 16
  const category = (data: readonly string[]) => ({
    type: 'category',
    inverse: true,
    data: [...data],
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { ...labelStyle, color: ink, interval: 0 },
  })
  const ends = rows.flatMap(({ value, ci95 }) => [value, ...(ci95 ?? [])])
  return drawChart(
    {
      grid: { left: edge(labels), right: Math.min(edge(shown), chartWidth / 2), top: above, bottom: below },
      xAxis: {
        ...valueAxis(unit, write),
        splitNumber: 4,
        scale: target !== null,
        ...rangeOf(target === null ? [...ends, 0] : [...ends, target.value]),
      },
      yAxis: [category(labels), { ...category(shown), position: 'right' }],
      series: [
        {
          type: 'custom',
          silent: true,
          renderItem,
          encode: { x: [0, 1, 2, 3, 4], y: 5 },
          data: rows.map(({ value, ci80, ci95, isBaseline }, row) => [
            value,
            ...(ci80 ?? [value, value]),
            ...(ci95 ?? [value, value]),
            row,
            isBaseline ? 1 : 0,
          ]),
          ...(target === null ? lineAt('xAxis', 0) : lineAt('xAxis', target.value, target.words)),
        },
      ],
    },
    { height: above + below + rowHeight * rows.length, words },
  )
}

/** Where all values are one, an axis needs some room around it. */
function rangeOf(values: readonly number[]): { min?: number; max?: number } {
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return high - low > 1e-9 ? {} : { min: low - 1, max: high + 1 }
}

const renderItem: CustomSeriesOption['renderItem'] = (_, api) => {
  const [value, low80, high80, low95, high95, row, isBaseline] = [0, 1, 2, 3, 4, 5, 6].map((at) =>
    Number(api.value(at)),
  )
  const colour = isBaseline === 1 ? neutral : accent
  const at = (x: number) => api.coord([x, row])
  const bar = (low: number, high: number, lineWidth: number) => ({
    type: 'line' as const,
    shape: { x1: at(low)[0], y1: at(low)[1], x2: at(high)[0], y2: at(high)[1] },
    style: { stroke: colour, lineWidth },
  })
  const [cx, cy] = at(value)
  return {
    type: 'group',
    children: [
      bar(low95, high95, 1.5),
      bar(low80, high80, 5),
      { type: 'circle', shape: { cx, cy, r: 5 }, style: { fill: colour, stroke: '#fff', lineWidth: 1.5 } },
    ],
  }
}
