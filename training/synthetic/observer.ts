import { scoreChance } from './answers.ts'
import { type Customer, copyOf, feeling, type Run, restoreState, upgradeFactorOf } from './customer.ts'
import { blankChances, decision, weighDecisions } from './decisions.ts'
import { blankForecast, type Futures, forecastStates, type TrueForecast } from './forecast.ts'
import { satisfactionLaw, usageLaw } from './laws.ts'
import type { Watcher } from './life.ts'
import { bitsOf, luckOf, normalOf } from './randomness.ts'
import type { EventDetail, EventType, Recorder } from './records.ts'
import { loginShare, usualMinutes } from './usage.ts'

const { satisfaction, noise, experience, grievance } = feeling
const { noiseKept, noiseSpread } = satisfactionLaw
const freshNoise = noiseSpread * Math.sqrt(1 - noiseKept * noiseKept)
/** How far a resampled particle moves towards the others, and anew: Liu and West (2001). */
const jitter = 0.1

/**
 * Forecasts a customer as well as anybody could who knows all the laws but sees only what can be seen: a particle filter
 * over level, mood and engagement, weighed day by day by logins, answers, decisions and staying.
 *
 * What customers meet can be seen, so experiences are taken as known, and so is what lies within a ticket's or a
 * parcel's length of becoming visible; a little too good, hence a bound. One customer at a time.
 */
export class Observer implements Recorder, Watcher {
  readonly forecasts = new Map<number, TrueForecast>()
  readonly #until: number
  readonly #futures: Futures
  readonly #size: number
  #luck
  readonly #level: Float64Array
  readonly #noise: Float64Array
  readonly #engagement: Float64Array
  readonly #weight: Float64Array
  #yesterday: Customer | null = null
  #minutes = -1
  #decided = -1
  #score = -1

  constructor({ seed }: Run, options: { until: number; futures: Futures; particles: number }) {
    this.#until = options.until
    this.#futures = options.futures
    this.#size = options.particles
    this.#luck = luckOf(seed, 0, 4)
    const blank = () => new Float64Array(options.particles)
    this.#level = blank()
    this.#noise = blank()
    this.#engagement = blank()
    this.#weight = blank()
  }

  begin(index: number): void {
    this.#luck = luckOf(this.#futures.from, index, 5)
    this.#yesterday = null
    this.#minutes = this.#decided = this.#score = -1
  }

  event(type: EventType, _: number, { amount = -1 }: EventDetail = {}): void {
    if (type === 'login') this.#minutes = amount
    if (type === 'upgrade' || type === 'downgrade' || type === 'referral' || type === 'review')
      this.#decided = decision[type]
  }

  response(_: number, { metric, score }: { metric: number; score: number }): void {
    if (metric === 0) this.#score = score
  }

  attributes(): void {}
  assignment(): void {}
  endAt(): void {}
  assigned(): void {}

  evening(customer: Customer, day: number): void {
    if (day > this.#until) return
    if (this.#yesterday === null) {
      this.#yesterday = copyOf(customer)
      this.#start(customer)
    }
    this.#weigh(customer, day)
    this.#resample(day)
    restoreState(this.#yesterday, customer)
    this.#minutes = this.#decided = this.#score = -1
    if (day === this.#until) this.#forecast(customer)
  }

  #normal(day: number, particle: number, why: number): number {
    return normalOf(bitsOf(this.#luck, (day << 10) | particle, why))
  }

  /** The laws by which levels, moods and engagement come about, before anything is seen. */
  #start({ joinDay }: Customer): void {
    const { meanLevel, levelSpread, accountSpread, survivorsAbove } = satisfactionLaw
    const mean = meanLevel + survivorsAbove * Math.min(1, Math.max(0, -joinDay / 365))
    for (let p = 0; p < this.#size; p++) {
      this.#level[p] = mean + Math.hypot(levelSpread, accountSpread) * this.#normal(1000, p, 0)
      this.#noise[p] = noiseSpread * this.#normal(1000, p, 1)
      this.#engagement[p] = Math.exp(usageLaw.engagementSpread * this.#normal(1000, p, 2))
      this.#weight[p] = 1 / this.#size
    }
  }

  /** Moves every mood by a day and weighs it by what was seen. */
  #weigh(customer: Customer, day: number): void {
    const known = customer.mood[satisfaction] - customer.level - customer.mood[noise]
    const double = this.#yesterday as Customer
    const chances = blankChances()
    let sum = 0
    for (let p = 0; p < this.#size; p++) {
      this.#noise[p] = noiseKept * this.#noise[p] + freshNoise * this.#normal(day, p, 3)
      const felt = this.#level[p] + this.#noise[p] + known
      double.mood[satisfaction] = felt
      double.upgradeFactor = upgradeFactorOf(this.#engagement[p])
      weighDecisions(double, day, chances)
      this.#weight[p] *= this.#likelihood(felt, loginShare(felt, this.#engagement[p], day), chances)
      sum += this.#weight[p]
    }
    for (let p = 0; p < this.#size; p++) this.#weight[p] = sum > 0 ? this.#weight[p] / sum : 1 / this.#size
  }

  /** Likelihood of what was seen today at a satisfaction. */
  #likelihood(felt: number, login: number, chances: Float64Array): number {
    const [upgrade, downgrade, referral, review, churn] = chances
    const decided =
      this.#decided < 0 ? 1 - upgrade - downgrade - referral - review : chances[this.#decided] + 1e-9
    const off = (this.#minutes - usualMinutes(felt)) / usageLaw.minutesSpread
    const used = this.#minutes < 0 ? 1 - login : login * Math.exp(-0.5 * off * off)
    const answered = this.#score < 0 ? 1 : scoreChance(felt, this.#score)
    return (1 - churn) * decided * used * answered
  }

  /** Where few particles carry the weight, draws new ones near them. */
  #resample(day: number): void {
    let squares = 0
    for (const weight of this.#weight) squares += weight * weight
    if (1 / squares > this.#size / 2) return
    const picked = this.#pick(this.#size)
    for (const values of [this.#level, this.#engagement]) {
      const isEngagement = values === this.#engagement
      const scale = isEngagement ? Math.log : (value: number) => value
      const drawn = picked.map((p) => scale(values[p]))
      const mean = drawn.reduce((sum, value) => sum + value, 0) / this.#size
      const spread = Math.sqrt(drawn.reduce((sum, value) => sum + (value - mean) ** 2, 0) / this.#size)
      drawn.forEach((value, p) => {
        const near = mean + Math.sqrt(1 - jitter * jitter) * (value - mean)
        const moved = near + jitter * spread * this.#normal(day, p, isEngagement ? 4 : 5)
        values[p] = isEngagement ? Math.exp(moved) : moved
      })
    }
    this.#noise.set(picked.map((p) => this.#noise[p]))
    this.#weight.fill(1 / this.#size)
  }

  /** Particles in proportion to their weights, evenly spaced. */
  #pick(count: number): number[] {
    const picked: number[] = []
    let sum = this.#weight[0]
    for (let drawn = 0, p = 0; drawn < count; drawn++) {
      while (sum < (drawn + 0.5) / count && p < this.#size - 1) sum += this.#weight[++p]
      picked.push(p)
    }
    return picked
  }

  #forecast(customer: Customer): void {
    const picked = this.#pick(this.#futures.outages.length)
    const forecast = blankForecast()
    const stateOf = (world: number) => {
      const p = picked[world]
      const { mood } = customer
      const now = this.#level[p] + this.#noise[p] + mood[satisfaction] - customer.level - mood[noise]
      return {
        ...copyOf(customer),
        level: this.#level[p],
        upgradeFactor: upgradeFactorOf(this.#engagement[p]),
        mood: Float64Array.of(now, this.#noise[p], mood[experience], mood[grievance]),
      }
    }
    forecastStates(stateOf, this.#futures, forecast)
    this.forecasts.set(customer.index, forecast)
  }
}
