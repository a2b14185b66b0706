import {
  decisionLaw,
  deliveryLaw,
  initiativeLaw,
  populationLaw,
  regions,
  satisfactionLaw,
  shocks,
  ticketLaw,
  usageLaw,
} from './laws.ts'
import { type Luck, luckOf, onceNormal, onceUniform } from './randomness.ts'

/** Days of a run, counted from 0, and its seed. */
export interface Run {
  readonly seed: number
  readonly days: number
}

/** How many days ahead a shock can be on its way: the longest ticket and its reopening fit in. */
export const shockDays = 32
const rememberedTickets = 8

/** A customer: what never changes, and the state that days move. Mutable on purpose: days are many. */
export interface Customer {
  readonly index: number
  readonly account: number
  luck: Luck
  readonly region: number
  readonly channel: number
  readonly contract: number
  /** May lie before day 0. */
  readonly joinDay: number
  /** Long-run satisfaction, with the account's. Points. */
  readonly level: number
  readonly proneness: number
  readonly engagement: number
  /** The engaged upgrade more easily. */
  upgradeFactor: number
  readonly appetite: number
  /** Day of each initiative's assignment, or -1. */
  readonly callDay: number
  readonly videoDay: number
  readonly reviewDay: number
  /** 0 control, 1 treated; -1 not decided yet. */
  callArm: number
  videoArm: number
  reviewArm: number

  plan: number
  planSince: number
  /** Feelings of the evening, in points, by {@link feeling}. */
  readonly mood: Float64Array
  priorityUntil: number
  /** Points that arrive on day modulo {@link shockDays}. */
  readonly dueShocks: Float64Array
  /** Days on which the latest tickets were closed. */
  readonly ticketDays: Int32Array
  ticketCount: number
}

/** Places in a customer's mood. An array, since engines box numbers that change within objects. */
export const feeling = { satisfaction: 0, noise: 1, experience: 2, grievance: 3 } as const

/**
 * A customer on the day of joining, or on day 0 if that is later.
 *
 * Depends on nothing but seed, index and length of the run.
 */
export function bornCustomer(run: Run, index: number): Customer {
  const luck = luckOf(run.seed, index)
  const account = accountOf(run.seed, index)
  const accountLuck = luckOf(run.seed, account, 1)
  const joinDay = joinDayOf(run, luck)
  const engagement = Math.exp(usageLaw.engagementSpread * onceNormal(luck, 5))
  return {
    index,
    account,
    luck,
    region: Math.floor(onceUniform(accountLuck, 0) * regions.length),
    channel: choose(populationLaw.channelShares, onceUniform(luck, 1)),
    contract: onceUniform(luck, 2) < populationLaw.annualShare ? 1 : 0,
    joinDay,
    level:
      satisfactionLaw.meanLevel +
      satisfactionLaw.survivorsAbove * Math.min(1, Math.max(0, -joinDay / 365)) +
      satisfactionLaw.levelSpread * onceNormal(luck, 3) +
      satisfactionLaw.accountSpread * onceNormal(accountLuck, 1),
    proneness: Math.exp(ticketLaw.pronenessSpread * onceNormal(luck, 4)),
    engagement,
    upgradeFactor: upgradeFactorOf(engagement),
    appetite: Math.exp(deliveryLaw.appetiteSpread * onceNormal(luck, 6)),
    ...assignedDays(run, luck, joinDay),
    plan: choose(populationLaw.planShares, onceUniform(luck, 7)),
    planSince: joinDay,
    mood: Float64Array.of(0, satisfactionLaw.noiseSpread * onceNormal(luck, 8), firstExperience(joinDay), 0),
    priorityUntil: -1,
    dueShocks: new Float64Array(shockDays),
    ticketDays: new Int32Array(rememberedTickets).fill(-1000),
    ticketCount: 0,
  }
}

/** By how much more easily the engaged upgrade. */
export function upgradeFactorOf(engagement: number): number {
  const { leastByEngagement, byEngagement, mostByEngagement } = decisionLaw.upgrade
  return Math.min(mostByEngagement, leastByEngagement + byEngagement * engagement)
}

/** Those who have been there for long carry experiences, which settle at about an outage's worth; newcomers none. */
function firstExperience(joinDay: number): number {
  return joinDay < 0 ? 1.2 * shocks.outage : 0
}

/** Gives `target`, a copy of the same customer, the state of `source`. */
export function restoreState(target: Customer, source: Customer): void {
  target.plan = source.plan
  target.planSince = source.planSince
  target.mood.set(source.mood)
  target.priorityUntil = source.priorityUntil
  target.callArm = source.callArm
  target.videoArm = source.videoArm
  target.reviewArm = source.reviewArm
  target.ticketCount = source.ticketCount
  target.dueShocks.set(source.dueShocks)
  target.ticketDays.set(source.ticketDays)
}

/** A copy that shares nothing with the original. */
export function copyOf(source: Customer): Customer {
  const { mood, dueShocks, ticketDays } = source
  return { ...source, mood: mood.slice(), dueShocks: dueShocks.slice(), ticketDays: ticketDays.slice() }
}

/** Tickets closed within the last `days` days, today's included; eight at most are remembered. */
export function ticketsWithin(customer: Customer, day: number, days: number): number {
  let count = 0
  for (const closed of customer.ticketDays) if (closed > day - days) count++
  return count
}

/** Half are there on day 0; the others join evenly over all days but the last. */
function joinDayOf({ days }: Run, luck: Luck): number {
  const share = onceUniform(luck, 0)
  const { thereAtStart, longestStay } = populationLaw
  if (share < thereAtStart) return -1 - Math.floor((share / thereAtStart) * longestStay)
  return Math.floor(((share - thereAtStart) / (1 - thereAtStart)) * (days - 1))
}

/** The account of a customer: the index of its first member. */
export function accountOf(seed: number, index: number): number {
  const block = Math.floor(index / 8)
  const { accounts, accountShares } = populationLaw
  const sizes = accounts[choose(accountShares, onceUniform(luckOf(seed, block, 2), 0))]
  let first = block * 8
  for (const size of sizes) {
    if (index < first + size) break
    first += size
  }
  return first
}

function assignedDays({ days }: Run, luck: Luck, joinDay: number) {
  const { loyaltyCall, welcomeVideo, prioritySupport } = initiativeLaw
  const dayWithin = ({ from, to, share }: { from: number; to: number; share: number }, number: number) => {
    const chance = onceUniform(luck, number) / share
    if (chance >= 1) return -1
    const day = days - 1 - from + Math.floor(chance * (from - to))
    return day > joinDay && day >= 0 ? day : -1
  }
  const videoDay = joinDay + welcomeVideo.afterJoining
  const isInWindow = videoDay >= days - 1 - welcomeVideo.from && videoDay <= days - 1 - welcomeVideo.to
  return {
    callDay: dayWithin(loyaltyCall, 9),
    reviewDay: dayWithin(prioritySupport, 10),
    videoDay: joinDay >= 0 && isInWindow ? videoDay : -1,
    callArm: onceUniform(luck, 11) < loyaltyCall.treatedShare ? 1 : 0,
    videoArm: onceUniform(luck, 12) < welcomeVideo.treatedShare ? 1 : 0,
    reviewArm: -1,
  }
}

/** The place that `chance` falls on among shares that sum to 1. */
export function choose(shares: readonly number[], chance: number): number {
  let rest = chance
  for (let place = 0; place < shares.length - 1; place++) {
    rest -= shares[place]
    if (rest < 0) return place
  }
  return shares.length - 1
}
