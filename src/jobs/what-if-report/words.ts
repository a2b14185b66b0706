import type { Population } from '../../simulation/scenario.ts'

/* How a report writes figures: one notation for every reader, a true minus, and no negative zero. */

const locale = 'en-GB'

function written(value: number, options: Intl.NumberFormatOptions): string {
  return value.toLocaleString(locale, { signDisplay: 'negative', ...options }).replaceAll('-', '−')
}

const fixed = (decimals: number) => ({ minimumFractionDigits: decimals, maximumFractionDigits: decimals })

/** `4.2`, `−0.5`. */
export function plain(value: number, decimals: number): string {
  return written(value, fixed(decimals))
}

/** `+4.2`, `−0.5`, `0.0`. */
export function signed(value: number, decimals: number): string {
  return written(value, { ...fixed(decimals), signDisplay: 'exceptZero' })
}

/** A share as `12.3%`. */
export function percent(share: number, decimals = 1): string {
  return written(share, { style: 'percent', ...fixed(decimals) })
}

/** A difference of shares in percentage points, `+1.25`. */
export function points(difference: number): string {
  return signed(100 * difference, 2)
}

/** A whole number of customers or the like. */
export function count(value: number): string {
  return written(value, { maximumFractionDigits: 0 })
}

/** An amount in whole units of the currency: `€12,300`, `−€400`. */
export function money(amount: number, currency: string): string {
  return written(amount, { style: 'currency', currency, maximumFractionDigits: 0 })
}

/** `a to b`. */
export function range([low, high]: readonly [number, number], write: (value: number) => string): string {
  return `${write(low)} to ${write(high)}`
}

/** A day `YYYY-MM-DD` in words. */
export function dayWords(day: string): string {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString(locale, { dateStyle: 'long', timeZone: 'UTC' })
}

/** A name out of a program file as people write it: `at-risk-passives` is `At risk passives`. */
export function title(name: string): string {
  const words = name.replaceAll(/[-_]+/g, ' ')
  return sentence(words)
}

/** `nps_0` is `NPS today`, `churn_90` is `Churn within 90 days`. */
export function figureTitle(figure: string): string {
  const at = figure.lastIndexOf('_')
  const [name, days] = [figure.slice(0, at), figure.slice(at + 1)]
  if (name === 'nps') return days === '0' ? 'NPS today' : `NPS in ${days} days`
  return `${title(name)} within ${days} days`
}

/** The same within a sentence. */
export function figureWords(figure: string): string {
  const words = figureTitle(figure)
  return figure.startsWith('nps_') ? words : words.charAt(0).toLowerCase() + words.slice(1)
}

/** With a capital letter. */
export function sentence(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** Whom a scenario is about. */
export function populationWords(population: Population): string {
  switch (population.kind) {
    case 'all':
      return 'everybody at risk'
    case 'segment':
      return `the segment ${population.segment}`
    case 'customer':
      return `customer ${population.customerId}`
    case 'where':
      return `customers with ${population.where
        .map(({ field, is, in: among, above, below }) =>
          [
            field,
            is === undefined ? null : `= ${is}`,
            among === undefined ? null : `one of ${among.join(', ')}`,
            above === undefined ? null : `above ${above}`,
            below === undefined ? null : `below ${below}`,
          ]
            .filter((word) => word !== null)
            .join(' '),
        )
        .join(' and ')}`
  }
}
