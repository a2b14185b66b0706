import type { CustomSeriesOption } from 'echarts/charts'
import { drawChart, labelStyle, lineAt, valueAxis } from './charts.ts'
import type { Markup } from './markup.ts'
import { accent, neutral } from './style.ts'

/** A point of a curve. */
export interface CurvePoint {
  readonly x: number
  readonly value: number
  readonly ci80: readonly [number, number]
  readonly ci95: readonly [number, number]
  /** Drawn hollow: outside what is known. */
  readonly isOutside?: boolean
}

export interface Curve {
  readonly points: readonly CurvePoint[]
  /** Stands back: dashed and grey. */
  readonly isBaseline: boolean
}

export interface CurveChart {
  readonly curves: readonly Curve[]
  readonly x: {
    readonly unit: string
    readonly write: (value: number) => string
    readonly interval: number | null
  }
  readonly y: { readonly unit: string; readonly write: (value: number) => string }
  /** Whether zero is in the picture, with a line. */
  readonly hasZero: boolean
  /** What it shows, for who cannot see it. */
  readonly words: string
}

const height = 300

/** Draws curves with their 80% and 95% intervals as bands. */
export function drawCurves({ curves, x, y, hasZero, words }: CurveChart): Markup {
  const all = curves.flatMap(({ points }) => points)
  const [from, to] = [Math.min(...all.map((point) => point.x)), Math.max(...all.map((point) => point.x))]
  const isFlat = all.every(({ value, ci95 }) => value === 0 && ci95[0] === 0 && ci95[1] === 0)
  const widest = Math.max(...all.flatMap(({ ci95 }) => ci95.map((end) => y.write(end).length)))
  return drawChart(
    {
      grid: { left: Math.max(62, 36 + 7.5 * widest), right: 24, top: 16, bottom: 56 },
      xAxis: {
        ...valueAxis(x.unit, x.write),
        min: from,
        max: to,
        ...(x.interval !== null && { interval: x.interval }),
        splitLine: { show: false },
        axisTick: { show: true },
        axisLine: { show: true, onZero: false, lineStyle: { color: neutral } },
      },
      yAxis: {
        ...valueAxis(y.unit, y.write),
        nameGap: Math.max(38, 14 + 7.5 * widest),
        scale: !hasZero,
        splitNumber: 5,
        ...(isFlat && { min: -1, max: 1 }),
      },
      series: [
        ...curves.flatMap(bandsOf),
        ...curves.map(lineOf),
        ...(hasZero ? [{ type: 'line', data: [], ...lineAt('yAxis', 0) }] : []),
      ],
      textStyle: labelStyle,
    },
    { height, words },
  )
}

/** The curve that stands back has the ends of its interval as dashes, so that fills do not mix. */
function bandsOf({ points, isBaseline }: Curve): CustomSeriesOption[] {
  const band = (of: 'ci80' | 'ci95', style: BandStyle) =>
    bandOf(
      points.map((point) => [point.x, ...point[of]] as const),
      style,
    )
  if (isBaseline) return [band('ci95', { fill: 'none', stroke: neutral, lineDash: [3, 4], lineWidth: 1.2 })]
  return [band('ci95', { fill: accent, opacity: 0.12 }), band('ci80', { fill: accent, opacity: 0.2 })]
}

type BandStyle = { fill: string; opacity?: number; stroke?: string; lineDash?: number[]; lineWidth?: number }

/** One polygon through all ends of the intervals; [x, low, high] each. */
function bandOf(ends: readonly (readonly [number, number, number])[], style: BandStyle): CustomSeriesOption {
  return {
    type: 'custom',
    silent: true,
    encode: { x: 0, y: [1, 2] },
    data: ends.map((end) => [...end]),
    renderItem: (params, api) => {
      if (params.dataIndex > 0) return null
      const low = ends.map(([x, end]) => api.coord([x, end]))
      const high = ends.map(([x, , end]) => api.coord([x, end]))
      return { type: 'polygon', shape: { points: [...low, ...high.reverse()] }, style }
    },
  }
}

function lineOf({ points, isBaseline }: Curve): Record<string, unknown> {
  const color = isBaseline ? neutral : accent
  return {
    type: 'line',
    silent: true,
    data: points.map(({ x, value, isOutside }) => ({
      value: [x, value],
      symbol: isOutside || isBaseline ? 'emptyCircle' : 'circle',
    })),
    symbolSize: isBaseline ? 9 : 8,
    z: isBaseline ? 4 : 3,
    lineStyle: { color, width: 2.5, type: isBaseline ? [6, 4] : 'solid' },
    itemStyle: { color },
  }
}
