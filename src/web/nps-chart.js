import { day, interval, signed } from './words.js'

const oneDay = 24 * 3600 * 1000

/** The chart at hand; it is drawn again when the colours change. */
let shown = null

/** Draws how the net promoter score went and where it is forecast to go, with the interval as a band. */
export function drawNpsChart(place, { history, ahead }) {
  shown?.chart.dispose()
  shown?.observer.disconnect()
  const chart = window.echarts.init(place)
  const draw = () => chart.setOption(chartOptions({ history, ahead }, coloursOf(place)), true)
  const observer = new ResizeObserver(() => chart.resize())
  observer.observe(place)
  shown = { chart, observer, draw }
  draw()
}

window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => shown?.draw())

function coloursOf(place) {
  const style = getComputedStyle(place)
  const colour = (name) => style.getPropertyValue(name).trim()
  return {
    accent: colour('--accent'),
    text: colour('--text'),
    muted: colour('--muted'),
    line: colour('--line'),
    surface: colour('--surface'),
    font: style.fontFamily,
  }
}

function chartOptions({ history, ahead }, colours) {
  const label = { color: colours.muted, fontFamily: colours.font, fontSize: 12 }
  return {
    animation: false,
    useUTC: true,
    grid: { left: 8, right: 18, top: 16, bottom: 8, outerBoundsMode: 'same' },
    tooltip: {
      trigger: 'axis',
      renderMode: 'richText',
      backgroundColor: colours.surface,
      borderColor: colours.line,
      textStyle: { color: colours.text, fontFamily: colours.font, fontSize: 13 },
      axisPointer: { lineStyle: { color: colours.line } },
      formatter: (points) => tooltipOf([...history, ...ahead], points[0]?.axisValue),
    },
    xAxis: {
      type: 'time',
      axisLine: { lineStyle: { color: colours.line } },
      axisTick: { show: false },
      splitLine: { show: false },
      axisLabel: { ...label, hideOverlap: true, formatter: axisDay },
    },
    yAxis: {
      type: 'value',
      scale: true,
      axisLabel: { ...label, formatter: (value) => signed(value) },
      splitLine: { lineStyle: { color: colours.line } },
    },
    series: [
      ...bandOf(history, 'past', colours.accent),
      ...bandOf(ahead, 'ahead', colours.accent),
      lineOf(history, { color: colours.accent, isDashed: false }),
      lineOf(ahead, { color: colours.accent, isDashed: true }),
    ],
  }
}

function lineOf(points, { color, isDashed }) {
  const data = points.filter(({ nps }) => nps !== null).map(({ date, nps }) => [date, nps.value])
  return {
    type: 'line',
    data,
    symbol: 'circle',
    symbolSize: isDashed || data.length < 15 ? 6 : 0,
    lineStyle: { color, width: 2.5, type: isDashed ? [4, 5] : 'solid' },
    itemStyle: { color },
    emphasis: { disabled: true },
  }
}

/** Two stacked lines without a stroke, the upper one filled: the band between the ends of the interval. */
function bandOf(points, stack, color) {
  const known = points.filter(({ nps }) => nps?.ci95)
  const part = {
    type: 'line',
    stack,
    stackStrategy: 'all',
    symbol: 'none',
    silent: true,
    lineStyle: { opacity: 0 },
  }
  return [
    { ...part, data: known.map(({ date, nps }) => [date, nps.ci95[0]]) },
    {
      ...part,
      data: known.map(({ date, nps }) => [date, nps.ci95[1] - nps.ci95[0]]),
      areaStyle: { color, opacity: 0.13 },
      emphasis: { disabled: true },
    },
  ]
}

function tooltipOf(points, time) {
  const point = points.find(({ date }) => Math.abs(Date.parse(date) - time) < oneDay / 2)
  if (!point?.nps) return ''
  const range = interval(point.nps.ci95, signed)
  return `${day(point.date, 'medium')}\nNPS ${signed(point.nps.value, 1)}${range && ` (${range})`}`
}

function axisDay(time) {
  return new Date(time).toLocaleDateString(undefined, { day: 'numeric', month: 'short', timeZone: 'UTC' })
}
