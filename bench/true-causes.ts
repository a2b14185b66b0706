import { type Answering, expectedScore } from '../training/synthetic/answers.ts'
import { bornCustomer, type Customer, copyOf, feeling, type Run } from '../training/synthetic/customer.ts'
import { priceDays } from '../training/synthetic/feelings.ts'
import { blankForecast, type Futures, forecastCustomer, makeFutures } from '../training/synthetic/forecast.ts'
import { initiativeLaw, satisfactionLaw, shocks, ticketLaw } from '../training/synthetic/laws.ts'
import { liveThrough, type Watcher } from '../training/synthetic/life.ts'
import { makeOutages } from '../training/synthetic/outages.ts'
import {
  type EventDetail,
  type EventType,
  type Recorder,
  secondsPerDay,
} from '../training/synthetic/records.ts'

/**
 * What moves a customer's true figures by the laws of the simulation, and the behaviours that name it.
 *
 * Feelings are level, mood and what was met before the data begin. Nothing that a customer did names them.
 */
export const causes = {
  tickets: ['ticket', 'ticket_reopened'],
  deliveries: ['delivery'],
  outages: ['outage'],
  initiatives: ['loyalty-call', 'priority-support'],
  contract: ['contract'],
  tenure: ['tenure'],
  plan: ['plan', 'upgrade', 'downgrade'],
  engagement: ['login'],
  feelings: [],
} as const satisfies Record<string, readonly string[]>
export type Cause = keyof typeof causes
const allCauses = Object.keys(causes) as Cause[]

export const trueTasks = ['nps', 'churn', 'upsell', 'advocacy'] as const
export type TrueTask = (typeof trueTasks)[number]

/** By task: how far each cause moves the customer's true figure from what it were with the cause as others have it. */
export type TrueMovements = Readonly<Record<TrueTask, Readonly<Record<Cause, number>>>>

const experiences = ['tickets', 'deliveries', 'outages', 'initiatives'] as const
type Experience = (typeof experiences)[number]
const { satisfaction, noise, experience, grievance } = feeling

/** A customer at the end of the run, and what is left then of each kind of experience, in points. */
export interface HiddenState {
  readonly customer: Customer
  readonly points: Readonly<Record<Experience, number>>
  readonly grievances: Readonly<Record<Experience, number>>
}

/** Lets every customer live again; those still there at the end, by index. */
export function hiddenStates(
  run: Run,
  { customers, answering }: { customers: number; answering: Answering },
): Map<number, HiddenState> {
  const world = {
    outages: makeOutages(run.seed, { firstDay: 0, days: run.days }),
    priceDays: priceDays(run.days),
  }
  const tally = new ExperienceTally(run.days - 1)
  for (let index = 0; index < customers; index++)
    liveThrough(bornCustomer(run, index), {
      days: run.days,
      world,
      answering,
      records: tally,
      watcher: tally,
    })
  return tally.states
}

/** Adds up what customers meet as it will have faded by the last day. One customer at a time. */
class ExperienceTally implements Recorder, Watcher {
  readonly states = new Map<number, HiddenState>()
  readonly #lastDay: number
  #met: { kind: Experience; day: number; shock: number }[] = []
  /** A call that mended something forgives the grievances of before. */
  #calledOn = -1

  constructor(lastDay: number) {
    this.#lastDay = lastDay
  }

  begin(): void {
    this.#met = []
    this.#calledOn = -1
  }

  event(type: EventType, second: number, { amount = 0 }: EventDetail = {}): void {
    const day = Math.floor(second / secondsPerDay)
    if (type === 'ticket') this.#meetTicket(day, { second, hours: amount })
    if (type === 'ticket_reopened') this.#meet('tickets', day, shocks.ticketReopened)
    if (type === 'outage') this.#meet('outages', day, shocks.outage)
    if (type === 'delivery') {
      const delayed = Math.max(shocks.delayMost, amount * shocks.delayDay)
      this.#meet('deliveries', day, amount > 0 ? delayed : shocks.deliveryOnTime)
    }
  }

  #meetTicket(closed: number, { second, hours }: { second: number; hours: number }): void {
    const opened = Math.round((second - (12 + hours) * 3600) / secondsPerDay)
    this.#meet('tickets', opened, shocks.ticketOpened)
    if (hours >= ticketLaw.slowFrom) this.#meet('tickets', closed, shocks.ticketSlow)
    else if (hours <= ticketLaw.fastUpTo) this.#meet('tickets', opened, shocks.ticketFast)
  }

  #meet(kind: Experience, day: number, shock: number): void {
    if (day <= this.#lastDay) this.#met.push({ kind, day, shock })
  }

  /** The day's fading follows what an initiative does, so it counts as met the day before. */
  assigned(customer: Customer, day: number, initiative: number): void {
    const { loyaltyCall, prioritySupport } = initiativeLaw
    const grief = customer.mood[grievance]
    if (initiative === 0 && customer.callArm === 1 && grief >= loyaltyCall.fromGrievance) {
      this.#meet('initiatives', day - 1, Math.min(loyaltyCall.mostLift, loyaltyCall.lift * grief))
      this.#calledOn = day
    }
    if (initiative === 2) this.#meet('initiatives', day - 1, prioritySupport.lift)
  }

  evening(customer: Customer, day: number): void {
    if (day < this.#lastDay) return
    const isTreated = customer.reviewArm === 1
    const sums = (kept: number, pointsOf: (shock: number) => number, since = -Infinity) =>
      Object.fromEntries(
        experiences.map((kind) => [
          kind,
          this.#met
            .filter((met) => met.kind === kind && met.day >= since)
            .filter((met) => isTreated || met.kind !== 'initiatives' || met.day + 1 !== customer.reviewDay)
            .reduce((sum, met) => sum + pointsOf(met.shock) * kept ** (day - met.day), 0),
        ]),
      ) as Record<Experience, number>
    this.states.set(customer.index, {
      customer: copyOf(customer),
      points: sums(satisfactionLaw.experienceKept, (shock) => shock),
      grievances: sums(satisfactionLaw.grievanceKept, (shock) => Math.max(0, -shock), this.#calledOn),
    })
  }

  response(): void {}
  attributes(): void {}
  assignment(): void {}
  endAt(): void {}
}

/** What of an experience no kind accounts for: what was met before the data begin, price rises, upgrades. */
function earlierPoints({ customer, points }: HiddenState): number {
  return customer.mood[experience] - experiences.reduce((sum, kind) => sum + points[kind], 0)
}

/** The customer as if one cause were as another customer has it. */
export function withCauseOf(own: HiddenState, other: HiddenState, cause: Cause): Customer {
  const changed: Customer = { ...copyOf(own.customer), ...traitsOf(other.customer, cause) }
  const { mood } = changed
  if (cause === 'feelings') {
    mood[noise] = other.customer.mood[noise]
    mood[experience] += earlierPoints(other) - earlierPoints(own)
  } else if (isExperience(cause)) {
    mood[experience] += other.points[cause] - own.points[cause]
    mood[grievance] = Math.max(0, mood[grievance] + other.grievances[cause] - own.grievances[cause])
  }
  const shift = changed.level - own.customer.level + (mood[noise] - own.customer.mood[noise])
  mood[satisfaction] += shift + mood[experience] - own.customer.mood[experience]
  return changed
}

function isExperience(cause: Cause): cause is Experience {
  return (experiences as readonly Cause[]).includes(cause)
}

/** What a customer has for good, or until the next change of plan, that belongs to a cause. */
function traitsOf(customer: Customer, cause: Cause): Partial<Customer> {
  const { contract, joinDay, plan, planSince, engagement, upgradeFactor, level } = customer
  switch (cause) {
    case 'tickets':
      return { proneness: customer.proneness }
    case 'deliveries':
      return { appetite: customer.appetite }
    case 'initiatives':
      return { priorityUntil: customer.priorityUntil }
    case 'contract':
      return { contract }
    case 'tenure':
      return { joinDay }
    case 'plan':
      return { plan, planSince }
    case 'engagement':
      return { engagement, upgradeFactor }
    case 'feelings':
      return { level }
    case 'outages':
      return {}
  }
}

const forecast = blankForecast()
const longest = 2

function trueFigures(customer: Customer, futures: Futures): Record<TrueTask, number> {
  forecastCustomer(customer, futures, forecast)
  return {
    nps: expectedScore(customer.mood[satisfaction]),
    churn: forecast.churn[longest],
    upsell: forecast.upsell[longest],
    advocacy: forecast.advocacy[longest],
  }
}

/** Measures movements by living the same futures with each cause as some others have it, all luck the same. */
export function movementsOf(
  own: HiddenState,
  { others, futures }: { others: readonly HiddenState[]; futures: Futures },
): TrueMovements {
  const actual = trueFigures(own.customer, futures)
  const moved = Object.fromEntries(
    trueTasks.map((task) => [task, Object.fromEntries(allCauses.map((cause) => [cause, 0]))]),
  ) as Record<TrueTask, Record<Cause, number>>
  for (const cause of allCauses) {
    for (const other of others) {
      const figures = trueFigures(withCauseOf(own, other, cause), futures)
      for (const task of trueTasks) moved[task][cause] += (actual[task] - figures[task]) / others.length
    }
  }
  return moved
}

/** Futures from the end of a run on. */
export function futuresAfter({ seed, days }: Run, replications: number): Futures {
  return makeFutures(seed, { from: days - 1, replications, priceDays: priceDays(days) })
}

/** A movement below this is not clear: points of a 0-10 answer, or probability. */
export const clearMovement: Readonly<Record<TrueTask, number>> = {
  nps: 0.5,
  churn: 0.05,
  upsell: 0.05,
  advocacy: 0.05,
}

/** The cause that moved a figure clearly and at least as much as all others together; null where there is none. */
export function trueDriver(movements: Readonly<Record<Cause, number>>, task: TrueTask): Cause | null {
  const total = allCauses.reduce((sum, cause) => sum + Math.abs(movements[cause]), 0)
  const first = allCauses.reduce((best, cause) =>
    Math.abs(movements[cause]) > Math.abs(movements[best]) ? cause : best,
  )
  const size = Math.abs(movements[first])
  return first !== 'feelings' && size >= clearMovement[task] && 2 * size >= total ? first : null
}
