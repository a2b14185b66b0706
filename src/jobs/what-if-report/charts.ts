import { CustomChart, LineChart } from 'echarts/charts'
import { GridComponent, MarkLineComponent } from 'echarts/components'
import { type EChartsCoreOption, init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { html, type Markup } from './markup.ts'
import { accent, chartFont, line, muted } from './style.ts'

use([CustomChart, LineChart, GridComponent, MarkLineComponent, SVGRenderer])

/** Width of every chart, pixels: that of the text between the margins of an A4 page. */
export const chartWidth = 680

/**
 * Draws a chart as SVG of its own, without a browser: nothing in it moves, asks or runs.
 *
 * @param words what it shows, for who cannot see it.
 */
export function drawChart(
  option: EChartsCoreOption,
  { height, words }: { height: number; words: string },
): Markup {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: chartWidth, height })
  try {
    chart.setOption({ animation: false, backgroundColor: 'transparent', ...option })
    const drawn = chart.renderToSVGString()
    // Texts of the chart are escaped, so that none of them holds a tag or a quote. Ids count up with every chart.
    const still = drawn
      .replace(/<style[^>]*>[\s\S]*?<\/style>/g, '')
      .replace(/ (class="zr[^"]*"|ecmeta_\w+="[^"]*"|pointer-events="[^"]*")/g, '')
      .replace(/(id="|url\(#)zr\d+-/g, `$1${idOf(words)}-`)
      .replace(/^<svg/, '')
    return { markup: `${html`<svg role="img" aria-label="${words}"`.markup}${still}` }
  } finally {
    chart.dispose()
  }
}

/** The same words give the same id, whatever was drawn before. */
function idOf(words: string): string {
  let hash = 0
  for (const character of words) hash = (Math.imul(hash, 31) + (character.codePointAt(0) ?? 0)) >>> 0
  return `chart-${hash.toString(36)}`
}

/** One line of text: SVG breaks none, and takes no control characters. */
export function oneLine(text: string, most: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
  const whole = text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim()
  const characters = [...whole]
  return characters.length <= most
    ? whole
    : `${characters
        .slice(0, most - 1)
        .join('')
        .trimEnd()}…`
}

/** Pixels that a text takes at most, in the font of the labels. */
export function widthOf(text: string): number {
  return 7 * [...text].length
}

export const labelStyle = { color: muted, fontFamily: chartFont, fontSize: 12 }

/** A value axis, without a line of its own. */
export function valueAxis(name: string, write: (value: number) => string): Record<string, unknown> {
  return {
    type: 'value',
    name,
    nameLocation: 'middle',
    nameGap: 30,
    nameTextStyle: labelStyle,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { ...labelStyle, formatter: write, hideOverlap: true },
    splitLine: { lineStyle: { color: line } },
  }
}

/** A line across the chart at a value of one axis. */
export function lineAt(
  axis: 'xAxis' | 'yAxis',
  value: number,
  words: string | null = null,
): Record<string, unknown> {
  return {
    markLine: {
      silent: true,
      symbol: 'none',
      data: [{ [axis]: value }],
      lineStyle:
        words === null
          ? { color: muted, type: 'solid', width: 1 }
          : { color: accent, type: [5, 4], width: 1.5 },
      label:
        words === null
          ? { show: false }
          : // Rows go down, so that a line starts above them, clear of the axis.
            { show: true, position: 'start', formatter: () => words, ...labelStyle, color: accent },
    },
  }
}
