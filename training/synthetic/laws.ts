/*
 * The laws of the simulated company: every constant, with its unit and the reason for it. Satisfaction is measured in
 * points on a scale of its own, where 0 is neither here nor there and the population spreads by about one point.
 * Days before the end count back from the last simulated day, so that figures hardly depend on how long a run is.
 */

export const plans = ['basic', 'plus', 'gold'] as const
export const regions = ['north', 'south', 'east', 'west'] as const
export const channels = ['web', 'app', 'partner'] as const
export const contracts = ['monthly', 'annual'] as const
export const topics = ['billing', 'delivery', 'technical', 'account'] as const

/** Hidden satisfaction. Standard deviations and shocks are points. */
export const satisfactionLaw = {
  /** Everybody's long-run level before experiences, which on the whole pull it down by about 0.4. */
  meanLevel: 0.62,
  /** Customers differ for good, mostly by how well the service fits them. */
  levelSpread: 0.7,
  /** Colleagues of one account share an administrator, a contract and a mood. */
  accountSpread: 0.35,
  /** Those there at the start are who stayed: so much above others after a year, and no more later. */
  survivorsAbove: 0.3,
  /** Share of yesterday's mood that is left today: a mood lasts about a month. */
  noiseKept: 0.965,
  /** Spread of the mood in the long run. */
  noiseSpread: 0.42,
  /** Share of an experience that is left after a day: half of it is forgotten in 46 days. */
  experienceKept: 0.985,
  /** Share of a grievance that is left after a day: a call mends what still hurts, about a month. */
  grievanceKept: 0.975,
} as const

/** What experiences do to satisfaction, in points on the day they are met. */
export const shocks = {
  ticketOpened: -0.12,
  ticketSlow: -0.5,
  ticketFast: 0.15,
  ticketReopened: -0.4,
  /** For each day of delay, and at most. */
  delayDay: -0.16,
  delayMost: -0.8,
  deliveryOnTime: 0.02,
  outage: -0.4,
  priceRise: -0.45,
  upgrade: 0.1,
} as const

/** Monthly prices in euros, and the day on which each plan becomes dearer. */
export const priceLaw = {
  before: [19, 39, 79],
  after: [21, 43, 87],
  daysBeforeEnd: [330, 270, 210],
  /** Days between payments. */
  paymentEvery: 30,
} as const

/** Orders and deliveries. */
export const deliveryLaw = {
  /** Orders a day at satisfaction 0. */
  ordersPerDay: 0.03,
  /** Factor on orders for each point of satisfaction, as an exponent. */
  ordersBySatisfaction: 0.25,
  /** Spread of the logarithm of customers' own appetite. */
  appetiteSpread: 0.5,
  /** Days from order to delivery where nothing goes wrong. */
  usualDays: 2,
  delayedShare: 0.2,
  /** Days of delay are 1 plus a geometric number with this share going on, up to the most. */
  delayGoesOn: 0.6,
  mostDelayDays: 9,
  /** Basket in euros: the median, and the spread of its logarithm. */
  basket: 32,
  basketSpread: 0.5,
} as const

/** Tickets. */
export const ticketLaw = {
  /** Tickets a day at satisfaction 0 without a grievance. */
  perDay: 0.008,
  bySatisfaction: -0.3,
  /** Factor for each point of grievance: what went wrong makes people call. */
  byGrievance: 2.5,
  mostPerDay: 0.2,
  /** Spread of the logarithm of customers' own proneness to call. */
  pronenessSpread: 0.6,
  /** Hours to a resolution: the median, and the spread of the logarithm. */
  medianHours: 20,
  hoursSpread: 1.1,
  leastHours: 0.5,
  mostHours: 240,
  slowFrom: 48,
  fastUpTo: 8,
  /** Share of tickets opened again; twice that where the resolution was slow. */
  reopenedShare: 0.1,
} as const

/** Outages of a region. */
export const outageLaw = {
  /** Share of days on which a region has one. */
  perDay: [0.012, 0.008, 0.018, 0.01],
  /** Share of the region's customers that each outage hits lies between these two. */
  leastShare: 0.2,
  mostShare: 0.6,
} as const

/** Logins and other things that are only observed and move nothing. */
export const usageLaw = {
  /** Share of days with a login at satisfaction 0, Monday to Friday in the middle of the week. */
  loginsPerDay: 0.13,
  bySatisfaction: 0.55,
  /** Spread of the logarithm of customers' own engagement. */
  engagementSpread: 0.6,
  mostPerDay: 0.9,
  /** Minutes of a login: the mean at satisfaction 0, by satisfaction, and the spread. */
  minutes: 14,
  minutesBySatisfaction: 3,
  minutesSpread: 6,
  /** Factors by day of the week; the last two are the quieter ones. */
  weekdays: [1.15, 1.15, 1.1, 1.1, 1.05, 0.75, 0.7],
  featureRequestsPerDay: 0.002,
} as const

/**
 * Decisions: chances a day. Each is a base, a sigmoid or exponent of satisfaction and what else the comment says.
 * At the shares of satisfaction that come about they give the monthly rates of the README.
 */
export const decisionLaw = {
  churn: {
    perDay: 0.0009,
    bySatisfaction: -1.35,
    mostPerDay: 0.06,
    /** Factor while new, fading over so many days, and for those who stayed long. */
    newcomers: 1.9,
    newcomerDays: 90,
    annualContract: 0.3,
    /** Annual contracts can be left without loss in these days around their renewal. */
    renewalFactor: 9,
    renewalDays: 10,
  },
  upgrade: {
    perDay: 0.0016,
    above: 0.5,
    steepness: 3,
    restDays: 60,
    leastByEngagement: 0.35,
    byEngagement: 0.55,
    mostByEngagement: 2,
  },
  downgrade: { perDay: 0.0006, below: -0.5, steepness: 3, restDays: 60 },
  referral: { perDay: 0.0009, above: 1, steepness: 3 },
  review: { perDay: 0.0004, above: 0.8, steepness: 2.5 },
} as const

/** Who joins, and who is there from the start. */
export const populationLaw = {
  /** Share of all customers ever who are there on the first day, having joined within so many days before. */
  thereAtStart: 0.5,
  longestStay: 720,
  planShares: [0.5, 0.35, 0.15],
  channelShares: [0.5, 0.35, 0.15],
  annualShare: 0.3,
  /** How blocks of eight customers fall into accounts: the sizes, and how often blocks fall so. */
  accounts: [[1, 1, 1, 1, 1, 1, 1, 1], [1, 1, 2, 1, 1, 2], [1, 3, 1, 1, 2], [1, 1, 6], [8]],
  accountShares: [0.35, 0.3, 0.2, 0.1, 0.05],
} as const

/** Invitations and answers. */
export const surveyLaw = {
  /** Days between invitations: this, give or take as much as half the other. */
  every: 90,
  giveOrTake: 20,
  /** Answers come 1 to so many days after the invitation. */
  slowestAnswerDays: 5,
  /** Logistic law of answering by what can be observed. */
  observed: {
    constant: -3.5,
    /** For each of ln(1 + days with a login in the last 28). */
    logins: 1,
    /** For each ticket closed in the last 90 days. */
    tickets: -0.35,
    /** For each year as a customer, two at most. */
    years: 0.15,
    /** By plan. */
    plans: [0, 0.2, 0.4],
  },
  /** Logistic law of answering by what nobody sees. */
  hidden: { constant: -2.25, satisfaction: 0.65 },
  /** Share of closed tickets after which a customer answers, half of them CSAT and half CES. */
  afterTicket: 0.2,
  /** Share of the scale after a ticket of 20 hours at satisfaction 0; by satisfaction, by ln(hours), and its spread. */
  support: { usual: 0.72, bySatisfaction: 0.08, byHours: -0.11, spread: 0.16 },
} as const

/** The 0-10 answer: a logistic variable around satisfaction cut at ten places, in points. */
export const answerLaw = {
  cuts: [-3, -2.6, -2.2, -1.8, -1.35, -0.9, -0.4, 0.1, 0.75, 1.45],
  /** Scale of the logistic variable: the same customer on the same day might say a point more or less. */
  scale: 0.32,
} as const

/** Initiatives. Windows in days before the end, so that at least 110 days of each are seen. */
export const initiativeLaw = {
  /** Randomised, half of whom are called. Mends what recently went wrong and does nothing else. */
  loyaltyCall: {
    from: 260,
    to: 170,
    share: 0.7,
    treatedShare: 0.5,
    cost: 9,
    /** Points of satisfaction for each point of grievance, at most, and from which grievance on. */
    lift: 1.6,
    mostLift: 1.5,
    fromGrievance: 0.25,
  },
  /** Randomised at joining; has no effect at all. */
  welcomeVideo: { from: 450, to: 110, treatedShare: 0.5, cost: 1, afterJoining: 3 },
  /** Given by staff to those who called often: not randomised. Tickets are resolved sooner for a while. */
  prioritySupport: {
    from: 220,
    to: 115,
    share: 0.6,
    /** Logistic law of being chosen: a constant, and for each ticket of the last 90 days. */
    constant: -1.7,
    tickets: 0.95,
    cost: 25,
    lift: 0.25,
    hoursFactor: 0.35,
    days: 120,
  },
} as const
