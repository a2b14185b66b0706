import { detractorChance, expectedScore, promoterChance } from './answers.ts'
import { type Customer, copyOf, feeling, type Run } from './customer.ts'
import { blankForecast, type Futures, forecastCustomer, makeFutures, truthHorizons } from './forecast.ts'
import { initiativeLaw } from './laws.ts'
import type { Watcher } from './life.ts'
import { initiatives } from './records.ts'
import { type CellType, Sheet } from './sheet.ts'

/** Outcomes of the program file that truths are known of. */
export const trueOutcomes = ['churn', 'upsell', 'advocacy'] as const

const ahead = (name: string) => truthHorizons.map((days) => `${name}_${days}`)

/** Columns of a truth file after `customer_id`. */
export const truthColumns: readonly string[] = [
  ...['satisfaction', 'nps_score', 'p_detractor', 'p_passive', 'p_promoter'],
  ...['nps_score', 'p_detractor', 'p_promoter', 'stays', ...trueOutcomes].flatMap(ahead),
]

/** Table of what initiatives truly do to each customer, and its columns after `customer` and `initiative`. */
export const effectTable = 'true_effects'
export const effectColumns: readonly string[] = trueOutcomes.flatMap(ahead)

/** Means over the customers of a group: outcome and horizon → probability in each arm and their difference. */
export interface TrueEffects {
  readonly customers: number
  readonly effects: Readonly<Record<string, { control: number; treated: number; effect: number }>>
}

export interface TruthOptions {
  readonly run: Run
  readonly priceDays: readonly number[]
  /** Days, counted from 0, at whose end the truth about everybody is written down. */
  readonly days: readonly number[]
  /** Futures that each customer's chances are averaged over; an initiative's, a tenth of them. */
  readonly replications: number
  /** Effects of initiatives are means over every so many-th customer. */
  readonly every: number
}

/** Knows what is true: a sheet a day, and what each initiative does to those assigned. */
export class Truth implements Watcher {
  readonly sheets: ReadonlyMap<number, Sheet>
  /** A row an assignment that is looked at: what the treated arm does to the customer. */
  readonly effectSheet = new Sheet(effectTable, {
    ...{ customer: 'integer', initiative: 'integer' },
    ...Object.fromEntries(effectColumns.map((name) => [name, 'double' as const])),
  })
  readonly #options: TruthOptions
  readonly #futures = new Map<string, Futures>()
  readonly #forecast = blankForecast()
  readonly #other = blankForecast()
  readonly #sums = new Map<string, { customers: number; control: Float64Array; treated: Float64Array }>()

  constructor(options: TruthOptions) {
    this.#options = options
    const columns: [string, CellType][] = truthColumns.map((name) => [name, 'double'])
    this.sheets = new Map(
      options.days.map((day) => [
        day,
        new Sheet(`truth_${day}`, { customer: 'integer', ...Object.fromEntries(columns) }),
      ]),
    )
  }

  evening(customer: Customer, day: number): void {
    const sheet = this.sheets.get(day)
    if (sheet === undefined) return
    const forecast = this.#forecast
    forecastCustomer(customer, this.#futuresFrom(day, this.#options.replications), forecast)
    const satisfaction = customer.mood[feeling.satisfaction]
    const detractor = detractorChance(satisfaction)
    const promoter = promoterChance(satisfaction)
    const { score, detractor: later, promoter: laterPromoter, stays, churn, upsell, advocacy } = forecast
    sheet.add(
      ...[customer.index, satisfaction, expectedScore(satisfaction)],
      ...[detractor, 1 - detractor - promoter, promoter],
      ...[score, later, laterPromoter, stays, churn, upsell, advocacy].flatMap((values) => [...values]),
    )
  }

  assigned(customer: Customer, day: number, initiative: number): void {
    if (customer.index % this.#options.every !== 0) return
    const futures = this.#futuresFrom(day - 1, Math.max(1, Math.round(this.#options.replications / 10)))
    forecastCustomer(inArm(customer, initiative, 0), futures, this.#forecast)
    forecastCustomer(inArm(customer, initiative, 1), futures, this.#other)
    for (const group of groupsOf(customer, initiative)) this.#addEffects(group)
    const own = trueOutcomes.flatMap((outcome) =>
      truthHorizons.map((_, horizon) => this.#other[outcome][horizon] - this.#forecast[outcome][horizon]),
    )
    this.effectSheet.add(customer.index, initiative, ...own)
  }

  /** True effects by initiative and group. */
  effects(): Record<string, Record<string, TrueEffects>> {
    const all: Record<string, Record<string, TrueEffects>> = {}
    for (const [key, { customers, control, treated }] of this.#sums) {
      const [initiative, group] = key.split('|')
      const cells = trueOutcomes.flatMap(ahead).map((name, place) => {
        const means = { control: control[place] / customers, treated: treated[place] / customers }
        return [name, { ...means, effect: means.treated - means.control }]
      })
      all[initiative] = { ...all[initiative], [group]: { customers, effects: Object.fromEntries(cells) } }
    }
    return all
  }

  #addEffects(group: string): void {
    const size = trueOutcomes.length * truthHorizons.length
    const sums = this.#sums.get(group) ?? {
      customers: 0,
      control: new Float64Array(size),
      treated: new Float64Array(size),
    }
    this.#sums.set(group, sums)
    sums.customers++
    trueOutcomes.forEach((outcome, place) => {
      truthHorizons.forEach((_, horizon) => {
        const cell = place * truthHorizons.length + horizon
        sums.control[cell] += this.#forecast[outcome][horizon]
        sums.treated[cell] += this.#other[outcome][horizon]
      })
    })
  }

  #futuresFrom(from: number, replications: number): Futures {
    const key = `${from} ${replications}`
    const known = this.#futures.get(key)
    if (known) return known
    const { run, priceDays } = this.#options
    const futures = makeFutures(run.seed, { from, replications, priceDays })
    this.#futures.set(key, futures)
    return futures
  }
}

/** The same customer in an arm, all other luck the same. */
function inArm(customer: Customer, initiative: number, arm: number): Customer {
  const other = copyOf(customer)
  if (initiative === 0) other.callArm = arm
  else if (initiative === 1) other.videoArm = arm
  else other.reviewArm = arm
  return other
}

function groupsOf(customer: Customer, initiative: number): string[] {
  const name = initiatives[initiative]
  if (name !== 'loyalty-call') return [`${name}|everybody`]
  const isHurt = customer.mood[feeling.grievance] >= initiativeLaw.loyaltyCall.fromGrievance
  return [`${name}|everybody`, `${name}|${isHurt ? 'recently hurt' : 'not recently hurt'}`]
}
