import type { Evidence, MeasuredEffect } from './measurement.ts'

export interface StatementInput {
  readonly initiative: string
  readonly evidence: Evidence
  /** The result that the initiative is judged by; null: nothing could be measured. */
  readonly primary: MeasuredEffect | null
  /** Whether the name of the arm tells more than that of the initiative. */
  readonly hasSeveralArms: boolean
  /** ISO 4217. */
  readonly currency: string
}

/** The one sentence that sums a measurement up. */
export function stateEffect(input: StatementInput): string {
  const { initiative, primary, evidence, hasSeveralArms } = input
  if (primary === null) return `What ${initiative} did cannot be measured.`
  const what = hasSeveralArms ? `${initiative} (${primary.arm})` : initiative
  const metric = metricWords(primary)
  const range = `95% CI ${rangeOf(primary, input.currency)}`
  if (!primary.isDetected) {
    const size = sizeWords(primary, primary.effect.smallestDetectable, input.currency)
    return `We changed ${what}, and no effect on ${metric} was detected (${range}); one of ${size} would have been found four times in five.`
  }
  const link = evidence === 'associational' ? 'which went along with' : 'which resulted in'
  const direction = primary.effect.effect < 0 ? 'reduction' : 'increase'
  const size = sizeWords(primary, Math.abs(primary.effect.effect), input.currency)
  const worth = primary.value
    ? `, worth ${money(primary.value.total, input.currency)}${evidence === 'associational' ? ' if it is the cause' : ''}`
    : ''
  const caveat =
    evidence === 'adjusted' ? ' This holds as far as what was known before explains who was chosen.' : ''
  return `We changed ${what}, ${link} ${article(size)} ${size} ${direction} in ${metric} (${range})${worth}.${caveat}`
}

/** What a metric is called in a sentence. */
export function metricWords({ metric, horizonDays, unit }: MeasuredEffect): string {
  const name = ['nps', 'csat', 'ces'].includes(metric) ? metric.toUpperCase() : metric.replaceAll('_', ' ')
  return `${name}${unit === 'count' ? ' events' : ''} within ${horizonDays} days`
}

/** As a share of the control arm where there is one, else in the unit of the metric. */
function sizeWords(result: MeasuredEffect, size: number, currency: string): string {
  const { control } = result.effect
  if (isRelative(result)) return percent(size / Math.abs(control))
  return inUnit(result, size, currency)
}

function rangeOf(result: MeasuredEffect, currency: string): string {
  const { effect, isDetected } = result
  const isFall = isDetected && effect.effect < 0
  const [low, high] = isRelative(result) && effect.relativeCi95 ? effect.relativeCi95 : effect.ci95
  const show = (value: number) => (isRelative(result) ? percent(value) : inUnit(result, value, currency))
  return isFall ? `${show(-high)} to ${show(-low)}` : `${show(low)} to ${show(high)}`
}

/** Points of a score are no share of anything. */
function isRelative({ effect, unit }: MeasuredEffect): boolean {
  return unit !== 'points' && effect.relative !== null && effect.control > 0
}

function inUnit({ unit }: MeasuredEffect, value: number, currency: string): string {
  if (unit === 'money') return money(value, currency)
  if (unit === 'probability') return `${(100 * value).toFixed(1)} percentage points`
  return `${value.toFixed(2)}${unit === 'points' ? '-point' : ''}`
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`
}

/** Money in words, whole units. */
export function money(amount: number, currency: string): string {
  return new Intl.NumberFormat('en-GB', { style: 'currency', currency, maximumFractionDigits: 0 }).format(
    amount,
  )
}

function article(size: string): string {
  return /^(8|11\b|11\.|18\b|18\.)/.test(size) ? 'an' : 'a'
}
