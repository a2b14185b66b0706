import { Sheet } from './sheet.ts'

/** Types of events; a row holds the place in this list. */
export const eventTypes = [
  'login',
  'order',
  'delivery',
  'ticket',
  'ticket_reopened',
  'outage',
  'feature_request',
  'payment',
  'upgrade',
  'downgrade',
  'referral',
  'review',
  'cancel',
  'survey_sent',
] as const
export type EventType = (typeof eventTypes)[number]
export const metricNames = ['nps', 'csat', 'ces'] as const
export const initiatives = ['loyalty-call', 'welcome-video', 'priority-support'] as const

const typeCodes = Object.fromEntries(eventTypes.map((type, code) => [type, code])) as Record<
  EventType,
  number
>

export const secondsPerDay = 86_400

/** What an event carries besides its time; what it has none of is NaN. */
export interface EventDetail {
  readonly value?: number
  /** Minutes of a login, days of a delay, hours of a ticket or an outage. */
  readonly amount?: number
  readonly topic?: number
}

const nothing: EventDetail = {}

/** Hears what can be seen of customers, in the order of days; some of it ahead of its time. */
export interface Recorder {
  /** From here on rows belong to this customer. */
  begin(customer: number): void
  event(type: EventType, second: number, detail?: EventDetail): void
  response(
    second: number,
    cells: { metric: number; score: number; channel: number; comment: string | null },
  ): void
  attributes(second: number, cells: AttributeCells): void
  assignment(second: number, cells: { initiative: number; arm: number; cost: number }): void
  /** The customer is gone, or the run is over: what would have come later does not. */
  endAt(second: number): void
}

/** What a customer's row holds, as codes; `joined` in seconds since day 0, `price` a month. */
export interface AttributeCells {
  readonly joined: number
  readonly account: number
  readonly region: number
  readonly channel: number
  readonly contract: number
  readonly plan: number
  readonly price: number
}

/**
 * What is written down of customers: rows with codes instead of names, seconds since the start of day 0 instead of
 * times. Names and times are made in SQL when files are written.
 */
export class Records implements Recorder {
  readonly events = new Sheet('events', {
    customer: 'integer',
    second: 'integer',
    type: 'integer',
    value: 'double',
    amount: 'double',
    topic: 'double',
  })
  readonly responses = new Sheet('responses', {
    customer: 'integer',
    second: 'integer',
    metric: 'integer',
    score: 'integer',
    channel: 'integer',
    comment: 'varchar',
  })
  readonly customers = new Sheet('customers', {
    customer: 'integer',
    second: 'integer',
    joined: 'integer',
    account: 'integer',
    region: 'integer',
    channel: 'integer',
    contract: 'integer',
    plan: 'integer',
    price: 'double',
  })
  readonly interventions = new Sheet('interventions', {
    customer: 'integer',
    second: 'integer',
    initiative: 'integer',
    arm: 'integer',
    cost: 'double',
  })
  #customer = 0
  #firstEvent = 0
  #firstResponse = 0

  begin(customer: number): void {
    this.#customer = customer
    this.#firstEvent = this.events.rows
    this.#firstResponse = this.responses.rows
  }

  event(type: EventType, second: number, { value, amount, topic }: EventDetail = nothing): void {
    this.events.add(
      this.#customer,
      second,
      typeCodes[type],
      value ?? Number.NaN,
      amount ?? Number.NaN,
      topic ?? Number.NaN,
    )
  }

  response(
    second: number,
    cells: { metric: number; score: number; channel: number; comment: string | null },
  ): void {
    const { metric, score, channel, comment } = cells
    this.responses.add(this.#customer, second, metric, score, channel, comment)
  }

  attributes(second: number, cells: AttributeCells): void {
    const { joined, account, region, channel, contract, plan, price } = cells
    this.customers.add(this.#customer, second, joined, account, region, channel, contract, plan, price)
  }

  assignment(
    second: number,
    { initiative, arm, cost }: { initiative: number; arm: number; cost: number },
  ): void {
    this.interventions.add(this.#customer, second, initiative, arm, cost)
  }

  endAt(second: number): void {
    this.events.dropAbove(this.#firstEvent, 1, second)
    this.responses.dropAbove(this.#firstResponse, 1, second)
  }
}
