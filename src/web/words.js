/* How figures are written, in the reader's own notation. What is not known is a dash. */

const unknown = '–'
const minus = '−'

/** A net promoter score or another signed number: `+7`, `−12`, `0`. */
export function signed(value, decimals = 0) {
  if (value === null) return unknown
  const text = Math.abs(value).toLocaleString(undefined, {
    minimumFractionDigits: decimals,
    maximumFractionDigits: decimals,
  })
  if (Number(Math.abs(value).toFixed(decimals)) === 0) return text
  return `${value < 0 ? minus : '+'}${text}`
}

/** An interval in some notation: `−14 to +29`; empty where it is not known. */
export function interval(ends, write) {
  return ends === null ? '' : `${write(ends[0])} to ${write(ends[1])}`
}

/** A probability as a percentage with one decimal. */
export function percent(value) {
  if (value === null) return unknown
  return value.toLocaleString(undefined, {
    style: 'percent',
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  })
}

/** A number of customers: whole, with one decimal below ten where it is an expected one. */
export function count(value) {
  if (value === null) return unknown
  return value.toLocaleString(undefined, { maximumFractionDigits: value < 10 ? 1 : 0 })
}

/** An amount in the program's currency; without cents from a thousand on. */
export function money(value, currency) {
  if (value === null) return unknown
  const decimals = Math.abs(value) < 1000 ? undefined : 0
  return value.toLocaleString(undefined, {
    style: 'currency',
    currency,
    ...(decimals === undefined ? {} : { minimumFractionDigits: decimals, maximumFractionDigits: decimals }),
  })
}

/** A day `YYYY-MM-DD` in words. */
export function day(text, style = 'long') {
  return new Date(`${text}T00:00:00Z`).toLocaleDateString(undefined, { dateStyle: style, timeZone: 'UTC' })
}

/** A name out of the program file as people write it: `at-risk-passives` is `At risk passives`. */
export function title(name) {
  const words = name.replaceAll(/[-_]+/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** How much a behaviour moved a prediction. */
export function effect({ effect, unit }) {
  return unit === 'points' ? `${signed(effect, 1)} points` : `${signed(100 * effect, 1)} %-points`
}
