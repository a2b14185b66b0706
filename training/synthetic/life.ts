import { type Answering, answeringChance, drawScore, supportScore } from './answers.ts'
import { blankMemory, type Memory, writeComment } from './comments.ts'
import { type Customer, feeling } from './customer.ts'
import { blankChances, decide, leaves, weighDecisions } from './decisions.ts'
import { blankToday, closingDay, feelDay, type World } from './feelings.ts'
import { deliveryLaw, initiativeLaw, priceLaw, surveyLaw, ticketLaw, usageLaw } from './laws.ts'
import { bitsOf, lowerUniform, normalOf, purpose, uniform } from './randomness.ts'
import { type Recorder, secondsPerDay } from './records.ts'
import { loginShare, usualMinutes } from './usage.ts'

export interface LifeOptions {
  readonly days: number
  readonly world: World
  readonly answering: Answering
  readonly records: Recorder
  readonly watcher: Watcher
}

/** Looks at customers as they live, to tell what is true. */
export interface Watcher {
  /** Before the day on which a customer is assigned to an arm of an initiative. */
  assigned(customer: Customer, day: number, initiative: number): void
  /** At the end of every day. */
  evening(customer: Customer, day: number): void
}

/** What a life needs besides the customer: what was met lately, logins of the last days, the next invitation. */
interface Life extends LifeOptions {
  readonly customer: Customer
  readonly memory: Memory
  /** A bit a day, today's lowest. */
  logins: number
  invitedOn: number
  answersOn: number
}

const today = blankToday()
const chances = blankChances()
const hour = 3600

/** Lives a customer from day 0 or joining to the last day or cancelling, and writes down what can be seen. */
export function liveThrough(customer: Customer, options: LifeOptions): void {
  const { days, world, records, watcher } = options
  const life: Life = {
    ...options,
    customer,
    memory: blankMemory(),
    logins: earlierLogins(customer),
    invitedOn: firstInvitation(customer),
    answersOn: -1,
  }
  records.begin(customer.index)
  noteCustomer(life, customer.joinDay * secondsPerDay, Math.max(0, customer.joinDay))
  for (let day = Math.max(0, customer.joinDay); day < days; day++) {
    if (day === world.priceDays[customer.plan] && day > customer.joinDay)
      noteCustomer(life, day * secondsPerDay, day)
    announceAssignments(life, day)
    feelDay(customer, day, world, today)
    noteAssignments(life, day)
    noteExperiences(life, day)
    noteUsage(life, day)
    noteSurveys(life, day)
    weighDecisions(customer, day, chances)
    const decided = decide(customer, day, chances)
    if (decided !== null) noteDecision(life, day, decided)
    const isLeaving = leaves(customer, day, chances)
    if (isLeaving) {
      const second = day * secondsPerDay + 21.5 * hour
      records.event('cancel', second)
      records.endAt(second)
      return
    }
    watcher.evening(customer, day)
  }
  records.endAt(days * secondsPerDay - 1)
}

/** A second of the day between two hours. */
function clock({ luck }: Customer, day: number, [from, to]: readonly [number, number]): number {
  return day * secondsPerDay + Math.floor((from + (to - from) * uniform(luck, day, purpose.clock)) * hour)
}

function priceOf({ customer, world }: Life, day: number): number {
  const risen = world.priceDays[customer.plan]
  return (risen >= 0 && day >= risen ? priceLaw.after : priceLaw.before)[customer.plan]
}

/** A row of attributes that holds from a second on. */
function noteCustomer(life: Life, second: number, day: number): void {
  const { joinDay, account, region, channel, contract, plan } = life.customer
  const joined = joinDay * secondsPerDay
  const attributes = { joined, account, region, channel, contract, plan, price: priceOf(life, day) }
  life.records.attributes(second, attributes)
}

function announceAssignments({ customer, watcher }: Life, day: number): void {
  if (day === customer.callDay) watcher.assigned(customer, day, 0)
  if (day === customer.videoDay) watcher.assigned(customer, day, 1)
  if (day === customer.reviewDay) watcher.assigned(customer, day, 2)
}

function noteAssignments({ customer, records }: Life, day: number): void {
  const note = (initiative: number, arm: number, cost: number) =>
    records.assignment(day * secondsPerDay, { initiative, arm, cost: arm * cost })
  if (day === customer.callDay) note(0, customer.callArm, initiativeLaw.loyaltyCall.cost)
  if (day === customer.videoDay) note(1, customer.videoArm, initiativeLaw.welcomeVideo.cost)
  if (day === customer.reviewDay) note(2, customer.reviewArm, initiativeLaw.prioritySupport.cost)
}

function noteExperiences(life: Life, day: number): void {
  const { customer, records, memory, world } = life
  if (day === world.priceDays[customer.plan]) memory.priceDay = day
  if (today.isOutage) {
    memory.outageDay = day
    const amount = 1 + Math.floor(uniform(customer.luck, day, purpose.topic) * 8)
    records.event('outage', day * secondsPerDay + 9 * hour, { amount })
  }
  if (today.orderDelay >= 0) {
    const basket =
      deliveryLaw.basket *
      Math.exp(deliveryLaw.basketSpread * normalOf(bitsOf(customer.luck, day, purpose.basket)))
    records.event('order', clock(customer, day, [8, 20]), { value: Math.round(basket * 100) / 100 })
    const delivered = day + deliveryLaw.usualDays + today.orderDelay
    records.event('delivery', delivered * secondsPerDay + 15 * hour, { amount: today.orderDelay })
    if (today.orderDelay > 0) {
      memory.delayDay = delivered
      memory.delayDays = today.orderDelay
    }
  }
  if (today.ticketHours >= 0) noteTicket(life, day)
}

/** A ticket is reported when it is closed: only then is known how long it took. */
function noteTicket({ customer, records, memory }: Life, day: number): void {
  const { ticketHours: hours, ticketTopic: topic, reopensAfter } = today
  const closed = closingDay(day, hours)
  const second = Math.floor(day * secondsPerDay + (12 + hours) * hour)
  records.event('ticket', second, { topic, amount: Math.round(hours * 10) / 10 })
  if (reopensAfter > 0) {
    memory.reopenedDay = closed + reopensAfter
    records.event('ticket_reopened', (closed + reopensAfter) * secondsPerDay + 10 * hour, { topic })
  }
  if (hours >= ticketLaw.slowFrom) memory.slowDay = closed
  if (hours <= ticketLaw.fastUpTo) memory.fastDay = closed
  const chance = uniform(customer.luck, day, purpose.support) / surveyLaw.afterTicket
  if (chance >= 1) return
  const metric = chance < 0.5 ? 1 : 2
  const luck = normalOf(bitsOf(customer.luck, day, purpose.wording))
  const score = supportScore(customer.mood[feeling.satisfaction], { hours, best: metric === 1 ? 5 : 7, luck })
  records.response(second + 2 * hour, { metric, score, channel: 0, comment: null })
}

function noteUsage(life: Life, day: number): void {
  const { customer, records } = life
  const bits = bitsOf(customer.luck, day, purpose.login)
  const satisfaction = customer.mood[feeling.satisfaction]
  const isLogin = lowerUniform(bits) < loginShare(satisfaction, customer.engagement, day)
  life.logins = ((life.logins << 1) | (isLogin ? 1 : 0)) & 0x0fffffff
  if (isLogin) {
    const drawn = usualMinutes(satisfaction) + usageLaw.minutesSpread * normalOf(bits)
    const amount = Math.max(1, Math.round(drawn))
    records.event('login', clock(customer, day, [7, 21]), { amount })
  }
  const feature = usageLaw.featureRequestsPerDay * customer.engagement
  if (uniform(customer.luck, day, purpose.feature) < feature)
    records.event('feature_request', clock(customer, day, [9, 18]))
  if ((day - customer.joinDay) % priceLaw.paymentEvery === 0)
    records.event('payment', day * secondsPerDay + 6 * hour, { value: priceOf(life, day) })
}

function noteSurveys(life: Life, day: number): void {
  const { customer, records, answering } = life
  if (day === life.invitedOn) {
    records.event('survey_sent', day * secondsPerDay + 9 * hour)
    const loginDays = bitCount(life.logins)
    const chance = answeringChance(customer, { answering, day, loginDays })
    const wait = uniform(customer.luck, day, purpose.invitation)
    if (uniform(customer.luck, day, purpose.answering) < chance)
      life.answersOn = day + 1 + Math.floor(wait * surveyLaw.slowestAnswerDays)
    life.invitedOn += gap(wait)
  }
  if (day !== life.answersOn) return
  const score = drawScore(customer.mood[feeling.satisfaction], uniform(customer.luck, day, purpose.answer))
  const comment = writeComment(life.memory, { score, day, luck: customer.luck })
  records.response(clock(customer, day, [8, 21]), { metric: 0, score, channel: customer.channel, comment })
}

/** Logins of the 28 days before day 0, for those who were there. */
function earlierLogins({ joinDay, luck, level, engagement }: Customer): number {
  let logins = 0
  for (let day = Math.max(joinDay, -28); day < 0; day++) {
    const isLogin = uniform(luck, day, purpose.login) < loginShare(level, engagement, day)
    logins = (logins << 1) | (isLogin ? 1 : 0)
  }
  return logins
}

/** Days between invitations. */
function gap(chance: number): number {
  return Math.round(surveyLaw.every + (chance - 0.5) * surveyLaw.giveOrTake)
}

/** The first invitation comes after two weeks to three and a half months; earlier ones lie before day 0. */
function firstInvitation({ joinDay, luck }: Customer): number {
  const wait = Math.floor(uniform(luck, joinDay, purpose.invitation) * surveyLaw.every)
  return joinDay < 0 ? wait : joinDay + 14 + wait
}

function bitCount(bits: number): number {
  let rest = bits
  let count = 0
  for (; rest !== 0; count++) rest &= rest - 1
  return count
}

function noteDecision(
  life: Life,
  day: number,
  decision: 'upgrade' | 'downgrade' | 'referral' | 'review',
): void {
  const second = day * secondsPerDay + 18.5 * hour
  life.records.event(decision, second)
  if (decision !== 'upgrade' && decision !== 'downgrade') return
  noteCustomer(life, second, day)
}
