import { type Customer, feeling, shockDays, ticketsWithin } from './customer.ts'
import { deliveryLaw, initiativeLaw, priceLaw, satisfactionLaw, shocks, ticketLaw, topics } from './laws.ts'
import { type Outages, outageShare } from './outages.ts'
import { bitsOf, lowerUniform, normalOf, purpose, uniform } from './randomness.ts'

/** The world around customers: outages and the days on which plans become dearer. */
export interface World {
  readonly outages: Outages
  /** By plan. */
  readonly priceDays: readonly number[]
  /** The company had it behaved otherwise; default: as it did. */
  readonly spared?: Sparing
}

/** Experiences that customers are spared, drawn one by one; all other luck stays the same. */
export interface Sparing {
  readonly kind: 'outage' | 'ticket_reopened'
  /** Those after this day, counted from 0. */
  readonly after: number
  readonly share: number
}

/** Whether a customer is spared what would come on a day. */
function isSpared({ luck }: Customer, day: number, kind: Sparing['kind'], spared?: Sparing): boolean {
  if (spared === undefined || spared.kind !== kind || day <= spared.after) return false
  return uniform(luck, day, purpose.sparing) < spared.share
}

/** What happened to a customer today, for those who write it down. -1: it did not. */
export interface Today {
  orderDelay: number
  ticketHours: number
  ticketTopic: number
  /** The ticket is opened again so many days after it was closed. */
  reopensAfter: number
  isOutage: boolean
}

/** A blank to be filled day by day. */
export function blankToday(): Today {
  return { orderDelay: -1, ticketHours: -1, ticketTopic: -1, reopensAfter: -1, isOutage: false }
}

/** Satisfaction is looked up in steps of 1/32 point from -4 to 4, so that all tables stay in cache; beyond, the last. */
const stepsPerPoint = 32
const outermost = 4

/** A function of satisfaction as a table. */
export function tableOf(law: (satisfaction: number) => number): Float64Array {
  return Float64Array.from({ length: 2 * outermost * stepsPerPoint }, (_, step) =>
    law((step + 0.5) / stepsPerPoint - outermost),
  )
}

/** The place of a satisfaction in every table. */
export function stepOf(satisfaction: number): number {
  if (satisfaction < -outermost) return 0
  if (satisfaction >= outermost) return 2 * outermost * stepsPerPoint - 1
  return ((satisfaction + outermost) * stepsPerPoint) | 0
}

const orderChance = tableOf((s) => deliveryLaw.ordersPerDay * Math.exp(deliveryLaw.ordersBySatisfaction * s))
const ticketChance = tableOf((s) => ticketLaw.perDay * Math.exp(ticketLaw.bySatisfaction * s))
const { noiseKept, experienceKept, grievanceKept } = satisfactionLaw
// Taken out of their maps once: engines fold them into the code that runs every day.
const { satisfaction, noise, experience, grievance } = feeling
const { feel, outage } = purpose
const freshNoise = satisfactionLaw.noiseSpread * Math.sqrt(1 - noiseKept * noiseKept)
const { mostPerDay: mostTickets, byGrievance } = ticketLaw

/**
 * Moves a customer's feelings through a day: initiatives act, old experiences fade, what was on its way arrives, and
 * new orders and tickets send shocks ahead. The mood is that of the evening.
 */
export function feelDay(customer: Customer, day: number, world: World, today: Today): void {
  if (day === customer.callDay || day === customer.reviewDay) treat(customer, day)
  const bits = bitsOf(customer.luck, day, feel)
  customer.mood[noise] = noiseKept * customer.mood[noise] + freshNoise * normalOf(bits)
  customer.mood[experience] *= experienceKept
  customer.mood[grievance] *= grievanceKept
  const place = day & (shockDays - 1)
  const due = customer.dueShocks[place]
  if (due !== 0) {
    customer.dueShocks[place] = 0
    meet(customer, due)
  }
  today.isOutage = false
  const share = outageShare(world.outages, day, customer.region)
  const isHit = share > 0 && uniform(customer.luck, day, outage) < share
  if (isHit && !isSpared(customer, day, 'outage', world.spared)) {
    today.isOutage = true
    meet(customer, shocks.outage)
  }
  if (day === world.priceDays[customer.plan]) meet(customer, shocks.priceRise)
  customer.mood[satisfaction] = customer.level + customer.mood[noise] + customer.mood[experience]
  meetTrouble(customer, { day, chance: lowerUniform(bits), spared: world.spared }, today)
}

/** A shock arrives; a bad one also leaves a grievance. */
function meet(customer: Customer, shock: number): void {
  customer.mood[experience] += shock
  if (shock < 0) customer.mood[grievance] -= shock
}

/** At most one of an order and a ticket a day. */
function meetTrouble(
  customer: Customer,
  { day, chance, spared }: { day: number; chance: number; spared: Sparing | undefined },
  today: Today,
): void {
  today.orderDelay = -1
  today.ticketHours = -1
  const step = stepOf(customer.mood[satisfaction])
  const ticket = Math.min(
    mostTickets,
    ticketChance[step] * customer.proneness * (1 + byGrievance * customer.mood[grievance]),
  )
  if (chance < ticket) openTicket(customer, { day, spared }, today)
  else if (chance < ticket + orderChance[step] * customer.appetite) placeOrder(customer, day, today)
}

function placeOrder(customer: Customer, day: number, today: Today): void {
  const { delayedShare, delayGoesOn, mostDelayDays, usualDays } = deliveryLaw
  let chance = uniform(customer.luck, day, purpose.delay)
  let delay = 0
  if (chance < delayedShare) {
    chance /= delayedShare
    for (delay = 1; delay < mostDelayDays && chance < delayGoesOn; delay++) chance /= delayGoesOn
  }
  today.orderDelay = delay
  const shock = delay === 0 ? shocks.deliveryOnTime : Math.max(shocks.delayMost, delay * shocks.delayDay)
  send(customer, day + usualDays + delay, shock)
}

function openTicket(
  customer: Customer,
  { day, spared }: { day: number; spared: Sparing | undefined },
  today: Today,
): void {
  const { luck } = customer
  const { medianHours, hoursSpread, leastHours, mostHours, slowFrom, fastUpTo, reopenedShare } = ticketLaw
  const factor = day < customer.priorityUntil ? initiativeLaw.prioritySupport.hoursFactor : 1
  const drawn = factor * medianHours * Math.exp(hoursSpread * normalOf(bitsOf(luck, day, purpose.hours)))
  const hours = Math.min(mostHours, Math.max(leastHours, drawn))
  const closed = closingDay(day, hours)
  meet(customer, shocks.ticketOpened)
  if (hours >= slowFrom) send(customer, closed, shocks.ticketSlow)
  else if (hours <= fastUpTo) meet(customer, shocks.ticketFast)
  const reopen = uniform(luck, day, purpose.reopen)
  const share = reopenedShare * (hours >= slowFrom ? 2 : 1)
  const after = 1 + Math.floor((reopen / share) * 3)
  const isReopened = reopen < share && !isSpared(customer, closed + after, 'ticket_reopened', spared)
  today.reopensAfter = isReopened ? after : -1
  if (today.reopensAfter > 0) send(customer, closed + today.reopensAfter, shocks.ticketReopened)
  today.ticketHours = hours
  today.ticketTopic = today.isOutage
    ? topics.indexOf('technical')
    : Math.floor(uniform(luck, day, purpose.topic) * topics.length)
  customer.ticketDays[customer.ticketCount++ & 7] = closed
}

/** A ticket opened at noon is closed on this day. */
export function closingDay(day: number, hours: number): number {
  return day + Math.floor((12 + hours) / 24)
}

/** A shock on its way to a day at most a month ahead. */
function send(customer: Customer, day: number, shock: number): void {
  customer.dueShocks[day & (shockDays - 1)] += shock
}

/** Initiatives reach their customers in the morning; who is in which arm is written down elsewhere. */
function treat(customer: Customer, day: number): void {
  const { loyaltyCall, prioritySupport } = initiativeLaw
  if (
    day === customer.callDay &&
    customer.callArm === 1 &&
    customer.mood[grievance] >= loyaltyCall.fromGrievance
  ) {
    customer.mood[experience] += Math.min(loyaltyCall.mostLift, loyaltyCall.lift * customer.mood[grievance])
    customer.mood[grievance] = 0
  }
  if (day !== customer.reviewDay) return
  if (customer.reviewArm < 0) customer.reviewArm = isChosen(customer, day) ? 1 : 0
  if (customer.reviewArm === 1) {
    customer.mood[experience] += prioritySupport.lift
    customer.priorityUntil = day + prioritySupport.days
  }
}

/** Staff give priority to those who called often lately: this is what confounds a plain comparison. */
function isChosen(customer: Customer, day: number): boolean {
  const { constant, tickets } = initiativeLaw.prioritySupport
  const logit = constant + tickets * ticketsWithin(customer, day, 90)
  return uniform(customer.luck, day, purpose.arm) < 1 / (1 + Math.exp(-logit))
}

/** Days on which each plan becomes dearer, in a run of so many days; never where the run is too short. */
export function priceDays(days: number): number[] {
  return priceLaw.daysBeforeEnd.map((before) => (days - 1 - before > 0 ? days - 1 - before : -1))
}
